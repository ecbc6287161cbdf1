//! Copies of records of another store.

use super::{
    database::{Database, Transaction as _},
    id_bytes,
    payload::{self, Payload},
    record_changes,
    statement::{Statement, args},
};
use izanagi_domain::storage::{Freshness::Fresh, Record, RecordChangeKind, StoreResult};

/// Returns names of collections.
pub(super) async fn collections(
    db: &impl Database,
    after: Option<&str>,
    limit: u32,
) -> StoreResult<Vec<String>> {
    let mut query = Statement::new("SELECT name FROM collections");
    if let Some(after) = after {
        query.push(" WHERE name > ").push_arg(after);
    }
    query.push(" ORDER BY name LIMIT ").push_arg(limit);
    db.fetch(Fresh, query).await?.iter().map(|row| row.get("name")).collect()
}

/// Stores a record with its version and times, unless there is one of this version or a newer one.
pub(super) async fn replicate(db: &impl Database, record: &Record) -> StoreResult<()> {
    let path = &record.path;
    let (data, body) = Payload::encode(&record.data).await?.split();
    let collection = Statement::with(
        "INSERT INTO collections (name) VALUES ($1) ON CONFLICT DO NOTHING",
        args![path.collection()],
    );
    let upsert = Statement::with(
        "INSERT INTO records (collection, id, version, created_at, updated_at, deleted, data) \
         VALUES ((SELECT id FROM collections WHERE name = $1), $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (collection, id) DO UPDATE SET version = excluded.version, \
         created_at = excluded.created_at, updated_at = excluded.updated_at, \
         deleted = excluded.deleted, data = excluded.data \
         WHERE records.version < excluded.version",
        args![
            path.collection(),
            id_bytes::to_bytes(path.id()),
            record.version,
            record.created_at,
            record.updated_at,
            record.deleted,
            data,
        ],
    );
    let kind = match record {
        Record { deleted: true, .. } => RecordChangeKind::Deleted,
        Record { version: 1, .. } => RecordChangeKind::Created,
        Record { .. } => RecordChangeKind::Updated,
    };
    let follow =
        [payload::replace_body(path, body), record_changes::note(path, record.version, kind)];
    db.write(move |transaction| {
        let (collection, upsert, follow) = (collection.clone(), upsert.clone(), follow.clone());
        Box::pin(async move {
            transaction.later(collection);
            if transaction.execute(upsert).await? > 0 {
                follow.into_iter().for_each(|statement| transaction.later(statement));
            }
            Ok(())
        })
    })
    .await
}
