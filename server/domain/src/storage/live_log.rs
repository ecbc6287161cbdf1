//! The live log: all accepted updates of all documents, numbered consecutively (DESIGN §6).

use super::{NewSegment, ShortHash, StoreError, StoreResult, TextFacts};
use async_trait::async_trait;
use bytes::Bytes;
use izanagi_shared::{
    id::{ActorId, DocumentId},
    time::Timestamp,
};

/// Owner of a CRDT client id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClientOwner {
    /// One actor.
    Actor(ActorId),
    /// The server, for edits it makes on behalf of a user.
    Server,
    /// Nobody any more: it belongs to a lineage that was replaced ([`LiveLog::restart`]).
    Former,
}

/// An update to append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUpdate {
    /// Author.
    pub actor: ActorId,
    /// The author's id for the update, applied only once.
    pub op_id: String,
    /// The Yjs update, v1. Shared, because it can be large and is needed until its outcome is known.
    pub delta: Bytes,
    /// SHA-256 of what `op_id` identifies: `delta`, or the request the server created it from.
    pub delta_hash: [u8; 32],
    /// Client ids for which it adds structs.
    pub clients: Vec<u64>,
    /// Required owner of these client ids.
    pub client_owner: ClientOwner,
    /// Further client ids that it names and whose items the document lacks.
    pub missing_clients: Vec<u64>,
}

/// Updates of one document, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The document.
    pub document_id: DocumentId,
    /// Its updates.
    pub updates: Vec<NewUpdate>,
    /// Expected seq of the log's end. If the log ends elsewhere, nothing of the batch is written;
    /// `None` appends unconditionally.
    pub after: Option<u64>,
    /// Time of the append.
    pub at: Timestamp,
}

/// Outcome for one update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// It is durable under this seq.
    New(u64),
    /// It was already durable under this seq and is not applied again.
    Known(u64),
    /// It was already durable under this seq but is quarantined or has lapsed, so it is not in the
    /// text.
    Quarantined(u64),
    /// The op id was already used for something else. The update was not written.
    OtherBytes,
    /// It adds structs for the client id of another user. The update was not written.
    ForeignClient(u64),
    /// It names a client id of a former lineage. The update was not written.
    OtherLineage,
}

/// Outcome for a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchOutcome {
    /// One outcome per update.
    Appended(Vec<Appended>),
    /// The log does not end at [`Batch::after`]: nothing was written, and these are the rows after
    /// it. If all op ids of the batch are already known, the outcome is `Appended` instead, so that
    /// a retry learns its seqs.
    Moved(LogTail),
}

impl BatchOutcome {
    /// Returns the outcomes of a batch that was sent without [`Batch::after`].
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

/// The log of a document after a given seq, from one state of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogTail {
    /// The newest seq.
    pub live_seq: u64,
    /// Seq of the newest snapshot.
    pub snapshot_seq: u64,
    /// Updates after the given seq that are not quarantined, by seq.
    pub updates: Vec<LoggedUpdate>,
    /// Seqs of quarantined updates after the given seq.
    pub quarantined: Vec<u64>,
}

impl LogTail {
    /// Whether these are all rows after `seq`. If not, a snapshot has absorbed some of them, and
    /// only [`LiveLog::load`] returns the full text.
    #[must_use]
    pub const fn is_complete_after(&self, seq: u64) -> bool {
        self.snapshot_seq <= seq && seq <= self.live_seq
    }
}

/// A known op id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownOp {
    /// Seq of its update.
    pub seq: u64,
    /// Hash it was submitted with, shortened ([`NewUpdate::delta_hash`]).
    pub hash: ShortHash,
    /// Whether its update is quarantined, or has lapsed.
    pub quarantined: bool,
}

/// An update in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedUpdate {
    /// Its seq.
    pub seq: u64,
    /// Author.
    pub actor: ActorId,
    /// The Yjs update, v1.
    pub delta: Vec<u8>,
    /// Time of the append.
    pub at: Timestamp,
}

/// A document's state at a seq.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSnapshot {
    /// The seq.
    pub seq: u64,
    /// The CRDT state, a Yjs update (v1).
    pub state: Vec<u8>,
}

/// Everything a room needs to open a document, read in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedLog {
    /// The newest seq.
    pub live_seq: u64,
    /// Whether that, or when and by whom the document was last changed, does not match its checksum.
    pub head_is_damaged: bool,
    /// The lineage ([`DocumentRow::lineage`](super::DocumentRow::lineage)).
    pub lineage: [u8; 16],
    /// The newest snapshot.
    pub snapshot: StoredSnapshot,
    /// All updates in the log that are not quarantined, by seq.
    pub updates: Vec<LoggedUpdate>,
    /// Seqs of quarantined updates from the snapshot's [`NewSnapshot::from_seq`] on.
    pub quarantined: Vec<u64>,
    /// Actors with [`MAX_QUARANTINED`] quarantined updates or more.
    pub full: Vec<ActorId>,
}

/// A snapshot to store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSnapshot {
    /// The document.
    pub document_id: DocumentId,
    /// Seq of the last update it contains.
    pub seq: u64,
    /// The CRDT state.
    pub state: Vec<u8>,
    /// Smallest seq of an update it does not contain: of an earlier row that it could not absorb, or
    /// the next one.
    pub from_seq: u64,
    /// Seq of a snapshot that has been read back from the store. Older ones are removed.
    pub verified: u64,
    /// Seqs of the log rows it contains completely; exactly these are removed from the log.
    pub absorbed: Vec<u64>,
    /// Segments of edit history with the absorbed edits.
    pub segments: Vec<NewSegment>,
    /// Time of the snapshot.
    pub at: Timestamp,
}

/// A new start of a document's editing state from a text, when the state is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLineage {
    /// The text. The restart takes the seq of its facts, so that no client believes to have it.
    pub text: SavedText,
    /// The newest seq of the log, as it is stored.
    pub after: u64,
    /// Seqs of the edits that the text does not contain.
    pub lost: Vec<u64>,
    /// Seqs of edits that the text contains, but neither log nor history.
    pub missing: Vec<u64>,
    /// Seqs of log rows that the text contains; they are removed from the log.
    pub absorbed: Vec<u64>,
    /// Segments of edit history with these edits.
    pub segments: Vec<NewSegment>,
    /// The stored text that is replaced, if it has something that the new text lacks. It is kept in
    /// quarantine, under the seq of the restart.
    pub replaced: Option<String>,
    /// 16 random bytes that identify the lineage.
    pub lineage: [u8; 16],
    /// The CRDT state of the text.
    pub state: Vec<u8>,
    /// Client id under which the state was written.
    pub client_id: u64,
    /// Time of the restart.
    pub at: Timestamp,
}

/// Updates that lapse: they waited for others that did not arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CutUpdates {
    /// The document.
    pub document_id: DocumentId,
    /// Expected end of the log: what is cut off was determined at this seq.
    pub live_seq: u64,
    /// By seq: what remains of each.
    pub updates: Vec<(u64, Vec<u8>)>,
}

/// A document's text, materialised for reading and searching.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedText {
    /// The document.
    pub document_id: DocumentId,
    /// The text.
    pub content: String,
    /// Its facts.
    pub facts: TextFacts,
}

/// Quarantined updates of one actor in one document, from which on the actor's edits are refused. A
/// few more are possible: those that were accepted before.
pub const MAX_QUARANTINED: u64 = 200;

/// The live log.
#[async_trait]
pub trait LiveLog: Send + Sync {
    /// Appends in one transaction, in the order of document ids; returns one result per batch, in
    /// the given order. A failing batch (`NotFound`, `Conflict(Trashed)`) does not affect the
    /// others. The outer error applies to the whole transaction.
    async fn append(&self, batches: &[Batch]) -> StoreResult<Vec<StoreResult<BatchOutcome>>>;
    /// Returns the rows after a seq and the head, in one read transaction.
    async fn since(&self, document: DocumentId, seq: u64) -> StoreResult<LogTail>;
    /// Returns the newest snapshot and the log, in one read transaction, without the bytes of
    /// quarantined updates.
    async fn load(&self, document: DocumentId) -> StoreResult<LoadedLog>;
    /// Looks up an op id.
    async fn known_op(
        &self,
        document: DocumentId,
        actor: ActorId,
        op_id: &str,
    ) -> StoreResult<KnownOp>;
    /// Stores a snapshot, lists its segments and removes exactly the absorbed rows, in one
    /// transaction. Also removes the snapshots before the verified one. `Conflict(LogChanged)` if there is a newer snapshot
    /// or an absorbed row is missing. Does nothing if the segments are already listed, since the call
    /// is then a retry.
    async fn snapshot(&self, snapshot: &NewSnapshot) -> StoreResult<()>;
    /// Returns all stored snapshots, newest first.
    async fn snapshots(&self, document: DocumentId) -> StoreResult<Vec<StoredSnapshot>>;
    /// Replaces the editing state of a document whose log cannot be loaded, in one transaction: rows of
    /// the log that are not absorbed are quarantined, and no client id of the old lineage can write
    /// again. Older snapshots stay until the new one has been read back. `Conflict(LogChanged)` if the
    /// log does not end as expected.
    async fn restart(&self, restart: &NewLineage) -> StoreResult<()>;
    /// Stores the text unless a newer one is stored. One that is damaged is always replaced.
    async fn save_text(&self, text: &SavedText) -> StoreResult<()>;
    /// Returns client ids of former lineages among these.
    async fn former_clients(&self, document: DocumentId, clients: &[u64]) -> StoreResult<Vec<u64>>;
    /// Returns the stored text; `Corrupt` if it does not match its hash or its seq.
    async fn text(&self, document: DocumentId) -> StoreResult<SavedText>;
    /// Quarantines an update: it is kept for inspection as long as the document but is no longer
    /// loaded.
    async fn quarantine(&self, document: DocumentId, seq: u64, at: Timestamp) -> StoreResult<()>;
    /// Replaces the bytes of updates that lapse and marks their ops as quarantined, in one
    /// transaction. `Conflict(LogChanged)` if the log does not end as expected or lacks one of them.
    async fn cut(&self, cut: &CutUpdates) -> StoreResult<()>;
    /// Removes op ids older than `before`.
    async fn forget_ops(&self, before: Timestamp) -> StoreResult<()>;
}
