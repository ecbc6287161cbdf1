//! The document store: records in collections, the “what” of DESIGN §3.

use super::{Data, StoreResult, Value};
use async_trait::async_trait;
use izanagi_shared::{
    id::{CommitId, DocumentId},
    time::Timestamp,
};
use std::fmt;
use uuid::Uuid;

/// Where a record lies: `collection/id`. Segments are ids and fixed words, never user text.
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

    /// One piece of a content too large for one record: `…/contents/{commit}/chunks/{index}`.
    #[must_use]
    pub fn chunk(document: DocumentId, commit: CommitId, index: usize) -> Self {
        Self { collection: Self::chunks_of(document, commit), id: format!("{index:04}") }
    }

    /// The collection of the pieces of a content.
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

    /// A path from its parts, as a provider read them back.
    #[must_use]
    pub fn from_parts(collection: impl Into<String>, id: impl Into<String>) -> Self {
        Self { collection: collection.into(), id: id.into() }
    }

    /// The collection.
    #[must_use]
    pub fn collection(&self) -> &str {
        &self.collection
    }

    /// The last segment.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The key of the record: the first 128 bits of BLAKE3 over the full path, in hex.
    #[must_use]
    pub fn key(&self) -> String {
        let hash = blake3::hash(self.to_string().as_bytes());
        hex::encode(&hash.as_bytes()[..16])
    }
}

impl fmt::Display for RecordPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.collection, self.id)
    }
}

/// A record to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRecord {
    /// Where.
    pub path: RecordPath,
    /// What.
    pub data: Data,
}

/// A change of single fields. Fields it does not name keep their values.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RecordPatch {
    /// Fields to set.
    pub set: Data,
    /// Fields to remove. A field that is not there is not an error.
    pub unset: Vec<String>,
}

impl RecordPatch {
    /// What turns `old` into `new`.
    #[must_use]
    pub fn between(old: &Data, new: &Data) -> Self {
        let is_new = |(field, value): &(&String, &Value)| old.get(*field) != Some(*value);
        let set = new.iter().filter(is_new).map(|(field, value)| (field.clone(), value.clone()));
        let unset = old.keys().filter(|field| !new.contains_key(*field)).cloned();
        Self { set: set.collect(), unset: unset.collect() }
    }

    /// Changes `data`.
    pub fn apply(&self, data: &mut Data) {
        self.unset.iter().for_each(|field| drop(data.remove(field)));
        data.extend(self.set.iter().map(|(field, value)| (field.clone(), value.clone())));
    }
}

/// The indexes that queries may use. A provider without the index that a query names fails with
/// `Unavailable`, and the message is the statement that would create it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecordIndex {
    /// Collection, then key.
    CollectionKey,
}

/// A record as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Where it lies.
    pub path: RecordPath,
    /// 1 when made, one more with every update.
    pub version: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last updated.
    pub updated_at: Timestamp,
    /// Soft-deleted: hidden from `get`, kept until it is purged.
    pub deleted: bool,
    /// What it holds.
    pub data: Data,
}

/// A store of records. Reads see the newest acknowledged write (majority, primary).
#[async_trait]
pub trait DocumentStore: Send + Sync {
    /// The record at `path`; `NotFound` also if it is soft-deleted.
    async fn get(&self, path: &RecordPath) -> StoreResult<Record>;

    /// The records at those paths that exist, in no particular order.
    async fn get_many(&self, paths: &[RecordPath]) -> StoreResult<Vec<Record>>;

    /// Creates a record, version 1. `Conflict(RecordExists)` if there is one, soft-deleted or not.
    async fn create(&self, record: &NewRecord, at: Timestamp) -> StoreResult<()>;

    /// Replaces the data of version `expected`; gives the next version number.
    /// `Conflict(RecordVersion)` when the record has another version by now.
    async fn update(
        &self,
        path: &RecordPath,
        expected: u64,
        data: &Data,
        at: Timestamp,
    ) -> StoreResult<u64>;

    /// Changes single fields of version `expected`; gives the next version number. Only the change
    /// travels, so that a large field that stays is not sent again. Atomic like [`Self::update`].
    /// `Conflict(RecordVersion)` when the record has another version by now.
    async fn patch(
        &self,
        path: &RecordPath,
        expected: u64,
        patch: &RecordPatch,
        at: Timestamp,
    ) -> StoreResult<u64>;

    /// Soft-deletes a record. Nothing happens if it is soft-deleted or absent.
    async fn delete(&self, path: &RecordPath, at: Timestamp) -> StoreResult<()>;

    /// Removes a record for good. Nothing happens if it is absent.
    async fn purge(&self, path: &RecordPath) -> StoreResult<()>;

    /// The records of a collection in the order of the index, after the key `after`; soft-deleted
    /// ones as well if `with_deleted` is set.
    async fn query(
        &self,
        index: RecordIndex,
        collection: &str,
        after: Option<&str>,
        limit: u32,
        with_deleted: bool,
    ) -> StoreResult<Vec<Record>>;

    /// The paths of those records alone. Their data is not read, so that damaged records can still be
    /// found and removed.
    async fn paths(
        &self,
        index: RecordIndex,
        collection: &str,
        after: Option<&str>,
        limit: u32,
        with_deleted: bool,
    ) -> StoreResult<Vec<RecordPath>>;

    /// Ends the connections; later calls are `Unavailable`.
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

    #[test]
    fn a_key_is_128_bits_of_the_full_path() {
        let path =
            RecordPath::content(DocumentId(Uuid::from_u128(1)), CommitId(Uuid::from_u128(2)));
        let full = "documents/00000000-0000-0000-0000-000000000001/contents/\
                    00000000-0000-0000-0000-000000000002";
        assert_eq!(path.to_string(), full);
        assert_eq!(path.key(), blake3::hash(full.as_bytes()).to_hex()[..32]);
    }
}
