//! Retention of the document store: soft-deleted records, noted changes, names of collections.

use super::{
    database::Database,
    id_bytes,
    record_changes::USED,
    statement::{Statement, args},
};
use izanagi_domain::storage::{Freshness::Fresh, RecordPath, StoreResult};
use izanagi_shared::time::Timestamp;
use std::time::Duration;

/// Rows handled per transaction.
const AT_ONCE: u32 = 1_000;

/// How long changes are kept for watches that are interrupted.
const CHANGES_KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Returns soft-deleted records that have not changed since `before`.
pub(super) async fn deleted_before(
    db: &impl Database,
    before: Timestamp,
) -> StoreResult<Vec<RecordPath>> {
    let query = Statement::with(
        "SELECT c.name, r.id FROM records r JOIN collections c ON c.id = r.collection \
         WHERE r.deleted AND r.updated_at < $1 ORDER BY r.updated_at LIMIT $2",
        args![before, AT_ONCE],
    );
    let rows = db.fetch(Fresh, query).await?;
    let path = |row: &super::row::Row| {
        let id = id_bytes::from_bytes(&row.get::<Vec<u8>>("id")?)?;
        Ok(RecordPath::from_parts(row.get::<String>("name")?, id))
    };
    rows.iter().map(path).collect()
}

/// Removes old changes. Each run marks how far they go, so that a change needs no time of its own.
pub(super) async fn forget_changes(db: &impl Database, now: Timestamp) -> StoreResult<()> {
    let old = Statement::with(
        "SELECT COALESCE(MAX(number), 0) AS number FROM record_marks WHERE at < $1",
        args![now.minus(CHANGES_KEPT)],
    );
    let old: u64 = db.fetch_one(Fresh, old).await?.get("number")?;
    loop {
        let batch = Statement::with(
            "SELECT COALESCE(MAX(b.number), 0) AS number FROM (SELECT number FROM record_changes \
             WHERE number <= $1 ORDER BY number LIMIT $2) AS b",
            args![old, AT_ONCE],
        );
        let last: u64 = db.fetch_one(Fresh, batch).await?.get("number")?;
        if last == 0 {
            break;
        }
        // The newest number must not go down when its row is removed.
        let mut horizon = Statement::new("UPDATE record_horizon SET highest = ");
        horizon.push(USED).push(", forgotten = ").push_arg(last);
        horizon.push(" WHERE forgotten < ").push_arg(last);
        let delete = Statement::with("DELETE FROM record_changes WHERE number <= $1", args![last]);
        db.execute_all(vec![horizon, delete]).await?;
    }
    let forget = Statement::with("DELETE FROM record_marks WHERE number <= $1", args![old]);
    let mut mark = Statement::new("INSERT INTO record_marks (at, number) SELECT ");
    mark.push_arg(now).push(", t.used FROM (SELECT ").push(USED);
    mark.push(" AS used) AS t WHERE t.used > 0 ON CONFLICT DO NOTHING");
    db.execute_all(vec![forget, mark]).await
}

/// Removes the names of collections that have neither records nor changes.
pub(super) async fn forget_collections(db: &impl Database) -> StoreResult<()> {
    const EMPTY: &str = "NOT EXISTS (SELECT 1 FROM records r WHERE r.collection = collections.id) \
                         AND id NOT IN (SELECT collection FROM record_changes)";
    loop {
        // This scans the table, so it should not occupy the writer.
        let mut query = Statement::new("SELECT id FROM collections WHERE ");
        query.push(EMPTY).push(" LIMIT ").push_arg(AT_ONCE);
        let rows = db.fetch(Fresh, query).await?;
        let ids: Vec<i64> = rows.iter().map(|row| row.get("id")).collect::<StoreResult<_>>()?;
        if ids.is_empty() {
            return Ok(());
        }
        let mut delete = Statement::new("DELETE FROM collections WHERE id IN ");
        delete.push_list(ids).push(" AND ").push(EMPTY);
        if db.execute(delete).await? == 0 {
            return Ok(());
        }
    }
}
