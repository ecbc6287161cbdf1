//! Retention (PRODUCT O8), and whether the store works.

use super::StoreResult;
use async_trait::async_trait;
use izanagi_shared::{id::DocumentId, time::Timestamp};

/// Care of the store. The methods that forget may scan whole tables; running them daily is
/// sufficient.
#[async_trait]
pub trait Upkeep: Send + Sync {
    /// Removes refresh tokens that expired before `before`, and sessions that ended before it or
    /// were last seen before it and have no tokens left.
    async fn forget_sessions(&self, before: Timestamp) -> StoreResult<()>;
    /// Returns the first documents by id, after `after`, with updates in the live log from before
    /// `before`.
    async fn with_old_updates(
        &self,
        before: Timestamp,
        after: Option<DocumentId>,
        limit: u32,
    ) -> StoreResult<Vec<DocumentId>>;
    /// Removes audit events before `before`.
    async fn forget_audit(&self, before: Timestamp) -> StoreResult<()>;
    /// Writes one small row durably, to find out whether the store accepts writes.
    async fn probe(&self, at: Timestamp) -> StoreResult<()>;
}
