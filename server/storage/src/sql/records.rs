//! The document store in SQL.

use super::{
    database::Database,
    payload,
    row::Row,
    statement::{Statement, args},
};
use async_trait::async_trait;
use izanagi_domain::storage::{
    Constraint, Data, DocumentStore, Freshness::Fresh, NewRecord, Record, RecordIndex, RecordPatch,
    RecordPath, StoreError, StoreResult,
};
use izanagi_shared::time::Timestamp;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// Keys per query; SQLite allows 32,766 arguments.
const KEYS: usize = 1_000;

/// Subquery for the number of the collection named `$1`.
macro_rules! collection {
    () => {
        "(SELECT id FROM collections WHERE name = $1)"
    };
}

pub(crate) struct SqlRecords<D> {
    db: Arc<D>,
    closed: AtomicBool,
}

impl<D: Database> SqlRecords<D> {
    pub(crate) fn new(db: Arc<D>) -> Self {
        Self { db, closed: AtomicBool::new(false) }
    }

    fn db(&self) -> StoreResult<&D> {
        if self.closed.load(Ordering::Acquire) {
            return Err(StoreError::Unavailable("the document store is closed".to_owned()));
        }
        Ok(&self.db)
    }

    /// Determines why an update changed no row.
    async fn changed(&self, path: &RecordPath) -> StoreResult<u64> {
        let found = Statement::with(
            concat!(
                "SELECT 1 FROM records WHERE collection = ",
                collection!(),
                " AND key = $2 AND deleted = $3"
            ),
            args![path.collection(), payload::key(path)?, false],
        );
        self.db()?.fetch_one(Fresh, found).await?;
        Err(StoreError::Conflict(Constraint::RecordVersion))
    }

    async fn select(&self, collection: &str, query: Statement) -> StoreResult<Vec<Record>> {
        let mut rows = self.db()?.fetch(Fresh, query).await?;
        let stored: StoreResult<_> = rows.iter_mut().map(|row| row.take("data")).collect();
        let decoded = payload::decode_all(stored?).await?;
        rows.iter().zip(decoded).map(|(row, data)| record(collection, row, data)).collect()
    }
}

/// Starts a query for [`record`]; a condition on `key` may follow.
const SELECT: &str = "SELECT id_uuid, id_text, version, created_at, updated_at, deleted, data \
                      FROM records WHERE collection = ";

fn select(columns: &'static str, collection: &str) -> Statement {
    let mut query = Statement::new(columns);
    query.push("(SELECT id FROM collections WHERE name = ").push_arg(collection).push(")");
    query
}

/// Restricts a query to one page of a collection.
fn page(
    query: &mut Statement,
    after: Option<&str>,
    limit: u32,
    with_deleted: bool,
) -> StoreResult<()> {
    if let Some(after) = after {
        query.push(" AND key > ").push_arg(payload::parse_key(after)?);
    }
    if !with_deleted {
        query.push(" AND deleted = ").push_arg(false);
    }
    query.push(" ORDER BY key LIMIT ").push_arg(limit);
    Ok(())
}

fn path(collection: &str, row: &Row) -> StoreResult<RecordPath> {
    Ok(RecordPath::from_parts(collection, payload::id_of(row)?))
}

fn record(collection: &str, row: &Row, data: Data) -> StoreResult<Record> {
    Ok(Record {
        path: path(collection, row)?,
        version: row.get("version")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
        deleted: row.get("deleted")?,
        data,
    })
}

#[async_trait]
impl<D: Database> DocumentStore for SqlRecords<D> {
    async fn get(&self, path: &RecordPath) -> StoreResult<Record> {
        self.get_many(std::slice::from_ref(path)).await?.pop().ok_or(StoreError::NotFound)
    }

    async fn get_many(&self, paths: &[RecordPath]) -> StoreResult<Vec<Record>> {
        let mut by_collection: BTreeMap<&str, Vec<Vec<u8>>> = BTreeMap::new();
        for path in paths {
            by_collection.entry(path.collection()).or_default().push(payload::key(path)?);
        }
        let mut found = Vec::with_capacity(paths.len());
        for (collection, keys) in by_collection {
            for keys in keys.chunks(KEYS) {
                let mut query = select(SELECT, collection);
                query.push(" AND key IN ").push_list(keys.iter().cloned());
                query.push(" AND deleted = ").push_arg(false);
                found.extend(self.select(collection, query).await?);
            }
        }
        Ok(found)
    }

    async fn create(&self, record: &NewRecord, at: Timestamp) -> StoreResult<()> {
        let insert = payload::insert(record, at).await?;
        self.db()?.execute_all(insert.into()).await
    }

    async fn update(
        &self,
        path: &RecordPath,
        expected: u64,
        data: &Data,
        at: Timestamp,
    ) -> StoreResult<u64> {
        let (db, key) = (self.db()?, payload::key(path)?);
        let next = expected.saturating_add(1);
        let update = Statement::with(
            concat!(
                "UPDATE records SET version = $4, updated_at = $5, data = $6 WHERE collection = ",
                collection!(),
                " AND key = $2 AND version = $3 AND deleted = $7"
            ),
            args![path.collection(), key, expected, next, at, payload::encode(data).await?, false,],
        );
        match db.execute(update).await? {
            0 => self.changed(path).await,
            _ => Ok(next),
        }
    }

    /// Read and write need no common transaction: the write applies only to the state that was
    /// read, which version and times identify even if the record was purged and recreated. This
    /// keeps decoding and compressing a large record out of the writer.
    async fn patch(
        &self,
        path: &RecordPath,
        expected: u64,
        patch: &RecordPatch,
        at: Timestamp,
    ) -> StoreResult<u64> {
        let (db, key) = (self.db()?, payload::key(path)?);
        let mut query = select(SELECT, path.collection());
        query.push(" AND key = ").push_arg(key.clone()).push(" AND deleted = ").push_arg(false);
        let record = self.select(path.collection(), query).await?.pop();
        let mut record = record.ok_or(StoreError::NotFound)?;
        if record.version != expected {
            return Err(StoreError::Conflict(Constraint::RecordVersion));
        }
        patch.apply(&mut record.data);
        let next = expected.saturating_add(1);
        let update = Statement::with(
            concat!(
                "UPDATE records SET version = $6, updated_at = $7, data = $8 WHERE collection = ",
                collection!(),
                " AND key = $2 AND version = $3 AND created_at = $4 AND updated_at = $5 \
                 AND deleted = $9"
            ),
            args![
                path.collection(),
                key,
                expected,
                record.created_at,
                record.updated_at,
                next,
                at,
                payload::encode(&record.data).await?,
                false,
            ],
        );
        match db.execute(update).await? {
            0 => self.changed(path).await,
            _ => Ok(next),
        }
    }

    async fn delete(&self, path: &RecordPath, at: Timestamp) -> StoreResult<()> {
        let update = Statement::with(
            concat!(
                "UPDATE records SET deleted = $3, version = version + 1, updated_at = $4 \
                 WHERE collection = ",
                collection!(),
                " AND key = $2 AND deleted <> $3"
            ),
            args![path.collection(), payload::key(path)?, true, at],
        );
        self.db()?.execute(update).await.map(drop)
    }

    async fn purge(&self, path: &RecordPath) -> StoreResult<()> {
        let delete = Statement::with(
            concat!("DELETE FROM records WHERE collection = ", collection!(), " AND key = $2"),
            args![path.collection(), payload::key(path)?],
        );
        let forget = Statement::with(
            "DELETE FROM collections WHERE name = $1 \
             AND NOT EXISTS (SELECT 1 FROM records r WHERE r.collection = collections.id)",
            args![path.collection()],
        );
        self.db()?.execute_all(vec![delete, forget]).await
    }

    async fn query(
        &self,
        RecordIndex::CollectionKey: RecordIndex,
        collection: &str,
        after: Option<&str>,
        limit: u32,
        with_deleted: bool,
    ) -> StoreResult<Vec<Record>> {
        let mut query = select(SELECT, collection);
        page(&mut query, after, limit, with_deleted)?;
        self.select(collection, query).await
    }

    async fn paths(
        &self,
        RecordIndex::CollectionKey: RecordIndex,
        collection: &str,
        after: Option<&str>,
        limit: u32,
        with_deleted: bool,
    ) -> StoreResult<Vec<RecordPath>> {
        let columns = "SELECT id_uuid, id_text FROM records WHERE collection = ";
        let mut query = select(columns, collection);
        page(&mut query, after, limit, with_deleted)?;
        let rows = self.db()?.fetch(Fresh, query).await?;
        rows.iter().map(|row| path(collection, row)).collect()
    }

    /// The connections are shared with the other stores and close when all of them are closed.
    async fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }
}
