//! The live log: every accepted update of every document, numbered without holes (DESIGN §6).

use super::{NewSegment, StoreError, StoreResult, TextFacts};
use async_trait::async_trait;
use izanagi_shared::{
    id::{DocumentId, UserId},
    time::Timestamp,
};

/// Who may write under a CRDT client id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClientOwner {
    /// One user.
    User(UserId),
    /// The server itself, in edits it makes on behalf of a user.
    Server,
}

/// An update to be appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUpdate {
    /// Who made it.
    pub actor: UserId,
    /// The actor's own id for it: applied once.
    pub op_id: String,
    /// The Yjs update, v1.
    pub delta: Vec<u8>,
    /// SHA-256 of what `op_id` stands for: of `delta`, or of the request the server made it from.
    pub delta_hash: [u8; 32],
    /// The client ids under which it brings new structs.
    pub clients: Vec<u64>,
    /// Whose these client ids must be.
    pub client_owner: ClientOwner,
}

/// The updates of one document, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The document.
    pub document_id: DocumentId,
    /// Its updates.
    pub updates: Vec<NewUpdate>,
    /// The number at which the caller believes the log ends. If it ends elsewhere, nothing of the
    /// batch is written; `None` appends wherever it ends.
    pub after: Option<u64>,
    /// When.
    pub at: Timestamp,
}

/// What became of one update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// It is durable under this number.
    New(u64),
    /// It was durable before, under this number; it is not applied again.
    Known(u64),
    /// It was durable before, under this number, and is quarantined: it is not in the text.
    Quarantined(u64),
    /// The op id was used before for something else. Nothing was written for this update.
    OtherBytes,
    /// It brings structs under the client id of another user. Nothing was written for this update.
    ForeignClient(u64),
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchOutcome {
    /// One answer for each update.
    Appended(Vec<Appended>),
    /// The log does not end at [`Batch::after`]: nothing was written, and these are the rows after
    /// it. A batch whose op ids are all known is answered as appended instead, so that a repeated
    /// batch learns its numbers.
    Moved(LogTail),
}

impl BatchOutcome {
    /// The answers to a batch that was sent without [`Batch::after`].
    ///
    /// # Errors
    /// `Corrupt` for [`Self::Moved`], which such a batch never gets.
    pub fn into_appended(self) -> StoreResult<Vec<Appended>> {
        match self {
            Self::Appended(appended) => Ok(appended),
            Self::Moved(_) => {
                Err(StoreError::Corrupt("an unconditional append was refused".into()))
            }
        }
    }
}

impl From<Vec<Appended>> for BatchOutcome {
    fn from(appended: Vec<Appended>) -> Self {
        Self::Appended(appended)
    }
}

/// The log of a document after a number, from one state of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogTail {
    /// The newest number.
    pub live_seq: u64,
    /// The number of the newest snapshot.
    pub snapshot_seq: u64,
    /// The updates after the number that are not quarantined, by number.
    pub updates: Vec<LoggedUpdate>,
    /// The numbers of quarantined updates after it.
    pub quarantined: Vec<u64>,
}

impl LogTail {
    /// Whether these are all rows after `seq`. If not, a snapshot has absorbed some of them, and
    /// only [`LiveLog::load`] gives the whole text.
    #[must_use]
    pub const fn is_complete_after(&self, seq: u64) -> bool {
        self.snapshot_seq <= seq && seq <= self.live_seq
    }
}

/// An op id that the log has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownOp {
    /// The number of its update.
    pub seq: u64,
    /// The hash it came with ([`NewUpdate::delta_hash`]).
    pub hash: [u8; 32],
    /// Its update is quarantined.
    pub quarantined: bool,
}

/// An update in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedUpdate {
    /// Its number.
    pub seq: u64,
    /// Who made it.
    pub actor: UserId,
    /// The Yjs update, v1.
    pub delta: Vec<u8>,
    /// When it was appended.
    pub at: Timestamp,
}

/// A document's state up to a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSnapshot {
    /// The number.
    pub seq: u64,
    /// The CRDT state, a Yjs update (v1).
    pub state: Vec<u8>,
}

/// Everything a room needs to begin, read in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedLog {
    /// The newest number.
    pub live_seq: u64,
    /// The newest snapshot.
    pub snapshot: StoredSnapshot,
    /// Every update still in the log that is not quarantined, by number.
    pub updates: Vec<LoggedUpdate>,
    /// The numbers of quarantined updates still in the log.
    pub quarantined: Vec<u64>,
}

/// A snapshot to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSnapshot {
    /// The document.
    pub document_id: DocumentId,
    /// The last number it holds.
    pub seq: u64,
    /// The CRDT state.
    pub state: Vec<u8>,
    /// The numbers of the log rows it holds whole; exactly these leave the log.
    pub absorbed: Vec<u64>,
    /// The segments of edit history that keep the absorbed edits.
    pub segments: Vec<NewSegment>,
    /// When.
    pub at: Timestamp,
}

/// A document's text, materialised for reading and searching.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedText {
    /// The document.
    pub document_id: DocumentId,
    /// The text.
    pub content: String,
    /// Facts of it.
    pub facts: TextFacts,
}

/// How many quarantined rows of a document survive a snapshot.
pub const QUARANTINED_KEPT: u32 = 20;

/// The live log.
#[async_trait]
pub trait LiveLog: Send + Sync {
    /// Appends in one transaction, documents in the order of their ids; one answer for each batch,
    /// in the order given. A batch that fails (`NotFound`, `Conflict(Trashed)`) does not harm the
    /// others. The outer error stands for the whole transaction.
    async fn append(&self, batches: &[Batch]) -> StoreResult<Vec<StoreResult<BatchOutcome>>>;
    /// The rows after a number, with the head, in one read transaction.
    async fn since(&self, document: DocumentId, seq: u64) -> StoreResult<LogTail>;
    /// Newest snapshot and the log, in one read transaction. Quarantined updates are not read.
    async fn load(&self, document: DocumentId) -> StoreResult<LoadedLog>;
    /// What is known of an op.
    async fn known_op(
        &self,
        document: DocumentId,
        user: UserId,
        op_id: &str,
    ) -> StoreResult<KnownOp>;
    /// Stores a snapshot, lists its segments and removes exactly the absorbed rows, in one
    /// transaction; older snapshots go with it, and quarantined rows up to it but for the newest
    /// [`QUARANTINED_KEPT`]. `Conflict(LogChanged)` when a newer snapshot is there, or one of the
    /// absorbed rows is not. Nothing happens when the segments are listed already: the call was
    /// repeated.
    async fn snapshot(&self, snapshot: &NewSnapshot) -> StoreResult<()>;
    /// Stores the text, unless a newer one is stored.
    async fn save_text(&self, text: &SavedText) -> StoreResult<()>;
    /// The stored text.
    async fn text(&self, document: DocumentId) -> StoreResult<SavedText>;
    /// Quarantines an update: it stays in the log for inspection and is no longer read.
    async fn quarantine(&self, document: DocumentId, seq: u64, at: Timestamp) -> StoreResult<()>;
    /// Forgets op ids older than `before`.
    async fn forget_ops(&self, before: Timestamp) -> StoreResult<()>;
}
