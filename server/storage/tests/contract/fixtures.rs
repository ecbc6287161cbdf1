//! Test data.

use izanagi_domain::{
    accounts::{PasswordHash, Role},
    storage::{
        AuditEvent, Batch, ClientOwner, CommitOutcome, Data, Details, NewDocument, NewIntent,
        NewRecord, NewUpdate, NewVersion, RecordPath, Request, Stores, TextFacts, User, UserChange,
        VersionNote, VersionRow,
    },
};
use izanagi_shared::{
    id::{ActorId, CommitId, DocumentId, UserId},
    rules::DocumentKind,
    time::Timestamp,
};
use std::sync::atomic::{AtomicU64, Ordering};
use uuid::Uuid;

/// An actor without an account.
pub(crate) const SERVER: ActorId = ActorId::SERVER;

static NEXT: AtomicU64 = AtomicU64::new(1);

/// Returns a unique number.
pub(crate) fn fresh() -> u64 {
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Returns a unique id, larger than the earlier ones.
pub(crate) fn fresh_uuid() -> Uuid {
    Uuid::from_u128((1 << 80) + u128::from(fresh()))
}

/// Returns a unique key or hash.
pub(crate) fn fresh_hash() -> [u8; 32] {
    let mut hash = [0xAB; 32];
    hash[..8].copy_from_slice(&fresh().to_be_bytes());
    hash
}

pub(crate) fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

pub(crate) fn new_user() -> User {
    let number = fresh();
    User {
        id: UserId(fresh_uuid()),
        username: format!("user{number}"),
        email: format!("user{number}@example.org"),
        display_name: format!("User {number}"),
        bio: String::new(),
        role: Role::User,
        password_hash: PasswordHash::from_stored("$argon2id$…"),
        created_at: at(1),
        last_login_at: None,
        deactivated_at: None,
    }
}

/// An audit event at a time.
pub(crate) fn event(micros: i64) -> AuditEvent {
    let (subject, ip) = (format!("subject {micros}"), "::1".to_owned());
    AuditEvent { action: "user_changed", actor: None, subject, ip, at: at(micros) }
}

/// Returns the recorded audit events, newest first.
pub(crate) async fn audited(stores: &Stores) -> Vec<String> {
    let newest = stores.relational.audit.newest(100).await.unwrap();
    newest.into_iter().map(|(_, subject, _)| subject).collect()
}

/// Stores an account.
pub(crate) async fn a_user(stores: &Stores) -> UserId {
    let user = new_user();
    stores.relational.users.create(&user).await.unwrap();
    user.id
}

/// Stores two accounts that no longer may act: a deleted and a deactivated one.
pub(crate) async fn inactive_users(stores: &Stores) -> [UserId; 2] {
    let users = [a_user(stores).await, a_user(stores).await];
    for (user, deletes) in users.into_iter().zip([true, false]) {
        deactivate(stores, user, deletes).await;
    }
    users
}

/// Deletes or deactivates an account.
pub(crate) async fn deactivate(stores: &Stores, user: UserId, deletes: bool) {
    if deletes {
        stores.relational.users.delete(user, &event(15)).await.unwrap();
    } else {
        let deactivated_at = Some(Some(at(15)));
        let change = UserChange { deactivated_at, ..UserChange::default() };
        stores.relational.users.update(user, &change, None).await.unwrap();
    }
}

pub(crate) fn request() -> Request {
    Request { key: fresh_hash(), body_hash: fresh_hash() }
}

pub(crate) fn new_document(owner: UserId) -> NewDocument {
    NewDocument {
        id: DocumentId(fresh_uuid()),
        kind: DocumentKind::Markdown,
        details: Details { title: "Plan".to_owned(), ..Details::default() },
        created_by: owner,
        request: request(),
        state: vec![0, 0],
        client_id: 1,
        lineage: [3; 16],
        content: String::new(),
        text: TextFacts { seq: 0, hash: [7; 32], length: 0, words: 0 },
        at: at(10),
    }
}

/// Stores a document.
pub(crate) async fn a_document(stores: &Stores, owner: UserId) -> DocumentId {
    let document = new_document(owner);
    stores.relational.catalog.create(&document).await.unwrap();
    document.id
}

/// Moves a document to the trash.
pub(crate) async fn trash(stores: &Stores, document: DocumentId, by: UserId) {
    let change =
        izanagi_domain::storage::DetailsChange { trashed: Some(true), ..Default::default() };
    stores.relational.catalog.change(document, by.into(), &change, at(20)).await.unwrap();
}

/// Creates an update whose bytes are derived from its op id.
pub(crate) fn update(actor: UserId, op_id: &str) -> NewUpdate {
    let mut delta_hash = [0; 32];
    for (index, byte) in op_id.bytes().enumerate() {
        delta_hash[index % 32] ^= byte;
    }
    NewUpdate {
        actor: actor.into(),
        op_id: op_id.to_owned(),
        delta: op_id.as_bytes().to_vec().into(),
        delta_hash,
        clients: Vec::new(),
        client_owner: ClientOwner::Actor(actor.into()),
        missing_clients: Vec::new(),
    }
}

pub(crate) fn batch(document_id: DocumentId, updates: Vec<NewUpdate>) -> Batch {
    Batch { document_id, updates, after: None, at: at(30) }
}

pub(crate) fn data(text: &str) -> Data {
    [("content".to_owned(), text.into())].into_iter().collect()
}

/// Builds an attempt on the current head: its intent and the version to commit.
pub(crate) async fn attempt(
    stores: &Stores,
    document: DocumentId,
    author: UserId,
) -> (NewIntent, NewVersion) {
    let head = stores.relational.catalog.get(document).await.unwrap();
    let commit_id = CommitId(fresh_uuid());
    let request = request();
    let intent = NewIntent {
        commit_id,
        document_id: document,
        base_commit: head.head_commit,
        request_key: request.key,
        expires_at: at(1_000),
        at: at(40),
    };
    let version = NewVersion {
        document_id: document,
        number: head.head_version + 1,
        commit_id,
        parent_commit: head.head_commit,
        content_hash: fresh_hash(),
        chain_hash: fresh_hash(),
        parent_chain_hash: None,
        length: 5,
        added: 1,
        removed: 0,
        note: VersionNote { message: "why".to_owned(), ..VersionNote::default() },
        restored: None,
        author_id: author.into(),
        request,
        at: at(40),
    };
    (intent, version)
}

/// Returns the record with the content of a version.
pub(crate) fn content_record(version: &NewVersion) -> NewRecord {
    let path = RecordPath::content(version.document_id, version.commit_id);
    NewRecord { path, data: data("words") }
}

/// Commits a version on the current head.
pub(crate) async fn a_version(stores: &Stores, document: DocumentId, author: UserId) -> VersionRow {
    let (intent, version) = attempt(stores, document, author).await;
    stores.relational.intents.open(&intent).await.unwrap();
    let outcome = stores.relational.intents.commit(&version).await.unwrap();
    assert_eq!(outcome, CommitOutcome::Committed);
    stores.relational.versions.by_commit(version.commit_id).await.unwrap()
}
