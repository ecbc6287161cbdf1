//! Marks of records that may differ between the two places of a document store.

use super::{
    database::Database,
    statement::{Statement, args},
};
use crate::routing::{Mark, ShadowMarks};
use async_trait::async_trait;
use izanagi_domain::storage::{Freshness::Fresh, Ids, RecordPath, RoutingCounters, StoreResult};
use izanagi_shared::time::Timestamp;
use std::sync::Arc;
use uuid::Uuid;

/// Marks removed per statement.
const AT_ONCE: usize = 1_000;

pub(crate) struct SqlMarks<D> {
    pub(crate) db: Arc<D>,
    pub(crate) ids: Arc<dyn Ids>,
}

#[async_trait]
impl<D: Database> ShadowMarks for SqlMarks<D> {
    async fn add(&self, path: &RecordPath, at: Timestamp) -> StoreResult<Uuid> {
        let id = self.ids.uuid();
        let insert = Statement::with(
            "INSERT INTO shadow_marks (id, collection, record, marked_at) VALUES ($1, $2, $3, $4)",
            args![id, path.collection(), path.id(), at],
        );
        self.db.execute(insert).await?;
        Ok(id)
    }

    async fn remove(&self, ids: &[Uuid]) -> StoreResult<u64> {
        let mut removed = 0;
        for ids in ids.chunks(AT_ONCE) {
            let mut delete = Statement::new("DELETE FROM shadow_marks WHERE id IN ");
            delete.push_list(ids.iter().copied());
            removed += self.db.execute(delete).await?;
        }
        Ok(removed)
    }

    async fn has(&self, id: Uuid) -> StoreResult<bool> {
        let query = Statement::with("SELECT 1 FROM shadow_marks WHERE id = $1", args![id]);
        Ok(!self.db.fetch(Fresh, query).await?.is_empty())
    }

    async fn list(&self, after: Option<Uuid>, limit: u32) -> StoreResult<Vec<Mark>> {
        let query = Statement::with(
            "SELECT id, collection, record FROM shadow_marks WHERE id > $1 ORDER BY id LIMIT $2",
            args![after.unwrap_or(Uuid::nil()), limit],
        );
        let rows = self.db.fetch(Fresh, query).await?;
        let mark = |row: &super::row::Row| {
            let (collection, record): (String, String) =
                (row.get("collection")?, row.get("record")?);
            Ok(Mark { id: row.get("id")?, path: RecordPath::from_parts(collection, record) })
        };
        rows.iter().map(mark).collect()
    }

    async fn count(&self) -> StoreResult<u64> {
        let query = Statement::new("SELECT COUNT(*) AS marks FROM shadow_marks");
        self.db.fetch_one(Fresh, query).await?.get("marks")
    }

    async fn add_counts(&self, counted: &RoutingCounters) -> StoreResult<()> {
        let upsert = Statement::with(
            "INSERT INTO routing_counts (store, shadow_failures, differences, repaired) \
             VALUES ('documents', $1, $2, $3) ON CONFLICT (store) DO UPDATE SET \
             shadow_failures = routing_counts.shadow_failures + excluded.shadow_failures, \
             differences = routing_counts.differences + excluded.differences, \
             repaired = routing_counts.repaired + excluded.repaired",
            args![counted.shadow_failures, counted.differences, counted.repaired],
        );
        self.db.execute(upsert).await.map(drop)
    }

    async fn clear(&self) -> StoreResult<()> {
        self.db.execute(Statement::new("DELETE FROM shadow_marks")).await.map(drop)
    }
}
