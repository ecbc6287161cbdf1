//! The outbox.

use super::{
    database::Database,
    row::Row,
    statement::{Statement, args},
};
use async_trait::async_trait;
use izanagi_domain::storage::{
    Freshness::Fresh, Ids, Outbox, OutboxItem, StoreError, StoreResult, Topic,
};
use izanagi_shared::time::Timestamp;
use std::sync::Arc;
use uuid::Uuid;

pub(crate) struct SqlOutbox<D> {
    pub(crate) db: Arc<D>,
}

/// Enqueues an item; call it in the transaction that makes the work necessary.
pub(super) fn insert(ids: &dyn Ids, topic: Topic, key: &str, at: Timestamp) -> Statement {
    Statement::with(
        "INSERT INTO outbox (id, topic, key, created_at, queued_at) VALUES ($1, $2, $3, $4, $4)",
        args![ids.uuid(), topic.as_str(), key, at],
    )
}

fn item(row: &Row) -> StoreResult<OutboxItem> {
    Ok(OutboxItem {
        id: row.get::<Uuid>("id")?.to_string(),
        topic: row.named("topic", Topic::parse)?,
        key: row.get("key")?,
    })
}

#[async_trait]
impl<D: Database> Outbox for SqlOutbox<D> {
    async fn pending(&self, limit: u32) -> StoreResult<Vec<OutboxItem>> {
        // Skip topics unknown to this version rather than failing on them.
        let mut query = Statement::new("SELECT id, topic, key FROM outbox WHERE topic IN ");
        query.push_list(Topic::ALL.map(Topic::as_str));
        query.push(" ORDER BY queued_at, id LIMIT ").push_arg(limit);
        self.db.fetch(Fresh, query).await?.iter().map(item).collect()
    }

    async fn is_pending(&self, topic: Topic, key: &str) -> StoreResult<bool> {
        let query = Statement::with(
            "SELECT 1 FROM outbox WHERE topic = $1 AND key = $2 LIMIT 1",
            args![topic.as_str(), key],
        );
        Ok(!self.db.fetch(Fresh, query).await?.is_empty())
    }

    async fn done(&self, id: &str) -> StoreResult<()> {
        let Ok(id) = id.parse::<Uuid>() else { return Ok(()) };
        let delete = Statement::with("DELETE FROM outbox WHERE id = $1", args![id]);
        self.db.execute(delete).await.map(drop)
    }

    async fn postpone(&self, id: &str, at: Timestamp) -> StoreResult<()> {
        let id: Uuid = id.parse().map_err(|_| StoreError::NotFound)?;
        let update =
            Statement::with("UPDATE outbox SET queued_at = $2 WHERE id = $1", args![id, at]);
        match self.db.execute(update).await? {
            0 => Err(StoreError::NotFound),
            _ => Ok(()),
        }
    }
}
