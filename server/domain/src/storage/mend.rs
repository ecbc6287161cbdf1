//! Repairs by `fsck`, which has the database for itself. They read what ordinary reads refuse, and
//! set what ordinary writes only derive.

use super::{
    DocumentRow, LoggedUpdate, NewSegment, SavedText, ShortHash, StoreResult, StoredSnapshot,
    VersionRow,
};
use async_trait::async_trait;
use izanagi_shared::{
    id::{CommitId, DocumentId},
    time::Timestamp,
};

/// What can be read of a document's log. Rows that cannot be read are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogRemains {
    /// The snapshots, newest first.
    pub snapshots: Vec<StoredSnapshot>,
    /// The rows of the log, by seq.
    pub updates: Vec<LoggedUpdate>,
    /// The highest seq of an op id.
    pub highest_op: u64,
}

/// A log whose numbers and newest snapshot are corrected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RebuiltLog {
    /// The text at the newest seq; its facts have that seq.
    pub text: SavedText,
    /// The newest snapshot, at that seq. It replaces those that claim this seq or a later one.
    pub state: Vec<u8>,
    /// Smallest seq of an update that the snapshot does not contain, or has to be found in the log.
    pub from_seq: u64,
    /// Rows that have a wrong seq, and their right one.
    pub renumbered: Vec<(u64, u64)>,
    /// Time of the repair.
    pub at: Timestamp,
}

/// Repairs.
#[async_trait]
pub trait Mend: Send + Sync {
    /// Returns what can be read of a document's log.
    async fn remains(&self, document: DocumentId) -> StoreResult<LogRemains>;
    /// Corrects a log, in one transaction.
    async fn rebuild(&self, rebuilt: &RebuiltLog) -> StoreResult<()>;
    /// Replaces the list of a document's segments, in one transaction. They are numbered from 1.
    async fn relist(&self, document: DocumentId, segments: &[NewSegment]) -> StoreResult<()>;
    /// Records that history lost these edits, so that their absence is no longer a fault.
    async fn give_up(&self, document: DocumentId, lost: &[u64], at: Timestamp) -> StoreResult<()>;
    /// Replaces what the checksum of the details covers, what follows from them, and whether the
    /// document is in the trash.
    async fn details(&self, row: &DocumentRow) -> StoreResult<()>;
    /// Returns the checksum of the details as it is stored, unless damage to the row cannot be undone
    /// by other details: `None` if the two times of the move to the trash differ.
    async fn details_hash(&self, document: DocumentId) -> StoreResult<Option<ShortHash>>;
    /// Sets the newest version.
    async fn head(
        &self,
        document: DocumentId,
        number: u64,
        commit: Option<CommitId>,
    ) -> StoreResult<()>;
    /// Whether these facts of a version match the checksum that is stored.
    async fn version_hash(&self, version: &VersionRow) -> StoreResult<bool>;
    /// Replaces what the checksum of a version's facts covers.
    async fn version(&self, version: &VersionRow) -> StoreResult<()>;
    /// Reserves client ids whose owner is not known, so that nobody can write under them.
    async fn reserve_clients(&self, document: DocumentId, clients: &[u64]) -> StoreResult<()>;
}
