//! Retention of the document store: soft-deleted records, noted changes, names of collections.

use super::{
    database::{Database, Transaction as _},
    id_bytes,
    record_changes::{self, USED},
    row::Row,
    statement::{Statement, args},
};
use izanagi_domain::storage::{
    Freshness::Fresh, RecordChangeKind::Purged, RecordPath, StoreResult,
};
use izanagi_shared::time::Timestamp;
use std::time::Duration;

/// Rows handled per transaction.
const AT_ONCE: u32 = 1_000;

/// Records removed per transaction: with them go their payloads.
const TOGETHER: usize = 100;

/// How long changes are kept for watches that are interrupted.
const CHANGES_KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Removes soft-deleted records that have not changed since `before`. What is damaged is skipped: the
/// others would stay with it.
pub(super) async fn forget_deleted(db: &impl Database, before: Timestamp) -> StoreResult<()> {
    let mut after = None;
    loop {
        let rows = db.fetch(Fresh, deleted_before(before, after.as_ref())).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        let next = (last.get("updated_at")?, last.get("collection")?, last.get("id")?);
        let mut paths = Vec::with_capacity(rows.len());
        for row in &rows {
            match path(row) {
                Ok(path) => paths.push(path),
                Err(error) => tracing::error!(%error, "a damaged record is not removed"),
            }
        }
        for paths in paths.chunks(TOGETHER) {
            purge(db, paths.to_vec(), Some(before)).await?;
        }
        after = Some(next);
    }
}

/// A row among those that were deleted: its time, collection and id.
type Deleted = (Timestamp, i64, Vec<u8>);

fn deleted_before(before: Timestamp, after: Option<&Deleted>) -> Statement {
    let mut query = Statement::with(
        "SELECT r.updated_at, r.collection, c.name, r.id \
         FROM records r JOIN collections c ON c.id = r.collection \
         WHERE r.deleted AND r.updated_at < $1",
        args![before],
    );
    if let Some((at, collection, id)) = after {
        query.push(" AND (r.updated_at, r.collection, r.id) > (").push_arg(*at);
        query.push(", ").push_arg(*collection).push(", ").push_arg(id.clone()).push(")");
    }
    query.push(" ORDER BY r.updated_at, r.collection, r.id LIMIT ").push_arg(AT_ONCE);
    query
}

fn path(row: &Row) -> StoreResult<RecordPath> {
    let id = id_bytes::from_bytes(&row.get::<Vec<u8>>("id")?)?;
    Ok(RecordPath::from_parts(row.get::<String>("name")?, id))
}

/// Removes records, or only those that were deleted before a time, and notes their end. A record is
/// locked by its removal before its end is noted, so that no change of it can come between.
pub(super) async fn purge(
    db: &impl Database,
    paths: Vec<RecordPath>,
    deleted_before: Option<Timestamp>,
) -> StoreResult<()> {
    db.write(move |transaction| {
        let paths = paths.clone();
        Box::pin(async move {
            for path in &paths {
                let mut delete = Statement::with(
                    "DELETE FROM records \
                     WHERE collection = (SELECT id FROM collections WHERE name = $1) AND id = $2",
                    args![path.collection(), id_bytes::to_bytes(path.id())],
                );
                if let Some(before) = deleted_before {
                    delete.push(" AND deleted AND updated_at < ").push_arg(before);
                }
                delete.push(" RETURNING version");
                if let Some(row) = transaction.fetch_optional(delete).await? {
                    // A record whose version is damaged can be removed, too.
                    let version = row.get::<u64>("version").unwrap_or_default().saturating_add(1);
                    transaction.later(record_changes::note(path, version, Purged));
                }
            }
            Ok(())
        })
    })
    .await
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
