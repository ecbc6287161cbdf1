//! Revoked sessions.

use super::{
    database::Database,
    statement::{Statement, args},
};
use async_trait::async_trait;
use izanagi_domain::storage::{Clock, Freshness::Fresh, RevocationStore, StoreResult};
use izanagi_shared::{id::SessionId, time::Timestamp};
use std::sync::Arc;

/// Rows removed per transaction.
const AT_ONCE: u32 = 1_000;

pub(crate) struct SqlRevocations<D> {
    pub(crate) db: Arc<D>,
    pub(crate) clock: Arc<dyn Clock>,
}

#[async_trait]
impl<D: Database> RevocationStore for SqlRevocations<D> {
    /// A second revocation never shortens the first.
    async fn revoke(&self, session: SessionId, until: Timestamp) -> StoreResult<()> {
        let upsert = Statement::with(
            "INSERT INTO revocations (session_id, expires_at) VALUES ($1, $2) \
             ON CONFLICT (session_id) DO UPDATE SET expires_at = excluded.expires_at \
             WHERE revocations.expires_at < excluded.expires_at",
            args![session, until],
        );
        self.db.execute(upsert).await.map(drop)
    }

    async fn is_revoked(&self, session: SessionId) -> StoreResult<bool> {
        let query = Statement::with(
            "SELECT 1 FROM revocations WHERE session_id = $1 AND expires_at > $2",
            args![session, self.clock.now()],
        );
        Ok(!self.db.fetch(Fresh, query).await?.is_empty())
    }

    async fn forget(&self, before: Timestamp) -> StoreResult<()> {
        let delete = Statement::with(
            "DELETE FROM revocations WHERE session_id IN \
             (SELECT session_id FROM revocations WHERE expires_at < $1 LIMIT $2)",
            args![before, AT_ONCE],
        );
        while self.db.execute(delete.clone()).await? >= u64::from(AT_ONCE) {}
        Ok(())
    }
}
