//! The document store in SQL.

use super::{
    database::{Database, Transaction as _},
    id_bytes,
    payload::{self, Payload},
    record_changes::{self, SqlWatch},
    record_copies, record_retention,
    row::Row,
    statement::{Statement, args},
};
use async_trait::async_trait;
use izanagi_domain::storage::{
    Constraint, Data, DocumentStore,
    Freshness::{self, Fresh},
    NewRecord, Record, RecordChangeKind, RecordIndex, RecordPatch, RecordPath, RecordWatch,
    ResumeToken, StoreError, StoreResult,
};
use izanagi_shared::time::Timestamp;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// Ids per query; SQLite allows 32,766 arguments.
const IDS: usize = 1_000;

/// Subquery for the number of the collection named `$1`.
macro_rules! collection {
    () => {
        "(SELECT id FROM collections WHERE name = $1)"
    };
}

pub(crate) struct SqlRecords<D> {
    db: Arc<D>,
    /// How long soft-deleted records are kept.
    retention: Duration,
    closed: Arc<AtomicBool>,
}

impl<D: Database> SqlRecords<D> {
    pub(crate) fn new(db: Arc<D>, retention: Duration) -> Self {
        Self { db, retention, closed: Arc::default() }
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
                " AND id = $2 AND deleted = $3"
            ),
            args![path.collection(), id_bytes::to_bytes(path.id()), false],
        );
        self.db()?.fetch_one(Fresh, found).await?;
        Err(StoreError::Conflict(Constraint::RecordVersion))
    }

    /// Runs an update of a record and, if it changed a row, what follows from that; returns the
    /// number of changed rows.
    async fn change(&self, update: Statement, follow: Vec<Statement>) -> StoreResult<u64> {
        self.db()?
            .write(move |transaction| {
                let (update, follow) = (update.clone(), follow.clone());
                Box::pin(async move {
                    let changed = transaction.execute(update).await?;
                    if changed > 0 {
                        follow.into_iter().for_each(|statement| transaction.later(statement));
                    }
                    Ok(changed)
                })
            })
            .await
    }

    /// Runs an update that makes a new version of a record.
    async fn replace(
        &self,
        path: &RecordPath,
        version: u64,
        update: Statement,
        body: Option<Vec<u8>>,
    ) -> StoreResult<u64> {
        let body = payload::replace_body(path, body);
        let note = record_changes::note(path, version, RecordChangeKind::Updated);
        match self.change(update, vec![body, note]).await? {
            0 => self.changed(path).await,
            _ => Ok(version),
        }
    }

    /// Returns the existing records among these paths, soft-deleted ones only if `with_deleted` is set.
    async fn found(
        &self,
        freshness: Freshness,
        paths: &[RecordPath],
        with_deleted: bool,
    ) -> StoreResult<Vec<Record>> {
        let mut by_collection: BTreeMap<&str, Vec<Vec<u8>>> = BTreeMap::new();
        for path in paths {
            by_collection.entry(path.collection()).or_default().push(id_bytes::to_bytes(path.id()));
        }
        let mut found = Vec::with_capacity(paths.len());
        for (collection, ids) in by_collection {
            for ids in ids.chunks(IDS) {
                let mut query = select(RECORD, collection);
                query.push(" AND r.id IN ").push_list(ids.iter().cloned());
                if !with_deleted {
                    query.push(" AND r.deleted = ").push_arg(false);
                }
                found.extend(self.select_as(freshness, collection, query).await?);
            }
        }
        Ok(found)
    }

    async fn select(&self, collection: &str, query: Statement) -> StoreResult<Vec<Record>> {
        self.select_as(Fresh, collection, query).await
    }

    async fn select_as(
        &self,
        freshness: Freshness,
        collection: &str,
        query: Statement,
    ) -> StoreResult<Vec<Record>> {
        let mut rows = self.db()?.fetch(freshness, query).await?;
        let stored: StoreResult<_> = rows.iter_mut().map(|row| row.take("data")).collect();
        let decoded = payload::decode_all(stored?).await?;
        rows.iter().zip(decoded).map(|(row, data)| record(collection, row, data)).collect()
    }
}

/// Columns of [`record`]. The body is only looked up for rows without data.
const RECORD: &str = "r.id, r.version, r.created_at, r.updated_at, r.deleted, COALESCE(r.data, \
                      (SELECT b.data FROM record_bodies b \
                      WHERE b.collection = r.collection AND b.id = r.id)) AS data";

/// Starts a query over a collection; a condition on `r.id` may follow.
fn select(columns: &str, collection: &str) -> Statement {
    let mut query = Statement::new("SELECT ");
    query.push(columns).push(" FROM records r WHERE r.collection = ");
    query.push("(SELECT id FROM collections WHERE name = ").push_arg(collection).push(")");
    query
}

/// Restricts a query to one page of a collection.
fn page(query: &mut Statement, after: Option<&str>, limit: u32, with_deleted: bool) {
    if let Some(after) = after {
        query.push(" AND r.id > ").push_arg(id_bytes::to_bytes(after));
    }
    if !with_deleted {
        query.push(" AND r.deleted = ").push_arg(false);
    }
    query.push(" ORDER BY r.id LIMIT ").push_arg(limit);
}

fn path(collection: &str, row: &Row) -> StoreResult<RecordPath> {
    Ok(RecordPath::from_parts(collection, id_bytes::from_bytes(&row.get::<Vec<u8>>("id")?)?))
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
        self.found(Fresh, paths, false).await
    }

    async fn get_copies(&self, paths: &[RecordPath]) -> StoreResult<Vec<Record>> {
        let mut found = self.found(Freshness::Stale, paths, false).await?;
        let is_missing = |path: &&RecordPath| found.iter().all(|record| record.path != **path);
        let missing: Vec<RecordPath> = paths.iter().filter(is_missing).cloned().collect();
        found.extend(self.found(Fresh, &missing, false).await?);
        Ok(found)
    }

    async fn get_stored(&self, paths: &[RecordPath]) -> StoreResult<Vec<Record>> {
        self.found(Fresh, paths, true).await
    }

    async fn collections(&self, after: Option<&str>, limit: u32) -> StoreResult<Vec<String>> {
        record_copies::collections(self.db()?, after, limit).await
    }

    async fn replicate(&self, record: &Record) -> StoreResult<()> {
        record_copies::replicate(self.db()?, record).await
    }

    async fn create(&self, record: &NewRecord, at: Timestamp) -> StoreResult<()> {
        let insert = payload::insert(record, at).await?;
        self.db()?.execute_all(insert).await
    }

    async fn update(
        &self,
        path: &RecordPath,
        expected: u64,
        data: &Data,
        at: Timestamp,
    ) -> StoreResult<u64> {
        let next = expected.saturating_add(1);
        let (data, body) = Payload::encode(data).await?.split();
        let update = Statement::with(
            concat!(
                "UPDATE records SET version = $4, updated_at = $5, data = $6 WHERE collection = ",
                collection!(),
                " AND id = $2 AND version = $3 AND deleted = $7"
            ),
            args![
                path.collection(),
                id_bytes::to_bytes(path.id()),
                expected,
                next,
                at,
                data,
                false,
            ],
        );
        self.replace(path, next, update, body).await
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
        let id = id_bytes::to_bytes(path.id());
        let mut query = select(RECORD, path.collection());
        query.push(" AND r.id = ").push_arg(id.clone()).push(" AND r.deleted = ").push_arg(false);
        let record = self.select(path.collection(), query).await?.pop();
        let mut record = record.ok_or(StoreError::NotFound)?;
        if record.version != expected {
            return Err(StoreError::Conflict(Constraint::RecordVersion));
        }
        patch.apply(&mut record.data);
        let next = expected.saturating_add(1);
        let (data, body) = Payload::encode(&record.data).await?.split();
        let update = Statement::with(
            concat!(
                "UPDATE records SET version = $6, updated_at = $7, data = $8 WHERE collection = ",
                collection!(),
                " AND id = $2 AND version = $3 AND created_at = $4 AND updated_at = $5 \
                 AND deleted = $9"
            ),
            args![
                path.collection(),
                id,
                expected,
                record.created_at,
                record.updated_at,
                next,
                at,
                data,
                false,
            ],
        );
        self.replace(path, next, update, body).await
    }

    async fn delete(&self, path: &RecordPath, at: Timestamp) -> StoreResult<()> {
        let update = Statement::with(
            concat!(
                "UPDATE records SET deleted = $3, version = version + 1, updated_at = $4 \
                 WHERE collection = ",
                collection!(),
                " AND id = $2 AND deleted <> $3"
            ),
            args![path.collection(), id_bytes::to_bytes(path.id()), true, at],
        );
        let note = record_changes::note_stored(path, RecordChangeKind::Deleted);
        self.change(update, vec![note]).await.map(drop)
    }

    async fn purge(&self, path: &RecordPath) -> StoreResult<()> {
        record_retention::purge(self.db()?, vec![path.clone()], None).await
    }

    async fn query(
        &self,
        RecordIndex::CollectionId: RecordIndex,
        collection: &str,
        after: Option<&str>,
        limit: u32,
        with_deleted: bool,
    ) -> StoreResult<Vec<Record>> {
        let mut query = select(RECORD, collection);
        page(&mut query, after, limit, with_deleted);
        self.select(collection, query).await
    }

    async fn paths(
        &self,
        RecordIndex::CollectionId: RecordIndex,
        collection: &str,
        after: Option<&str>,
        limit: u32,
        with_deleted: bool,
    ) -> StoreResult<Vec<RecordPath>> {
        let mut query = select("r.id", collection);
        page(&mut query, after, limit, with_deleted);
        let rows = self.db()?.fetch(Fresh, query).await?;
        rows.iter().map(|row| path(collection, row)).collect()
    }

    async fn watch(
        &self,
        collection: Option<&str>,
        after: Option<&ResumeToken>,
    ) -> StoreResult<Box<dyn RecordWatch>> {
        self.db()?;
        let (db, closed) = (Arc::clone(&self.db), Arc::clone(&self.closed));
        Ok(Box::new(SqlWatch::begin(db, closed, collection, after).await?))
    }

    async fn forget(&self, now: Timestamp) -> StoreResult<()> {
        let before = now.minus(self.retention);
        record_retention::forget_deleted(self.db()?, before).await?;
        record_retention::forget_changes(self.db()?, now).await?;
        record_retention::forget_collections(self.db()?).await
    }

    /// The connections are shared with the other stores and close when all of them are closed.
    async fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }
}
