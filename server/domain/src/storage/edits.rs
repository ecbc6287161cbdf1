//! Segments of edit history: where the edits went that a snapshot absorbed (DESIGN §3, §6). The
//! edits themselves lie in the document store; these rows say which records count.

use super::StoreResult;
use async_trait::async_trait;
use izanagi_shared::{id::DocumentId, time::Timestamp};
use uuid::Uuid;

/// A segment to be listed, in the transaction that removes its edits from the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewSegment {
    /// The first part of the ids of its records.
    pub record: Uuid,
    /// SHA-256 of the encoded segment.
    pub hash: [u8; 32],
    /// Bytes of the encoded segment.
    pub bytes: u64,
    /// The smallest seq in it.
    pub from_seq: u64,
    /// The largest.
    pub to_seq: u64,
    /// How many edits it holds.
    pub edits: u64,
    /// The seq of the state that it begins with, if it begins with one. The state holds every edit
    /// up to this seq that did not wait for a later one, and none beyond.
    pub state_seq: Option<u64>,
    /// When its last edit was made.
    pub last_at: Timestamp,
}

/// A listed segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentRow {
    /// The document.
    pub document_id: DocumentId,
    /// 1 for the first segment of the document, and so on, in the order in which snapshots absorbed
    /// them: each edit lies in the same segment as the edits it builds on, or in a later one. An
    /// edit that waited for others can lie in a later segment than its seq suggests.
    pub number: u64,
    /// What was listed.
    pub segment: NewSegment,
}

/// Which segments to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentFilter {
    /// The document.
    pub document_id: DocumentId,
    /// Only segments with edits from this seq on,
    pub from_seq: u64,
    /// up to this seq,
    pub to_seq: u64,
    /// and with numbers from this one on.
    pub from_number: u64,
    /// Rows to return.
    pub limit: u32,
}

/// Segments of edit history. They are listed by [`super::LiveLog::snapshot`].
#[async_trait]
pub trait EditSegments: Send + Sync {
    /// The segments that match, by number.
    async fn list(&self, filter: &SegmentFilter) -> StoreResult<Vec<SegmentRow>>;
    /// The newest segment of a document that begins with a state of `seq` or before.
    async fn with_state(&self, document: DocumentId, seq: u64) -> StoreResult<SegmentRow>;
    /// The newest number of a document's segments, and the newest of those that begin with a state;
    /// 0 for none.
    async fn newest(&self, document: DocumentId) -> StoreResult<(u64, u64)>;
    /// Segments whose last edit is older than `before`, and after which their document has one that
    /// begins with a state, so that what remains can still be replayed.
    async fn expired(&self, before: Timestamp, limit: u32) -> StoreResult<Vec<SegmentRow>>;
    /// Removes the row of a segment. Nothing happens when there is none.
    async fn remove(&self, document: DocumentId, number: u64) -> StoreResult<()>;
}
