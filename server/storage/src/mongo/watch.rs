//! Following the changes of records by change streams.

use super::{MongoDb, errors, record};
use async_trait::async_trait;
use izanagi_domain::storage::{
    RecordChange, RecordChangeKind, RecordPath, RecordWatch, ResumeToken, StoreError, StoreResult,
};
use mongodb::{
    bson::{Document, RawDocument, RawDocumentBuf, doc},
    change_stream::{ChangeStream, event::ResumeToken as Position},
    options::FullDocumentType,
};
use std::{sync::Arc, time::Duration};

/// Changes per reply, which bounds what a watch holds.
const PAGE: u32 = 256;
/// How long the server waits for a change before it answers.
const PATIENCE: Duration = Duration::from_secs(1);

/// Follows the changes.
pub(super) struct MongoWatch {
    stream: ChangeStream<RawDocumentBuf>,
    db: Arc<WatchEnd>,
    collection: Option<String>,
    store: String,
    token: ResumeToken,
}

/// Tells a watch that its store is closed.
pub(super) type WatchEnd = std::sync::atomic::AtomicBool;

impl MongoDb {
    pub(super) async fn begin_watch(
        &self,
        collection: Option<&str>,
        after: Option<&ResumeToken>,
    ) -> StoreResult<MongoWatch> {
        let store = format!("mongo.{}", self.store);
        let position = after.map(|token| parse(token, &store)).transpose()?;
        let resumes = position.is_some();
        let mut watch = self
            .records
            .watch()
            .pipeline(pipeline(collection))
            // Updates tell only what they changed; the path is in the record.
            .full_document(FullDocumentType::UpdateLookup)
            .max_await_time(PATIENCE)
            .batch_size(PAGE);
        if let Some(position) = position {
            watch = watch.resume_after(position);
        }
        let opened = self.call(async { watch.await }).await?;
        let stream = opened
            .map_err(|error| {
                if resumes && errors::is_position_lost(&error) {
                    return start_over(&errors::text(&error));
                }
                errors::of_read(&error, self.records.name())
            })?
            .with_type::<RawDocumentBuf>();
        let token = match (after, stream.resume_token()) {
            (Some(token), _) => token.clone(),
            (None, Some(position)) => write(&position, &store)?,
            (None, None) => {
                let why = "the server does not tell the position of a change stream";
                return Err(StoreError::Unavailable(why.to_owned()));
            }
        };
        let (db, collection) = (Arc::clone(&self.closed), collection.map(str::to_owned));
        Ok(MongoWatch { stream, db, collection, store, token })
    }
}

/// Keeps only what is needed of an event. What ends a stream must pass.
fn pipeline(collection: Option<&str>) -> [Document; 2] {
    let mut of_records = doc! { "operationType": { "$in": ["insert", "update", "replace"] } };
    if let Some(collection) = collection {
        of_records.insert(
            "$or",
            [
                doc! { "fullDocument.collection": collection },
                doc! { "updateDescription.updatedFields.purged": { "$exists": true } },
            ],
        );
    }
    let end = doc! { "operationType": { "$in": ["drop", "rename", "dropDatabase", "invalidate"] } };
    [
        doc! { "$match": { "$or": [of_records, end] } },
        doc! { "$project": {
            "operationType": 1,
            "documentKey": 1,
            "fullDocument._id": 1,
            "fullDocument.fullpath": 1,
            "fullDocument.collection": 1,
            "fullDocument.version": 1,
            "updateDescription.updatedFields.version": 1,
            "updateDescription.updatedFields.deleted": 1,
            "updateDescription.updatedFields.purged": 1,
        } },
    ]
}

#[async_trait]
impl RecordWatch for MongoWatch {
    async fn next(&mut self) -> StoreResult<RecordChange> {
        loop {
            if self.db.load(std::sync::atomic::Ordering::Acquire) {
                return Err(StoreError::Unavailable("the document store is closed".to_owned()));
            }
            let event = match self.stream.next_if_any().await {
                Ok(event) => event,
                Err(error) if errors::is_position_lost(&error) => {
                    return Err(start_over(&errors::text(&error)));
                }
                Err(error) => return Err(StoreError::Unavailable(errors::text(&error))),
            };
            let change = event.as_deref().map(change).transpose();
            // Also without an event: of a quiet watch, the position of its last event is forgotten some
            // day. With each answer the server tells how far it has looked.
            if let Some(position) = self.stream.resume_token() {
                self.token = write(&position, &self.store)?;
            }
            if event.is_none() && !self.stream.is_alive() {
                return Err(StoreError::Unavailable("the change stream ended".to_owned()));
            }
            let change = match change {
                Ok(change) => change.flatten(),
                // The others would wait for it for ever.
                Err(StoreError::Corrupt(why)) => {
                    tracing::error!(why, "a damaged change of a record was skipped");
                    None
                }
                Err(error) => return Err(error),
            };
            let is_watched = |change: &RecordChange| {
                self.collection.as_deref().is_none_or(|watched| watched == change.path.collection())
            };
            if let Some(change) = change.filter(is_watched) {
                return Ok(change);
            }
        }
    }

    fn token(&self) -> ResumeToken {
        self.token.clone()
    }
}

/// Decodes an event; `None` if a later one of the same record says all of it.
fn change(event: &RawDocument) -> StoreResult<Option<RecordChange>> {
    let operation = event.get_str("operationType").unwrap_or_default();
    let current = event.get_document("fullDocument").ok();
    let updated = event
        .get_document("updateDescription")
        .and_then(|description| description.get_document("updatedFields"))
        .ok();
    let (kind, path) = match (operation, updated) {
        ("insert", _) => (RecordChangeKind::Created, current.map(record::path).transpose()?),
        ("update", Some(fields)) => match fields.get_str("purged") {
            Ok(path) => (RecordChangeKind::Purged, Some(split(path)?)),
            // A record that is gone by now was purged, of which an event follows.
            Err(_) => (
                match fields.get_bool("deleted") {
                    Ok(true) => RecordChangeKind::Deleted,
                    _ => RecordChangeKind::Updated,
                },
                current.map(record::path).transpose()?,
            ),
        },
        ("update" | "replace", _) => {
            (RecordChangeKind::Updated, current.map(record::path).transpose()?)
        }
        _ => return Err(start_over("the collection was dropped or renamed")),
    };
    let version = match updated {
        Some(fields) => number(fields, "version"),
        None => current.and_then(|current| number(current, "version")),
    };
    Ok(path.map(|path| RecordChange { path, version: version.unwrap_or(0), kind }))
}

fn number(document: &RawDocument, field: &str) -> Option<u64> {
    let value = document.get(field).ok().flatten()?;
    let value = value.as_i64().or_else(|| value.as_i32().map(i64::from))?;
    u64::try_from(value).ok()
}

fn split(path: &str) -> StoreResult<RecordPath> {
    let (collection, id) = path
        .rsplit_once('/')
        .ok_or_else(|| StoreError::Corrupt(format!("the path {path:?} of a purged record")))?;
    Ok(RecordPath::from_parts(collection, id))
}

fn start_over(why: &str) -> StoreError {
    StoreError::StartOver(why.to_owned())
}

/// The position of the driver as text: its BSON in hex, behind the identity of the store.
fn write(position: &Position, store: &str) -> StoreResult<ResumeToken> {
    let bytes = mongodb::bson::serialize_to_vec(position)
        .map_err(|error| StoreError::Unavailable(error.to_string()))?;
    Ok(ResumeToken::new(format!("{store}.{}", record::hex(&bytes))))
}

fn parse(token: &ResumeToken, store: &str) -> StoreResult<Position> {
    let foreign = || start_over("the position is not one of this document store");
    let hex = token.as_str().strip_prefix(store).and_then(|rest| rest.strip_prefix('.'));
    let bytes = hex.and_then(from_hex).ok_or_else(foreign)?;
    mongodb::bson::deserialize_from_slice(&bytes).map_err(|_| foreign())
}

fn from_hex(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect::<Option<Vec<u8>>>()
        .filter(|_| hex.len().is_multiple_of(2))
}
