//! Reading everything, for `fsck`.

use super::{CommitIntent, DocumentRow, StoreResult};
use async_trait::async_trait;
use izanagi_shared::id::DocumentId;

/// What is known of a document's op ids and rows, for checking numbers against the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OpsSummary {
    /// The highest number any op id was given.
    pub highest_op_seq: u64,
    /// How many op ids share a number with another.
    pub shared_numbers: u64,
    /// How many owners the document has.
    pub owners: u64,
}

/// Reads across all documents.
#[async_trait]
pub trait Inspect: Send + Sync {
    /// Documents by id, after one, trash included.
    async fn documents(
        &self,
        after: Option<DocumentId>,
        limit: u32,
    ) -> StoreResult<Vec<DocumentRow>>;
    /// Every attempt to commit to a document.
    async fn intents(&self, document: DocumentId) -> StoreResult<Vec<CommitIntent>>;
    /// Op ids and owners of a document.
    async fn ops(&self, document: DocumentId) -> StoreResult<OpsSummary>;
    /// What the database itself finds wrong with its files.
    async fn integrity(&self) -> StoreResult<Vec<String>>;
}
