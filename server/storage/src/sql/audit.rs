//! The audit log.

use super::{
    database::Database,
    statement::{Statement, args},
};
use async_trait::async_trait;
use izanagi_domain::storage::{AuditEvent, AuditLog, Freshness::Stale, Ids, StoreResult};
use izanagi_shared::time::Timestamp;
use std::sync::Arc;

pub(crate) struct SqlAudit<D> {
    pub(crate) db: Arc<D>,
}

/// Records an event; call it in the transaction of what it tells.
pub(super) fn insert(ids: &dyn Ids, event: &AuditEvent) -> Statement {
    Statement::with(
        "INSERT INTO audit_log (id, action, actor_id, subject, ip, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6)",
        args![
            ids.uuid(),
            event.action,
            event.actor,
            event.subject.as_str(),
            event.ip.as_str(),
            event.at,
        ],
    )
}

#[async_trait]
impl<D: Database> AuditLog for SqlAudit<D> {
    async fn newest(&self, limit: u32) -> StoreResult<Vec<(String, String, Timestamp)>> {
        let query = Statement::with(
            "SELECT action, subject, created_at FROM audit_log \
             ORDER BY created_at DESC, id DESC LIMIT $1",
            args![limit],
        );
        let rows = self.db.fetch(Stale, query).await?;
        rows.iter()
            .map(|row| Ok((row.get("action")?, row.get("subject")?, row.get("created_at")?)))
            .collect()
    }
}
