//! Documents: who, when, where. Their text lies in the live log.

use super::StoreResult;
use crate::principal::Viewer;
use async_trait::async_trait;
use izanagi_shared::{
    id::{CommitId, DocumentId, UserId},
    permission::Access,
    rules::DocumentKind,
    time::Timestamp,
    wire::{DocumentSort, Person},
};
use uuid::Uuid;

/// A request that may be sent again: same key, same answer (API.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Request {
    /// SHA-256 over user, method, path and `Idempotency-Key`; a fresh random one without a key.
    pub key: [u8; 32],
    /// SHA-256 of the body, to notice another body under the same key.
    pub body_hash: [u8; 32],
}

/// What is known of a text without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TextFacts {
    /// The live update up to which it is the text.
    pub seq: u64,
    /// SHA-256 of the text.
    pub hash: [u8; 32],
    /// Bytes in UTF-8.
    pub length: u64,
    /// Words.
    pub words: u64,
}

/// A document's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentRow {
    /// The document.
    pub id: DocumentId,
    /// What its text is.
    pub kind: DocumentKind,
    /// Its title.
    pub title: String,
    /// What it is about.
    pub description: String,
    /// Who created it.
    pub created_by: UserId,
    /// Who changed it last.
    pub last_modified_by: UserId,
    /// The newest version, 0 for none.
    pub head_version: u64,
    /// The commit of the newest version.
    pub head_commit: Option<CommitId>,
    /// The newest live update.
    pub live_seq: u64,
    /// Drawn when the document was created. CRDT updates are valid in their own lineage only.
    pub lineage: [u8; 16],
    /// Grows with every change of title, description and so on.
    pub meta_rev: u64,
    /// Of the text as it was last materialised; behind when `text.seq < live_seq`.
    pub text: TextFacts,
    /// Whether anybody may read it.
    pub is_public: bool,
    /// Whether it serves as a template.
    pub is_template: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its text or details last changed.
    pub updated_at: Timestamp,
    /// When it was moved to trash.
    pub deleted_at: Option<Timestamp>,
}

/// A document to be made, with the first state of its text.
#[derive(Debug, Clone)]
pub struct NewDocument {
    /// The document.
    pub id: DocumentId,
    /// What its text is.
    pub kind: DocumentKind,
    /// Its title.
    pub title: String,
    /// What it is about.
    pub description: String,
    /// Who creates and so owns it.
    pub created_by: UserId,
    /// The request that asks for it.
    pub request: Request,
    /// The CRDT state of the text: the snapshot at seq 0.
    pub state: Vec<u8>,
    /// The CRDT client id that wrote that state.
    pub client_id: u64,
    /// 16 random bytes: the lineage of that state.
    pub lineage: [u8; 16],
    /// The text.
    pub content: String,
    /// Facts of the text, at seq 0.
    pub text: TextFacts,
    /// When.
    pub at: Timestamp,
}

/// Changes to a document's details; `None` leaves as is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DetailsChange {
    /// A new title.
    pub title: Option<String>,
    /// A new description.
    pub description: Option<String>,
    /// Whether anybody may read it.
    pub is_public: Option<bool>,
    /// Whether it serves as a template.
    pub is_template: Option<bool>,
    /// `Some(true)` to trash, `Some(false)` back.
    pub trashed: Option<bool>,
}

/// A place in a sorted list: the sort key of the last row seen, and its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Micros for times, folded title for titles.
    pub key: CursorKey,
    /// Ends every keyset, so that equal keys have an order.
    pub id: Uuid,
}

/// The sort key in a [`Cursor`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CursorKey {
    /// For sorting by time.
    Micros(i64),
    /// For sorting by title, folded.
    Text(String),
}

/// Which documents to list.
#[derive(Debug, Clone)]
pub struct DocumentFilter {
    /// Only documents this user can see through ownership.
    pub visible_to: UserId,
    /// Only documents this user owns.
    pub owner: Option<UserId>,
    /// Only titles and descriptions with all of these words, case-folded.
    pub words: Vec<String>,
    /// `false`: not in trash; `true`: in trash; `None`: both.
    pub trashed: Option<bool>,
    /// How sorted.
    pub sort: DocumentSort,
    /// Where to go on; wins over `offset`.
    pub cursor: Option<Cursor>,
    /// Rows to skip.
    pub offset: u64,
    /// Rows to give.
    pub limit: u32,
}

/// Documents. Only the list may be stale: everything else decides about rights, heads or requests.
#[async_trait]
pub trait Catalog: Send + Sync {
    /// Makes a document, its owner, snapshot, text. `Conflict(RequestKey)` when the request is known.
    async fn create(&self, new: &NewDocument) -> StoreResult<()>;
    /// The document that a request made, and that request's body hash.
    async fn by_request(&self, key: &[u8; 32]) -> StoreResult<(DocumentId, [u8; 32])>;
    /// One document.
    async fn get(&self, id: DocumentId) -> StoreResult<DocumentRow>;
    /// One document and what gives this viewer rights to it, by one query.
    async fn get_for(&self, viewer: &Viewer, id: DocumentId) -> StoreResult<(DocumentRow, Access)>;
    /// The rows that fit the filter, and how many there are in all. May be stale.
    async fn list(&self, filter: &DocumentFilter) -> StoreResult<(Vec<DocumentRow>, u64)>;
    /// Changes details; `meta_rev` grows and `updated_at` is `at` if something differs.
    async fn change(
        &self,
        id: DocumentId,
        by: UserId,
        change: &DetailsChange,
        at: Timestamp,
    ) -> StoreResult<DocumentRow>;
    /// Removes a trashed document and all its rows, and puts the erasing of its contents in the
    /// outbox. `NotFound` when it is not in trash.
    async fn purge(&self, id: DocumentId, at: Timestamp) -> StoreResult<()>;
}

/// Who owns documents.
#[async_trait]
pub trait Owners: Send + Sync {
    /// The owners of those documents, for display. May be stale.
    async fn list(&self, documents: &[DocumentId]) -> StoreResult<Vec<(DocumentId, Person)>>;
    /// Adds an owner; nothing happens when they are one. `Conflict(Reference)`: no such user.
    async fn add(&self, document: DocumentId, user: UserId, at: Timestamp) -> StoreResult<()>;
    /// Removes an owner. `NotFound` when they are none, `Conflict(LastOwner)` for the last.
    async fn remove(&self, document: DocumentId, user: UserId, at: Timestamp) -> StoreResult<()>;
    /// Takes a user out of all documents that others own too, and moves those that nobody else owns
    /// to trash.
    async fn release(&self, user: UserId, at: Timestamp) -> StoreResult<()>;
}
