//! Document metadata. The text is in the live log.

use super::{RowDamage, StoreResult};
use crate::principal::Viewer;
use async_trait::async_trait;
use izanagi_shared::{
    id::{ActorId, CommitId, DocumentId, UserId},
    permission::Access,
    rules::DocumentKind,
    time::Timestamp,
    wire::{Details, DetailsChange, DocumentSort, Person},
};
use uuid::Uuid;

/// The identity of a request that may be retried: same key, same answer (API.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Request {
    /// SHA-256 over user, method, path and `Idempotency-Key`; a fresh random value without a key.
    pub key: [u8; 32],
    /// SHA-256 of the body, to detect a different body under the same key.
    pub body_hash: [u8; 32],
}

/// The first 128 bits of a SHA-256. They suffice to tell a repeated request from another one, which
/// only its own sender could forge.
pub type ShortHash = [u8; 16];

/// Shortens a SHA-256.
#[must_use]
pub const fn short_hash(hash: &[u8; 32]) -> ShortHash {
    let (short, _) = hash.split_at(16);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(short);
    bytes
}

/// Facts about a text, known without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TextFacts {
    /// Seq of the last live update it contains.
    pub seq: u64,
    /// SHA-256 of the text.
    pub hash: [u8; 32],
    /// Length in UTF-8 bytes.
    pub length: u64,
    /// Number of words.
    pub words: u64,
}

/// A document's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentRow {
    /// The document.
    pub id: DocumentId,
    /// Content type.
    pub kind: DocumentKind,
    /// What its owners have set.
    pub details: Details,
    /// What of this row does not match its checksum.
    pub damage: RowDamage,
    /// Creator.
    pub created_by: ActorId,
    /// Who last changed it.
    pub last_modified_by: ActorId,
    /// Number of the newest version, 0 if there is none.
    pub head_version: u64,
    /// Commit id of the newest version.
    pub head_commit: Option<CommitId>,
    /// Seq of the newest live update.
    pub live_seq: u64,
    /// Random id drawn at creation. CRDT updates are valid only within their own lineage.
    pub lineage: [u8; 16],
    /// The seq with which the lineage begins: 0, or that of the last restart ([`super::LiveLog::restart`]).
    pub lineage_seq: u64,
    /// Incremented by every change of the metadata.
    pub meta_rev: u64,
    /// Facts of the materialised text, which is outdated if `text.seq < live_seq`.
    pub text: TextFacts,
    /// Creation time.
    pub created_at: Timestamp,
    /// Time of the last change of text or details.
    pub updated_at: Timestamp,
    /// When it was moved to trash.
    pub deleted_at: Option<Timestamp>,
}

/// A document to create, with the initial state of its text.
#[derive(Debug, Clone)]
pub struct NewDocument {
    /// The document.
    pub id: DocumentId,
    /// Content type.
    pub kind: DocumentKind,
    /// What its owners have set.
    pub details: Details,
    /// Creator and first owner.
    pub created_by: UserId,
    /// Identity of the request.
    pub request: Request,
    /// Initial CRDT state: the snapshot at seq 0.
    pub state: Vec<u8>,
    /// The CRDT client id that wrote that state.
    pub client_id: u64,
    /// 16 random bytes that identify the lineage.
    pub lineage: [u8; 16],
    /// The text.
    pub content: String,
    /// Facts of the text, at seq 0.
    pub text: TextFacts,
    /// Creation time.
    pub at: Timestamp,
}

impl NewDocument {
    /// Returns its row right after the creation.
    #[must_use]
    pub fn row(&self) -> DocumentRow {
        DocumentRow {
            id: self.id,
            kind: self.kind,
            details: self.details.clone(),
            damage: RowDamage::default(),
            created_by: self.created_by.into(),
            last_modified_by: self.created_by.into(),
            head_version: 0,
            head_commit: None,
            live_seq: self.text.seq,
            lineage: self.lineage,
            lineage_seq: self.text.seq,
            meta_rev: 1,
            text: self.text,
            created_at: self.at,
            updated_at: self.at,
            deleted_at: None,
        }
    }
}

/// A position in a sorted list: the sort key of the last row seen, and its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Microseconds for times, the case-folded title for titles.
    pub key: CursorKey,
    /// Tie-breaker for equal sort keys.
    pub id: Uuid,
}

/// The sort key in a [`Cursor`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CursorKey {
    /// For sorting by time.
    Micros(i64),
    /// For sorting by case-folded title.
    Text(String),
}

/// A document and one viewer's relation to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewed {
    /// The document.
    pub row: DocumentRow,
    /// The viewer's rights to it.
    pub access: Access,
    /// The viewer's profile, if the viewer is a user.
    pub person: Option<Person>,
}

/// Filter, order and page of a document list.
#[derive(Debug, Clone)]
pub struct DocumentFilter {
    /// Only documents visible to this user through ownership.
    pub visible_to: UserId,
    /// Only documents this user owns.
    pub owner: Option<UserId>,
    /// Only documents whose title or description contains all of these case-folded words.
    pub words: Vec<String>,
    /// `false`: not in the trash; `true`: in the trash; `None`: both.
    pub trashed: Option<bool>,
    /// Sort order.
    pub sort: DocumentSort,
    /// Position to continue from; takes precedence over `offset`.
    pub cursor: Option<Cursor>,
    /// Rows to skip.
    pub offset: u64,
    /// Maximum number of rows.
    pub limit: u32,
}

/// Documents. Only the list may be stale; all other reads are used for decisions.
#[async_trait]
pub trait Catalog: Send + Sync {
    /// Creates a document with its owner, snapshot and text. `Conflict(RequestKey)` if the request
    /// key is already used, `Conflict(Account)` if the creator's account is deleted or deactivated.
    async fn create(&self, new: &NewDocument) -> StoreResult<()>;
    /// Returns the document created by a request, and the request's body hash.
    async fn by_request(&self, key: &[u8; 32]) -> StoreResult<(DocumentId, [u8; 32])>;
    /// Returns a document.
    async fn get(&self, id: DocumentId) -> StoreResult<DocumentRow>;
    /// Returns a document, this viewer's rights to it, and the viewer's profile, in one query.
    async fn get_for(&self, viewer: &Viewer, id: DocumentId) -> StoreResult<Viewed>;
    /// Returns the matching rows and their total number. May be stale.
    async fn list(&self, filter: &DocumentFilter) -> StoreResult<(Vec<DocumentRow>, u64)>;
    /// Changes details. If anything differs, increments `meta_rev` and sets `updated_at` to `at`.
    /// `Conflict(Account)` if the account of `by` is deleted or deactivated; `Corrupt` if the row is
    /// damaged, because a new checksum would hide that.
    async fn change(
        &self,
        id: DocumentId,
        by: ActorId,
        change: &DetailsChange,
        at: Timestamp,
    ) -> StoreResult<DocumentRow>;
    /// Permanently deletes a document in the trash with all its rows, and enqueues the erasure of
    /// its contents. `NotFound` if it is not in the trash.
    async fn purge(&self, id: DocumentId, at: Timestamp) -> StoreResult<()>;
}

/// Owners of documents.
#[async_trait]
pub trait Owners: Send + Sync {
    /// Returns the owners of these documents, for display. May be stale.
    async fn list(&self, documents: &[DocumentId]) -> StoreResult<Vec<(DocumentId, Person)>>;
    /// Adds an owner; idempotent. `Conflict(Reference)` if the user does not exist, or is deleted or
    /// deactivated; `Conflict(Account)` if the account of `by` is deleted or deactivated.
    async fn add(
        &self,
        document: DocumentId,
        by: ActorId,
        user: UserId,
        at: Timestamp,
    ) -> StoreResult<()>;
    /// Removes an owner. `NotFound` if the user is not one, `Conflict(LastOwner)` for the last one
    /// whose account is not deleted.
    async fn remove(&self, document: DocumentId, user: UserId, at: Timestamp) -> StoreResult<()>;
}
