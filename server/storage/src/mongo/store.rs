//! The document store in MongoDB.

use super::{MongoDb, RECORD_INDEX, data, errors, record};
use crate::frame::{LARGE, run_blocking};
use async_trait::async_trait;
use futures::TryStreamExt as _;
use izanagi_domain::storage::{
    Constraint, Data, DocumentStore, NewRecord, Record, RecordIndex, RecordPatch, RecordPath,
    RecordWatch, ResumeToken, StoreError, StoreResult, Value,
};
use izanagi_shared::time::Timestamp;
use mongodb::{
    action::Find,
    bson::{Bson, Document, RawBson, RawDocumentBuf, doc},
    options::{Hint, UpdateModifications},
};
use std::sync::atomic::Ordering;

/// A BSON document, without room for what the record has beside its data.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// The result of a write.
enum Written<T> {
    /// The server answered.
    Done(T),
    /// The server answered, but a connection failed during the call: the driver may have sent the
    /// write twice, and the answer be that to the second.
    Twice(T),
}

impl MongoDb {
    /// Runs a read.
    pub(super) async fn read<T: Send>(
        &self,
        read: impl Future<Output = mongodb::error::Result<T>> + Send,
    ) -> StoreResult<T> {
        let answer = self.call(read).await?;
        answer.map_err(|error| errors::of_read(&error, self.records.name()))
    }

    /// Runs a write.
    async fn write<T: Send>(
        &self,
        write: impl Future<Output = mongodb::error::Result<T>> + Send,
    ) -> StoreResult<Written<Result<T, mongodb::error::Error>>> {
        let _call = self.begin().await?;
        let before = self.interruptions.load(Ordering::SeqCst);
        let answer = tokio::time::timeout(self.limit, write).await;
        let interrupted = self.interruptions.load(Ordering::SeqCst) != before;
        match answer {
            Err(_) => Err(StoreError::Unknown(self.no_answer())),
            Ok(Err(error)) if !errors::is_duplicate(&error) => {
                Err(errors::of_write(&error, interrupted))
            }
            Ok(answer) if interrupted => Ok(Written::Twice(answer)),
            Ok(answer) => Ok(Written::Done(answer)),
        }
    }

    /// Runs a write that does the same when it is done twice.
    pub(super) async fn write_idempotent<T: Send>(
        &self,
        write: impl Future<Output = mongodb::error::Result<T>> + Send,
    ) -> StoreResult<T> {
        let (Written::Done(answer) | Written::Twice(answer)) = self.write(write).await?;
        answer.map_err(|error| errors::of_write(&error, false))
    }

    pub(super) fn find(&self, filter: Document) -> Find<'_, RawDocumentBuf> {
        self.records.find(filter)
    }

    pub(super) async fn collect(
        &self,
        find: Find<'_, RawDocumentBuf>,
    ) -> StoreResult<Vec<RawDocumentBuf>> {
        self.read(async { find.await?.try_collect().await }).await
    }

    /// Returns a record, even if it is soft-deleted.
    async fn stored(&self, path: &RecordPath) -> StoreResult<Record> {
        let filter = doc! { "_id": record::id_of(path) };
        let found = self.read(async { self.records.find_one(filter).await }).await?;
        let found = found.ok_or(StoreError::NotFound)?;
        let mut records = decode(vec![found]).await?;
        let record = records.pop().ok_or(StoreError::NotFound)?;
        if record.path != *path {
            return Err(StoreError::Corrupt(format!("{path}: its id leads to {}", record.path)));
        }
        Ok(record)
    }

    /// Updates a record that has the expected version. `is_ours` tells whether a record is what this
    /// update makes of it.
    async fn update_version(
        &self,
        path: &RecordPath,
        expected: u64,
        update: impl Into<UpdateModifications>,
        is_ours: impl Fn(&Record) -> bool + Send + Sync,
    ) -> StoreResult<u64> {
        let next = expected.saturating_add(1);
        let Ok(version) = i64::try_from(expected) else {
            return self.changed(path).await;
        };
        let filter = doc! { "_id": record::id_of(path), "version": version, "deleted": false };
        let update = update.into();
        let written = self.write(async { self.records.update_one(filter, update).await }).await?;
        let (Written::Done(answer) | Written::Twice(answer)) = &written;
        let matched = match answer {
            Ok(answer) => answer.matched_count,
            Err(error) => return Err(errors::of_write(error, false)),
        };
        if matched > 0 {
            return Ok(next);
        }
        if matches!(written, Written::Done(_)) {
            return self.changed(path).await;
        }
        // Another attempt of this call may have made the change.
        let unknown = || StoreError::Unknown(format!("{path}: sent twice, and changed since"));
        match self.stored(path).await {
            Ok(record) if record.version == next && is_ours(&record) => Ok(next),
            Ok(record) if record.version > next => Err(unknown()),
            Ok(record) if record.deleted => Err(StoreError::NotFound),
            Ok(_) => Err(StoreError::Conflict(Constraint::RecordVersion)),
            Err(StoreError::NotFound) => Err(unknown()),
            Err(error) => Err(StoreError::Unknown(error.to_string())),
        }
    }

    /// Determines why an update matched no record.
    async fn changed(&self, path: &RecordPath) -> StoreResult<u64> {
        let filter = doc! { "_id": record::id_of(path), "deleted": { "$ne": true } };
        let find = self.find(filter).projection(doc! { "_id": 1 });
        match self.collect(find).await?.is_empty() {
            true => Err(StoreError::NotFound),
            false => Err(StoreError::Conflict(Constraint::RecordVersion)),
        }
    }

    fn page(
        &self,
        collection: &str,
        after: Option<&str>,
        limit: u32,
        with_deleted: bool,
    ) -> Find<'_, RawDocumentBuf> {
        let mut filter = doc! { "collection": collection };
        if let Some(after) = after {
            let after = record::id_of(&RecordPath::from_parts(collection, after));
            filter.insert("_id", doc! { "$gt": after });
        }
        if !with_deleted {
            filter.insert("deleted", doc! { "$ne": true });
        }
        self.find(filter)
            .sort(doc! { "collection": 1, "_id": 1 })
            .limit(limit.into())
            .hint(Hint::Name(RECORD_INDEX.to_owned()))
    }
}

/// Decodes records, without keeping other tasks waiting.
pub(super) async fn decode(documents: Vec<RawDocumentBuf>) -> StoreResult<Vec<Record>> {
    let bytes: usize = documents.iter().map(|document| document.as_bytes().len()).sum();
    let decode = move || documents.iter().map(|document| record::decode(document)).collect();
    if bytes < LARGE { decode() } else { run_blocking(decode).await }
}

/// Encodes, without keeping other tasks waiting. Refuses what is too large for a document even where
/// it can be compressed, as the other providers do.
pub(super) async fn encoded<T: Send + 'static>(
    data: &Data,
    encode: impl FnOnce() -> StoreResult<T> + Send + 'static,
) -> StoreResult<T> {
    let bytes: usize = data.values().map(bytes_of).sum();
    if bytes > MAX_BYTES {
        return Err(StoreError::Conflict(Constraint::RecordTooLarge));
    }
    if bytes < LARGE { encode() } else { run_blocking(encode).await }
}

fn bytes_of(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(items) => items.iter().map(bytes_of).sum(),
        Value::Map(fields) => fields.values().map(bytes_of).sum(),
        Value::Null | Value::Bool(_) | Value::Int(_) => 8,
    }
}

/// Whether a field can be named in a dotted path.
fn is_plain(field: &str) -> bool {
    !field.is_empty() && !field.starts_with('$') && !field.contains('.')
}

fn bson(value: RawBson) -> StoreResult<Bson> {
    Bson::try_from(value).map_err(|error| StoreError::Corrupt(error.to_string()))
}

#[async_trait]
impl DocumentStore for MongoDb {
    async fn get(&self, path: &RecordPath) -> StoreResult<Record> {
        let record = self.stored(path).await?;
        if record.deleted { Err(StoreError::NotFound) } else { Ok(record) }
    }

    async fn get_many(&self, paths: &[RecordPath]) -> StoreResult<Vec<Record>> {
        let mut found = self.found(paths).await?;
        found.retain(|record| !record.deleted);
        Ok(found)
    }

    async fn get_copies(&self, paths: &[RecordPath]) -> StoreResult<Vec<Record>> {
        self.copies(paths).await
    }

    async fn get_stored(&self, paths: &[RecordPath]) -> StoreResult<Vec<Record>> {
        self.found(paths).await
    }

    async fn collections(&self, after: Option<&str>, limit: u32) -> StoreResult<Vec<String>> {
        self.names(after, limit).await
    }

    async fn replicate(&self, record: &Record) -> StoreResult<()> {
        self.copy(record).await
    }

    async fn create(&self, new: &NewRecord, at: Timestamp) -> StoreResult<()> {
        let record = new.clone();
        let document = encoded(&new.data, move || record::encode(&record, at)).await?;
        let written = self.write(async { self.records.insert_one(&document).await }).await?;
        match written {
            Written::Done(Ok(_)) | Written::Twice(Ok(_)) => Ok(()),
            Written::Done(Err(_)) => Err(StoreError::Conflict(Constraint::RecordExists)),
            // The record may be that of this call's other attempt.
            Written::Twice(Err(_)) => match self.stored(&new.path).await {
                Ok(record) if is_new(&record, new, at) => Ok(()),
                Ok(_) => Err(StoreError::Conflict(Constraint::RecordExists)),
                Err(error) => Err(StoreError::Unknown(error.to_string())),
            },
        }
    }

    async fn update(
        &self,
        path: &RecordPath,
        expected: u64,
        data: &Data,
        at: Timestamp,
    ) -> StoreResult<u64> {
        let fields = data.clone();
        let fields = encoded(data, move || bson(RawBson::Document(data::encode(&fields)?))).await?;
        let next = data::int(i64::try_from(expected.saturating_add(1)).unwrap_or(i64::MAX));
        let set = doc! { "version": bson(next)?, "updatedAt": at.as_micros(), "data": fields };
        let is_ours = |record: &Record| record.updated_at == at && record.data == *data;
        self.update_version(path, expected, doc! { "$set": set }, is_ours).await
    }

    async fn patch(
        &self,
        path: &RecordPath,
        expected: u64,
        patch: &RecordPatch,
        at: Timestamp,
    ) -> StoreResult<u64> {
        let fields = patch.set.keys().chain(&patch.unset);
        if !fields.into_iter().all(|field| is_plain(field)) {
            return self.patch_whole(path, expected, patch, at).await;
        }
        let values = patch.set.clone();
        let values =
            encoded(&patch.set, move || bson(RawBson::Document(data::encode(&values)?))).await?;
        let next = data::int(i64::try_from(expected.saturating_add(1)).unwrap_or(i64::MAX));
        let mut set = doc! { "version": bson(next)?, "updatedAt": at.as_micros() };
        if let Bson::Document(values) = values {
            set.extend(values.into_iter().map(|(field, value)| (format!("data.{field}"), value)));
        }
        let mut update = doc! { "$set": set };
        let unset = patch.unset.iter().filter(|field| !patch.set.contains_key(*field));
        let unset: Document =
            unset.map(|field| (format!("data.{field}"), Bson::from(""))).collect();
        if !unset.is_empty() {
            update.insert("$unset", unset);
        }
        let is_ours = |record: &Record| {
            let mut patched = record.data.clone();
            patch.apply(&mut patched);
            record.updated_at == at && record.data == patched
        };
        self.update_version(path, expected, update, is_ours).await
    }

    async fn delete(&self, path: &RecordPath, at: Timestamp) -> StoreResult<()> {
        let filter = doc! { "_id": record::id_of(path), "deleted": { "$ne": true } };
        let set = doc! { "deleted": true, "updatedAt": at.as_micros() };
        let update = doc! { "$set": set, "$inc": { "version": 1 } };
        self.write_idempotent(async { self.records.update_one(filter, update).await })
            .await
            .map(drop)
    }

    async fn purge(&self, path: &RecordPath) -> StoreResult<()> {
        self.purge_if(path, Document::new()).await
    }

    async fn query(
        &self,
        RecordIndex::CollectionId: RecordIndex,
        collection: &str,
        after: Option<&str>,
        limit: u32,
        with_deleted: bool,
    ) -> StoreResult<Vec<Record>> {
        decode(self.collect(self.page(collection, after, limit, with_deleted)).await?).await
    }

    async fn paths(
        &self,
        RecordIndex::CollectionId: RecordIndex,
        collection: &str,
        after: Option<&str>,
        limit: u32,
        with_deleted: bool,
    ) -> StoreResult<Vec<RecordPath>> {
        let page = self.page(collection, after, limit, with_deleted);
        let page = page.projection(doc! { "fullpath": 1, "collection": 1 });
        self.collect(page).await?.iter().map(|document| record::path(document)).collect()
    }

    async fn watch(
        &self,
        collection: Option<&str>,
        after: Option<&ResumeToken>,
    ) -> StoreResult<Box<dyn RecordWatch>> {
        Ok(Box::new(self.begin_watch(collection, after).await?))
    }

    /// The server forgets changes by itself.
    async fn forget(&self, now: Timestamp) -> StoreResult<()> {
        self.forget_deleted(now.minus(self.retention)).await
    }

    async fn close(&self) {
        self.shut_down().await;
    }
}

/// Whether a stored record is as it was created.
fn is_new(record: &Record, new: &NewRecord, at: Timestamp) -> bool {
    let times = (record.created_at, record.updated_at) == (at, at);
    times && record.version == 1 && !record.deleted && record.data == new.data
}
