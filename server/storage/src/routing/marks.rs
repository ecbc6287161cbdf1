//! Durable marks of records that may differ between two places.

use async_trait::async_trait;
use izanagi_domain::storage::{RecordPath, RoutingCounters, StoreResult};
use izanagi_shared::time::Timestamp;
use uuid::Uuid;

/// A mark. One write makes one, so a record may have several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) id: Uuid,
    pub(crate) path: RecordPath,
}

/// The marks, in the relational database.
#[async_trait]
pub(crate) trait ShadowMarks: Send + Sync {
    /// Marks a record before it is written.
    async fn add(&self, path: &RecordPath, at: Timestamp) -> StoreResult<Uuid>;

    /// Removes marks of records that are equal in both places; returns how many were there.
    async fn remove(&self, ids: &[Uuid]) -> StoreResult<u64>;

    /// Whether a mark is still there. One that is not was removed by somebody who took its writer for
    /// dead.
    async fn has(&self, id: Uuid) -> StoreResult<bool>;

    /// Returns marks in the order of their ids, after a given one.
    async fn list(&self, after: Option<Uuid>, limit: u32) -> StoreResult<Vec<Mark>>;

    /// Returns their number.
    async fn count(&self) -> StoreResult<u64>;

    /// Adds to what all servers have counted about the second place.
    async fn add_counts(&self, counted: &RoutingCounters) -> StoreResult<()>;

    /// Removes all of them, when there is no second place any more.
    async fn clear(&self) -> StoreResult<()>;
}
