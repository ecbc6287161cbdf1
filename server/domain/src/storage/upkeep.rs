//! Forgetting what nobody needs any more (PRODUCT O8).

use super::StoreResult;
use async_trait::async_trait;
use izanagi_shared::time::Timestamp;

/// Retention. Each method may walk a whole table: once a day is often enough.
#[async_trait]
pub trait Upkeep: Send + Sync {
    /// Forgets refresh tokens that ran out before `before`, and sessions that were ended before it
    /// or, unseen since, have no token left.
    async fn forget_sessions(&self, before: Timestamp) -> StoreResult<()>;
}
