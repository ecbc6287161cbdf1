//! The document store: records in collections (“what” in DESIGN §3).

use super::{Data, RecordWatch, ResumeToken, StoreResult, Value};
use async_trait::async_trait;
use izanagi_shared::{
    id::{CommitId, DocumentId},
    time::Timestamp,
};
use std::fmt;
use uuid::Uuid;

/// Path of a record: `collection/id`. Segments are ids and fixed words, never user text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordPath {
    collection: String,
    id: String,
}

impl RecordPath {
    /// The content of one commit: `documents/{document}/contents/{commit}`.
    #[must_use]
    pub fn content(document: DocumentId, commit: CommitId) -> Self {
        Self { collection: Self::contents_of(document), id: commit.to_string() }
    }

    /// One chunk of content too large for a single record: `…/contents/{commit}/chunks/{index}`.
    #[must_use]
    pub fn chunk(document: DocumentId, commit: CommitId, index: usize) -> Self {
        Self { collection: Self::chunks_of(document, commit), id: format!("{index:04}") }
    }

    /// The collection of a content's chunks.
    #[must_use]
    pub fn chunks_of(document: DocumentId, commit: CommitId) -> String {
        format!("{}/{commit}/chunks", Self::contents_of(document))
    }

    /// The collection of a document's contents.
    #[must_use]
    pub fn contents_of(document: DocumentId) -> String {
        format!("documents/{document}/contents")
    }

    /// One part of a segment of edit history: `documents/{document}/edits/{segment}-{part}`.
    #[must_use]
    pub fn edits(document: DocumentId, segment: Uuid, part: u64) -> Self {
        Self { collection: Self::edits_of(document), id: format!("{segment}-{part:04}") }
    }

    /// The collection of a document's edit history.
    #[must_use]
    pub fn edits_of(document: DocumentId) -> String {
        format!("documents/{document}/edits")
    }

    /// Builds a path from the parts stored by a provider.
    #[must_use]
    pub fn from_parts(collection: impl Into<String>, id: impl Into<String>) -> Self {
        Self { collection: collection.into(), id: id.into() }
    }

    /// Returns the collection.
    #[must_use]
    pub fn collection(&self) -> &str {
        &self.collection
    }

    /// Returns the last segment.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl fmt::Display for RecordPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.collection, self.id)
    }
}

/// A record to create.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRecord {
    /// Its path.
    pub path: RecordPath,
    /// Its data.
    pub data: Data,
}

/// A partial update. Fields not mentioned keep their values.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RecordPatch {
    /// Fields to set.
    pub set: Data,
    /// Fields to remove. Missing fields are ignored.
    pub unset: Vec<String>,
}

impl RecordPatch {
    /// Returns the patch that turns `old` into `new`.
    #[must_use]
    pub fn between(old: &Data, new: &Data) -> Self {
        let is_new = |(field, value): &(&String, &Value)| old.get(*field) != Some(*value);
        let set = new.iter().filter(is_new).map(|(field, value)| (field.clone(), value.clone()));
        let unset = old.keys().filter(|field| !new.contains_key(*field)).cloned();
        Self { set: set.collect(), unset: unset.collect() }
    }

    /// Applies the patch.
    pub fn apply(&self, data: &mut Data) {
        self.unset.iter().for_each(|field| drop(data.remove(field)));
        data.extend(self.set.iter().map(|(field, value)| (field.clone(), value.clone())));
    }
}

/// Indexes available to queries. If a provider lacks the index of a query, the query fails with
/// `Unavailable`, and the message contains the statement that creates the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecordIndex {
    /// By collection, then in an order of the provider's choice that never changes.
    CollectionId,
}

/// A stored record.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its path.
    pub path: RecordPath,
    /// 1 when created, incremented by every update.
    pub version: u64,
    /// Creation time.
    pub created_at: Timestamp,
    /// Time of the last update.
    pub updated_at: Timestamp,
    /// Whether it is soft-deleted: hidden from `get`, kept until purged.
    pub deleted: bool,
    /// Its data.
    pub data: Data,
}

/// A store of records. Reads return the newest acknowledged write (majority, primary).
#[async_trait]
pub trait DocumentStore: Send + Sync {
    /// Returns the record at `path`; `NotFound` also if it is soft-deleted.
    async fn get(&self, path: &RecordPath) -> StoreResult<Record>;

    /// Returns the existing records among these paths, in no particular order.
    async fn get_many(&self, paths: &[RecordPath]) -> StoreResult<Vec<Record>>;

    /// Like `get_many`, but may return an older state of a record, though never none where there is
    /// one. For what is checked against a hash, or compared before it is changed.
    async fn get_copies(&self, paths: &[RecordPath]) -> StoreResult<Vec<Record>> {
        self.get_many(paths).await
    }

    /// Like `get_many`, but returns soft-deleted records too.
    async fn get_stored(&self, paths: &[RecordPath]) -> StoreResult<Vec<Record>>;

    /// Returns names of collections that may have records, in order of their bytes, after a given
    /// one.
    async fn collections(&self, after: Option<&str>, limit: u32) -> StoreResult<Vec<String>>;

    /// Stores a copy of a record of another store, with its version and times. Does nothing if there
    /// is a record of this version or a newer one. Idempotent.
    async fn replicate(&self, record: &Record) -> StoreResult<()>;

    /// Creates a record at version 1. `Conflict(RecordExists)` if one exists, soft-deleted or not.
    async fn create(&self, record: &NewRecord, at: Timestamp) -> StoreResult<()>;

    /// Replaces the data if the version is `expected`; returns the new version.
    /// `Conflict(RecordVersion)` if the record has another version.
    async fn update(
        &self,
        path: &RecordPath,
        expected: u64,
        data: &Data,
        at: Timestamp,
    ) -> StoreResult<u64>;

    /// Patches fields if the version is `expected`; returns the new version. Only the patch is
    /// transmitted, so that large unchanged fields are not sent again. Atomic like
    /// [`Self::update`]. `Conflict(RecordVersion)` if the record has another version.
    async fn patch(
        &self,
        path: &RecordPath,
        expected: u64,
        patch: &RecordPatch,
        at: Timestamp,
    ) -> StoreResult<u64>;

    /// Soft-deletes a record. Idempotent; a missing record is ignored.
    async fn delete(&self, path: &RecordPath, at: Timestamp) -> StoreResult<()>;

    /// Permanently removes a record. Idempotent.
    async fn purge(&self, path: &RecordPath) -> StoreResult<()>;

    /// Returns records of a collection in index order, after the record with the id `after`, whether
    /// or not it still exists; includes soft-deleted ones if `with_deleted` is set.
    async fn query(
        &self,
        index: RecordIndex,
        collection: &str,
        after: Option<&str>,
        limit: u32,
        with_deleted: bool,
    ) -> StoreResult<Vec<Record>>;

    /// Like `query`, but returns only the paths. The data is not decoded, so that damaged records
    /// can be found and removed.
    async fn paths(
        &self,
        index: RecordIndex,
        collection: &str,
        after: Option<&str>,
        limit: u32,
        with_deleted: bool,
    ) -> StoreResult<Vec<RecordPath>>;

    /// Follows the changes of a collection, or of all: those after a position, or those from now on.
    /// A consumer that has no position begins to watch, reads everything, then follows the changes.
    ///
    /// # Errors
    /// `StartOver` if the position is too old or of another store.
    async fn watch(
        &self,
        collection: Option<&str>,
        after: Option<&ResumeToken>,
    ) -> StoreResult<Box<dyn RecordWatch>>;

    /// Removes what the retention of the store no longer covers at this time: soft-deleted records,
    /// and noted changes that no watch needs any more. To be called daily.
    async fn forget(&self, now: Timestamp) -> StoreResult<()>;

    /// Closes the connections; later calls return `Unavailable`.
    async fn close(&self);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_changes_what_differs() {
        let data = |fields: &[(&str, i64)]| -> Data {
            fields.iter().map(|(field, n)| ((*field).to_owned(), Value::Int(*n))).collect()
        };
        let (old, new) =
            (data(&[("a", 1), ("b", 2), ("c", 3)]), data(&[("a", 1), ("b", 5), ("d", 4)]));
        let patch = RecordPatch::between(&old, &new);
        assert_eq!(
            (&patch.set, patch.unset.as_slice()),
            (&data(&[("b", 5), ("d", 4)]), &["c".to_owned()][..])
        );
        let mut changed = old;
        patch.apply(&mut changed);
        assert_eq!(changed, new);
    }
}
