//! Versions and commit attempts: the SQL side of DESIGN §5.

use super::{Freshness, NewRecord, Request, ShortHash, StoreResult, short_hash};
use async_trait::async_trait;
use izanagi_shared::{
    id::{ActorId, CommitId, DocumentId},
    time::Timestamp,
    wire::{Person, VersionNote},
};

/// Step 2: announces content to be written under a commit id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewIntent {
    /// Fresh for every attempt.
    pub commit_id: CommitId,
    /// The document.
    pub document_id: DocumentId,
    /// The head this attempt is based on.
    pub base_commit: Option<CommitId>,
    /// Identity of the request.
    pub request_key: [u8; 32],
    /// Expiry; the attempt cannot commit afterwards.
    pub expires_at: Timestamp,
    /// Time of opening.
    pub at: Timestamp,
}

/// Status of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntentStatus {
    /// May still commit.
    Open,
    /// Committed.
    Committed,
    /// Closed; can never commit.
    Gc,
}

/// A stored attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitIntent {
    /// The attempt.
    pub commit_id: CommitId,
    /// The document.
    pub document_id: DocumentId,
    /// Status.
    pub status: IntentStatus,
    /// Expiry; the attempt cannot commit afterwards.
    pub expires_at: Timestamp,
    /// Closed, and its content has been erased.
    pub erased: bool,
}

/// What a restore brings back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restored {
    /// The content of the version with this number.
    Version(u64),
    /// The text after the edit with this seq.
    Edit(u64),
}

impl Restored {
    /// Returns the number of the version, if it is one.
    #[must_use]
    pub const fn version(self) -> Option<u64> {
        match self {
            Self::Version(number) => Some(number),
            Self::Edit(_) => None,
        }
    }
}

/// Step 4: the version to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewVersion {
    /// The document.
    pub document_id: DocumentId,
    /// Its number: the parent's plus one.
    pub number: u64,
    /// The attempt.
    pub commit_id: CommitId,
    /// Commit id of the parent; `None` for the first version.
    pub parent_commit: Option<CommitId>,
    /// SHA-256 of the content.
    pub content_hash: [u8; 32],
    /// Hash over parent, content, author, message and time (PRODUCT V12).
    pub chain_hash: [u8; 32],
    /// The chain hash of the parent; not stored again.
    pub parent_chain_hash: Option<[u8; 32]>,
    /// Size of the content in bytes.
    pub length: u64,
    /// Lines added since the parent.
    pub added: u64,
    /// Lines removed since the parent.
    pub removed: u64,
    /// What its author says about it.
    pub note: VersionNote,
    /// What it brings back, if it is a restore. A version that is brought back remains a snapshot.
    pub restored: Option<Restored>,
    /// Author.
    pub author_id: ActorId,
    /// Identity of the request.
    pub request: Request,
    /// Commit time; the intent must not have expired by then.
    pub at: Timestamp,
}

impl NewVersion {
    /// Returns the row of the version right after its commit.
    #[must_use]
    pub fn into_row(self, author: Person) -> VersionRow {
        VersionRow {
            document_id: self.document_id,
            number: self.number,
            commit_id: self.commit_id,
            content_hash: self.content_hash,
            chain_hash: self.chain_hash,
            parent_chain_hash: self.parent_chain_hash,
            length: self.length,
            added: self.added,
            removed: self.removed,
            note: self.note,
            restored: self.restored,
            name: None,
            has_intact_facts: true,
            keep_whole: false,
            is_delta: false,
            author,
            body_hash: short_hash(&self.request.body_hash),
            created_at: self.at,
        }
    }
}

/// A committed version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRow {
    /// The document.
    pub document_id: DocumentId,
    /// Its number.
    pub number: u64,
    /// Its commit id.
    pub commit_id: CommitId,
    /// SHA-256 of the content.
    pub content_hash: [u8; 32],
    /// Hash over parent, content, author, message and time.
    pub chain_hash: [u8; 32],
    /// The chain hash of the preceding version, if that exists.
    pub parent_chain_hash: Option<[u8; 32]>,
    /// Size of the content in bytes.
    pub length: u64,
    /// Lines added since the parent.
    pub added: u64,
    /// Lines removed since the parent.
    pub removed: u64,
    /// What its author says about it.
    pub note: VersionNote,
    /// What it brings back, if it is a restore.
    pub restored: Option<Restored>,
    /// Whether number, counts and name can be read and match their checksum.
    pub has_intact_facts: bool,
    /// Its name, if any.
    pub name: Option<String>,
    /// Must remain a snapshot: it is or was named, or was restored from.
    pub keep_whole: bool,
    /// Currently stored as a delta.
    pub is_delta: bool,
    /// Author.
    pub author: Person,
    /// Body hash of the request that created it, shortened.
    pub body_hash: ShortHash,
    /// Commit time.
    pub created_at: Timestamp,
}

/// Outcome of step 4.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitOutcome {
    /// The version exists.
    Committed,
    /// Another commit was faster; retry on the new head.
    HeadMoved,
    /// The intent is closed or expired; retry with a fresh one.
    IntentClosed,
    /// The document is in the trash or does not exist.
    DocumentGone,
    /// The request has already created a version.
    RequestKnown,
}

/// Outcome of a fence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fence {
    /// The intent was open and is now closed: this attempt can never commit.
    Closed,
    /// The intent was not open; check whether the version exists.
    NotOpen,
}

/// Filter and page of a version list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionFilter {
    /// The document.
    pub document_id: DocumentId,
    /// Only numbers below this.
    pub below: Option<u64>,
    /// Rows to skip.
    pub offset: u64,
    /// Maximum number of rows.
    pub limit: u32,
    /// Only named versions.
    pub named: bool,
    /// Required freshness.
    pub freshness: Freshness,
}

/// Committed versions. They are removed only together with their document. Reads without a
/// [`Freshness`] are fresh.
#[async_trait]
pub trait VersionStore: Send + Sync {
    /// Returns a version.
    async fn get(
        &self,
        freshness: Freshness,
        document: DocumentId,
        number: u64,
    ) -> StoreResult<VersionRow>;
    /// Returns the version with this commit id.
    async fn by_commit(&self, commit: CommitId) -> StoreResult<VersionRow>;
    /// Returns the version created by a request.
    async fn by_request(&self, key: &[u8; 32]) -> StoreResult<VersionRow>;
    /// Returns the newest version of the document with this content, if any.
    async fn by_content(&self, document: DocumentId, hash: &[u8; 32]) -> StoreResult<VersionRow>;
    /// Returns the existing versions `from..=to`, by number.
    async fn range(&self, document: DocumentId, from: u64, to: u64)
    -> StoreResult<Vec<VersionRow>>;
    /// Returns the matching versions, newest first, and their total number.
    async fn list(&self, filter: &VersionFilter) -> StoreResult<(Vec<VersionRow>, u64)>;
    /// Sets or removes a version's name. Naming requires a snapshot from then on, so it enqueues a
    /// promotion. `Corrupt` if the row is damaged.
    async fn set_name(
        &self,
        document: DocumentId,
        number: u64,
        name: Option<&str>,
        at: Timestamp,
    ) -> StoreResult<VersionRow>;
    /// Records how the content is stored.
    async fn set_stored(&self, document: DocumentId, number: u64, delta: bool) -> StoreResult<()>;
}

/// Commit attempts (DESIGN §5).
#[async_trait]
pub trait CommitIntents: Send + Sync {
    /// Step 2. `Conflict(CommitId)` if an attempt or a version already has this id.
    async fn open(&self, intent: &NewIntent) -> StoreResult<()>;
    /// Step 4, one statement. If the intent is open and unexpired, the document active and its head
    /// the expected parent: moves the head, inserts the version, closes the intent and enqueues the
    /// demotion of the parent.
    async fn commit(&self, version: &NewVersion) -> StoreResult<CommitOutcome>;
    /// Closes the intent if it is still open; used after an unknown outcome.
    async fn fence(&self, commit: CommitId) -> StoreResult<Fence>;
    /// Closes every open attempt of a request; used before refusing it. After this returns, nothing
    /// the request has sent before can commit.
    async fn fence_request(&self, key: &[u8; 32]) -> StoreResult<()>;
    /// Returns open intents that expired before `now`.
    async fn expired(&self, now: Timestamp, limit: u32) -> StoreResult<Vec<CommitIntent>>;
    /// Closes an intent for the collector if it is open and expired by `now`; returns whether it
    /// did.
    async fn condemn(&self, commit: CommitId, now: Timestamp) -> StoreResult<bool>;
    /// Returns attempts closed by a fence or the collector whose content is not erased yet, ordered
    /// by commit, after a given one.
    async fn condemned(
        &self,
        after: Option<CommitId>,
        limit: u32,
    ) -> StoreResult<Vec<CommitIntent>>;
    /// Records that the content of a closed attempt was erased.
    async fn erased(&self, commit: CommitId, at: Timestamp) -> StoreResult<()>;
    /// Removes committed attempts opened before `before`; their versions remain. Attempts that
    /// never committed are kept, so that late content can be recognised.
    async fn forget(&self, before: Timestamp) -> StoreResult<()>;
    /// Returns an attempt.
    async fn get(&self, commit: CommitId) -> StoreResult<CommitIntent>;
}

/// Steps 2 to 4 in one transaction, if contents and versions share a database.
#[async_trait]
pub trait AtomicCommit: Send + Sync {
    /// Writes content and version, or neither; `None` if they do not share a database at present, and
    /// nothing was written. Stores no intent, because nothing is visible before
    /// the commit. `Conflict(CommitId)` if the id is already used.
    ///
    /// After `Unknown`, [`CommitIntents::fence`] for this commit must not return before the
    /// transaction has ended: a single writer runs both in order; a pool must serialise them by
    /// commit id.
    async fn commit_with_content(
        &self,
        records: &[NewRecord],
        version: &NewVersion,
    ) -> StoreResult<Option<CommitOutcome>>;
}
