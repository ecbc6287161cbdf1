//! Signing keys shared by all nodes.

use super::{AuditEvent, StoreResult};
use async_trait::async_trait;
use izanagi_shared::time::Timestamp;
use uuid::Uuid;

/// A sealed signing key (see [`crate::sealing`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedKey {
    /// Its id.
    pub id: Uuid,
    /// The sealed PEM text.
    pub sealed: Vec<u8>,
    /// From when it signs. Before, it only verifies, so that each node knows it in time.
    pub signs_from: Timestamp,
}

/// The signing keys of all nodes, sealed: the secret that opens them is not in the database.
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// Returns all keys, the one added last first.
    async fn list(&self) -> StoreResult<Vec<SealedKey>>;

    /// Adds a key if `newest` is the one added last (`None`: if there is no key), and removes keys
    /// that are no longer needed, in one transaction. Returns whether it did.
    async fn add(
        &self,
        key: &SealedKey,
        newest: Option<Uuid>,
        remove: &[Uuid],
        audit: &AuditEvent,
    ) -> StoreResult<bool>;
}
