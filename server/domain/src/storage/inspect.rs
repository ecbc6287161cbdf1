//! Full scans for `fsck`.

use super::{CommitIntent, StoreResult};
use async_trait::async_trait;
use izanagi_shared::id::{CommitId, DocumentId};

/// Facts about a document's op ids and rows, for checking them against the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OpsSummary {
    /// Highest seq of any op id.
    pub highest_op_seq: u64,
    /// Number of op ids that share a seq with another one.
    pub shared_numbers: u64,
    /// Number of owners.
    pub owners: u64,
    /// Whether the seq of the stored text differs from the document's row.
    pub text_is_of_another_seq: bool,
}

/// What accounts for the edits of a document besides log and segments, and what else its rows should
/// agree with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Accounts {
    /// Seqs of all updates that are quarantined, or were given up.
    pub quarantined: Vec<u64>,
    /// The newest edit that history no longer keeps.
    pub forgotten_seq: u64,
    /// Client ids with an owner, and those of former lineages.
    pub clients: Vec<u64>,
    /// Whether title and description are folded as they should be.
    pub is_folded: bool,
}

/// Facts about the change feed that should all be zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FeedSummary {
    /// Numbers used by a change and a tombstone.
    pub shared_numbers: u64,
    /// Documents whose creation is not in the feed.
    pub missing_documents: u64,
    /// Tombstones for readers who can see the document.
    pub false_tombstones: u64,
}

/// Reads over all documents.
#[async_trait]
pub trait Inspect: Send + Sync {
    /// Returns document ids greater than `after`, including those in the trash.
    async fn documents(
        &self,
        after: Option<DocumentId>,
        limit: u32,
    ) -> StoreResult<Vec<DocumentId>>;
    /// Returns all commit attempts of a document.
    async fn intents(&self, document: DocumentId) -> StoreResult<Vec<CommitIntent>>;
    /// Returns commit attempts of documents that no longer exist, ordered by commit, after a given
    /// one.
    async fn abandoned(
        &self,
        after: Option<CommitId>,
        limit: u32,
    ) -> StoreResult<Vec<CommitIntent>>;
    /// Returns facts about a document's op ids and owners.
    async fn ops(&self, document: DocumentId) -> StoreResult<OpsSummary>;
    /// Returns what accounts for the edits of a document.
    async fn accounts(&self, document: DocumentId) -> StoreResult<Accounts>;
    /// Returns facts about the change feed.
    async fn feed(&self) -> StoreResult<FeedSummary>;
    /// Returns the problems that the database finds in its own files.
    async fn integrity(&self) -> StoreResult<Vec<String>>;
}
