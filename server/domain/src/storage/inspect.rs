//! Reading everything, for `fsck`.

use super::{CommitIntent, StoreResult};
use async_trait::async_trait;
use izanagi_shared::id::{CommitId, DocumentId};

/// What is known of a document's op ids and rows, for checking numbers against the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OpsSummary {
    /// The highest number any op id was given.
    pub highest_op_seq: u64,
    /// How many op ids share a number with another.
    pub shared_numbers: u64,
    /// How many owners the document has.
    pub owners: u64,
    /// The stored text is of another number than the document's row says.
    pub text_is_of_another_seq: bool,
}

/// Reads across all documents.
#[async_trait]
pub trait Inspect: Send + Sync {
    /// The ids of documents, after one, trash included.
    async fn documents(
        &self,
        after: Option<DocumentId>,
        limit: u32,
    ) -> StoreResult<Vec<DocumentId>>;
    /// Every attempt to commit to a document.
    async fn intents(&self, document: DocumentId) -> StoreResult<Vec<CommitIntent>>;
    /// Attempts to commit to documents that are no more, by commit, after one.
    async fn abandoned(
        &self,
        after: Option<CommitId>,
        limit: u32,
    ) -> StoreResult<Vec<CommitIntent>>;
    /// Op ids and owners of a document.
    async fn ops(&self, document: DocumentId) -> StoreResult<OpsSummary>;
    /// What the database itself finds wrong with its files.
    async fn integrity(&self) -> StoreResult<Vec<String>>;
}
