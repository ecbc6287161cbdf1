//! Segments of edit history, which hold the edits absorbed by snapshots (DESIGN §3, §6). The edits
//! are in the document store; these rows determine which records are valid.

use super::StoreResult;
use async_trait::async_trait;
use izanagi_shared::{id::DocumentId, time::Timestamp};
use uuid::Uuid;

/// A segment to list, in the transaction that removes its edits from the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewSegment {
    /// Prefix of the ids of its records.
    pub record: Uuid,
    /// SHA-256 of the encoded segment.
    pub hash: [u8; 32],
    /// Size of the encoded segment in bytes.
    pub bytes: u64,
    /// Smallest seq.
    pub from_seq: u64,
    /// Largest seq.
    pub to_seq: u64,
    /// Number of edits.
    pub edits: u64,
    /// The seq of its initial state, if it has one. That state contains exactly the edits up to
    /// this seq that did not depend on a later one.
    pub state_seq: Option<u64>,
    /// Time of its last edit.
    pub last_at: Timestamp,
}

/// A listed segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentRow {
    /// The document.
    pub document_id: DocumentId,
    /// Consecutive number within the document, from 1, in the order of absorption. Each edit is in
    /// the same segment as the edits it depends on, or in a later one. An edit that was pending may
    /// be in a later segment than its seq suggests.
    pub number: u64,
    /// The segment as listed.
    pub segment: NewSegment,
}

/// The newest segments of a document.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NewestSegments {
    /// The newest number; 0 for none.
    pub number: u64,
    /// The newest number of those that begin with a state; 0 for none.
    pub with_state: u64,
    /// Bytes of the segments after that one.
    pub bytes_since: u64,
}

/// Filter for segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentFilter {
    /// The document.
    pub document_id: DocumentId,
    /// Only segments with edits at or after this seq,
    pub from_seq: u64,
    /// at or before this seq,
    pub to_seq: u64,
    /// and with at least this number.
    pub from_number: u64,
    /// Maximum number of rows.
    pub limit: u32,
}

/// Segments of edit history. They are listed by [`super::LiveLog::snapshot`].
#[async_trait]
pub trait EditSegments: Send + Sync {
    /// Returns the matching segments, by number.
    async fn list(&self, filter: &SegmentFilter) -> StoreResult<Vec<SegmentRow>>;
    /// Returns the newest segment of a document whose initial state is at `seq` or before.
    async fn with_state(&self, document: DocumentId, seq: u64) -> StoreResult<SegmentRow>;
    /// The newest segments of a document.
    async fn newest(&self, document: DocumentId) -> StoreResult<NewestSegments>;
    /// Segments whose last edit is older than `before`, as are those before them, and after which
    /// their document has one that begins with a state, so that what remains can still be replayed.
    async fn expired(&self, before: Timestamp, limit: u32) -> StoreResult<Vec<SegmentRow>>;
    /// Removes the row of a segment that history no longer keeps, and notes up to which seq edits may
    /// be missing because of that. Idempotent.
    async fn remove(&self, document: DocumentId, number: u64) -> StoreResult<()>;
    /// Returns the newest edit that history no longer keeps; 0 for none.
    async fn forgotten(&self, document: DocumentId) -> StoreResult<u64>;
}
