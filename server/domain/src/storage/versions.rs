//! Versions and the attempts to commit them: the SQL side of DESIGN §5.

use super::{Freshness, NewRecord, Request, StoreResult};
use async_trait::async_trait;
use izanagi_shared::{
    id::{CommitId, DocumentId, UserId},
    time::Timestamp,
    wire::Person,
};

/// Step 2: the promise to write content under a commit id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewIntent {
    /// Fresh for every attempt.
    pub commit_id: CommitId,
    /// The document.
    pub document_id: DocumentId,
    /// The head this attempt builds on.
    pub base_commit: Option<CommitId>,
    /// The request that asks for it.
    pub request_key: [u8; 32],
    /// Until when it may be committed.
    pub expires_at: Timestamp,
    /// When.
    pub at: Timestamp,
}

/// Where an attempt stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntentStatus {
    /// May still be committed.
    Open,
    /// Was committed.
    Committed,
    /// Never will be.
    Gc,
}

/// An attempt as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitIntent {
    /// The attempt.
    pub commit_id: CommitId,
    /// The document.
    pub document_id: DocumentId,
    /// Where it stands.
    pub status: IntentStatus,
    /// Until when it may be committed.
    pub expires_at: Timestamp,
    /// Never will be, and what it had written was erased.
    pub erased: bool,
}

/// Step 4: the version to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewVersion {
    /// The document.
    pub document_id: DocumentId,
    /// Its number: the parent's and one.
    pub number: u64,
    /// The attempt.
    pub commit_id: CommitId,
    /// The head it builds on; `None` for the first.
    pub parent_commit: Option<CommitId>,
    /// SHA-256 of the content.
    pub content_hash: [u8; 32],
    /// Covers parent, content, author, message and time (PRODUCT V12).
    pub chain_hash: [u8; 32],
    /// Bytes of the content.
    pub length: u64,
    /// Lines added since the parent.
    pub added: u64,
    /// Lines removed since the parent.
    pub removed: u64,
    /// Why.
    pub message: String,
    /// Who.
    pub author_id: UserId,
    /// The request that asks for it.
    pub request: Request,
    /// When; the intent must not have expired by then.
    pub at: Timestamp,
}

impl NewVersion {
    /// The row of the version right after its commit.
    #[must_use]
    pub fn into_row(self, author: Person) -> VersionRow {
        VersionRow {
            document_id: self.document_id,
            number: self.number,
            commit_id: self.commit_id,
            parent_commit: self.parent_commit,
            content_hash: self.content_hash,
            chain_hash: self.chain_hash,
            length: self.length,
            added: self.added,
            removed: self.removed,
            message: self.message,
            name: None,
            keep_whole: false,
            is_delta: false,
            author,
            body_hash: self.request.body_hash,
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
    /// Its commit.
    pub commit_id: CommitId,
    /// The commit before it.
    pub parent_commit: Option<CommitId>,
    /// SHA-256 of the content.
    pub content_hash: [u8; 32],
    /// Covers parent, content, author, message and time.
    pub chain_hash: [u8; 32],
    /// Bytes of the content.
    pub length: u64,
    /// Lines added since the parent.
    pub added: u64,
    /// Lines removed since the parent.
    pub removed: u64,
    /// Why.
    pub message: String,
    /// Its name.
    pub name: Option<String>,
    /// Must stay whole: it is named, or something was restored from it.
    pub keep_whole: bool,
    /// Stored as a delta now.
    pub is_delta: bool,
    /// Who.
    pub author: Person,
    /// The body hash of the request that made it.
    pub body_hash: [u8; 32],
    /// When.
    pub created_at: Timestamp,
}

/// What came of step 4.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitOutcome {
    /// It is a version now.
    Committed,
    /// Somebody else committed first; try again on the new head.
    HeadMoved,
    /// The intent is closed or expired; try again with a fresh one.
    IntentClosed,
    /// The document is in trash or gone.
    DocumentGone,
    /// The same request has made a version before.
    RequestKnown,
}

/// What a fence found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fence {
    /// The intent was open and is closed now: this attempt is no version and never will be.
    Closed,
    /// It was not open: look among the versions.
    NotOpen,
}

/// Which versions to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionFilter {
    /// The document.
    pub document_id: DocumentId,
    /// Only numbers below this one.
    pub below: Option<u64>,
    /// Rows to skip.
    pub offset: u64,
    /// Rows to give.
    pub limit: u32,
    /// Only named ones.
    pub named: bool,
    /// How current the list must be.
    pub freshness: Freshness,
}

/// Committed versions. None is ever removed but with its document. Reads without a [`Freshness`] are
/// fresh.
#[async_trait]
pub trait VersionStore: Send + Sync {
    /// One version.
    async fn get(
        &self,
        freshness: Freshness,
        document: DocumentId,
        number: u64,
    ) -> StoreResult<VersionRow>;
    /// The version a commit made.
    async fn by_commit(&self, commit: CommitId) -> StoreResult<VersionRow>;
    /// The version a request made.
    async fn by_request(&self, key: &[u8; 32]) -> StoreResult<VersionRow>;
    /// The newest version of the document with this content, if any.
    async fn by_content(&self, document: DocumentId, hash: &[u8; 32]) -> StoreResult<VersionRow>;
    /// The versions `from..=to` that exist, by number.
    async fn range(&self, document: DocumentId, from: u64, to: u64)
    -> StoreResult<Vec<VersionRow>>;
    /// The versions that fit, newest first, and how many there are in all.
    async fn list(&self, filter: &VersionFilter) -> StoreResult<(Vec<VersionRow>, u64)>;
    /// Names a version or takes its name; a named one is to be kept whole from now on, for which
    /// a job goes into the outbox.
    async fn set_name(
        &self,
        document: DocumentId,
        number: u64,
        name: Option<&str>,
        at: Timestamp,
    ) -> StoreResult<VersionRow>;
    /// Notes how the content is stored now.
    async fn set_stored(&self, document: DocumentId, number: u64, delta: bool) -> StoreResult<()>;
}

/// The attempts to commit (DESIGN §5).
#[async_trait]
pub trait CommitIntents: Send + Sync {
    /// Step 2. `Conflict(CommitId)` if the id was used before, by an attempt or by a version.
    async fn open(&self, intent: &NewIntent) -> StoreResult<()>;
    /// Step 4, one statement: with the intent open and unexpired, the document active and its head
    /// the expected parent, the head moves, the version appears, the intent closes and the
    /// demotion of the parent goes into the outbox. `restored_from` is to be kept whole from now on.
    async fn commit(
        &self,
        version: &NewVersion,
        restored_from: Option<u64>,
    ) -> StoreResult<CommitOutcome>;
    /// After an unknown outcome: closes the intent if it is still open.
    async fn fence(&self, commit: CommitId) -> StoreResult<Fence>;
    /// Before a request is refused: closes every attempt of it that is still open. After this
    /// answers, nothing of the request that was sent before can commit.
    async fn fence_request(&self, key: &[u8; 32]) -> StoreResult<()>;
    /// Open intents that expired before `now`.
    async fn expired(&self, now: Timestamp, limit: u32) -> StoreResult<Vec<CommitIntent>>;
    /// Closes an intent for the collector if it is open and expired by `now`; says whether it did.
    async fn condemn(&self, commit: CommitId, now: Timestamp) -> StoreResult<bool>;
    /// Attempts closed by a fence or the collector whose content was not erased yet, by commit,
    /// after one.
    async fn condemned(
        &self,
        after: Option<CommitId>,
        limit: u32,
    ) -> StoreResult<Vec<CommitIntent>>;
    /// Notes that the content of a closed attempt was erased.
    async fn erased(&self, commit: CommitId, at: Timestamp) -> StoreResult<()>;
    /// Forgets committed attempts opened before `before`: their versions are what counts. Those that
    /// never became a version are kept, so that content that arrives late is recognised.
    async fn forget(&self, before: Timestamp) -> StoreResult<()>;
    /// One attempt.
    async fn get(&self, commit: CommitId) -> StoreResult<CommitIntent>;
}

/// Steps 2 to 4 in one transaction, if contents and versions are in the same database.
#[async_trait]
pub trait AtomicCommit: Send + Sync {
    /// Content and version, or neither. No intent is stored: nothing is visible before all of it
    /// is. `Conflict(CommitId)` if the id was used before.
    ///
    /// After `Unknown`, [`CommitIntents::fence`] of this commit must not answer before the transaction
    /// has ended: a single writer does both in order; a pool must serialise them by commit id.
    async fn commit_with_content(
        &self,
        records: &[NewRecord],
        version: &NewVersion,
        restored_from: Option<u64>,
    ) -> StoreResult<CommitOutcome>;
}
