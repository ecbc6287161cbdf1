//! All stores of a provider behind one injector.

use super::{AT, is_unavailable, path};
use izanagi_domain::{
    hash::sha256,
    storage::{Freshness, NewIntent, NewVersion, Request, VersionNote},
};
use izanagi_shared::id::{CommitId, DocumentId, SessionId, UserId};
use izanagi_storage::{
    StorageConfig,
    faulty::{Fault, Injector, wrap},
    open,
};
use uuid::Uuid;

const DOCUMENT: DocumentId = DocumentId(Uuid::nil());
const COMMIT: CommitId = CommitId(Uuid::nil());
const USER: UserId = UserId(Uuid::nil());
const SESSION: SessionId = SessionId(Uuid::nil());

fn intent() -> NewIntent {
    NewIntent {
        commit_id: COMMIT,
        document_id: DOCUMENT,
        base_commit: None,
        request_key: [0; 32],
        expires_at: AT,
        at: AT,
    }
}

fn version() -> NewVersion {
    NewVersion {
        document_id: DOCUMENT,
        number: 1,
        commit_id: COMMIT,
        parent_commit: None,
        content_hash: sha256(""),
        chain_hash: [0; 32],
        parent_chain_hash: None,
        length: 0,
        added: 0,
        removed: 0,
        note: VersionNote::default(),
        restored: None,
        author_id: USER.into(),
        request: Request { key: [0; 32], body_hash: [0; 32] },
        at: AT,
    }
}

#[tokio::test]
async fn every_store_of_a_provider_is_covered() {
    let opened = open(&StorageConfig::new("memory://")).await.unwrap();
    let injector = Injector::seeded_among(0, 1.0, &[Fault::ErrorBefore]);
    let stores = wrap(opened.stores.clone(), &injector);
    let atomic = stores.relational.atomic.as_ref().expect("one database holds everything");

    assert!(is_unavailable(&stores.documents.get(&path("a")).await));
    assert!(is_unavailable(&stores.relational.users.by_id(USER).await));
    assert!(is_unavailable(&stores.relational.sessions.get(SESSION).await));
    assert!(is_unavailable(&stores.revocations.is_revoked(SESSION).await));
    assert!(is_unavailable(&stores.relational.catalog.get(DOCUMENT).await));
    assert!(is_unavailable(&stores.relational.owners.list(&[DOCUMENT]).await));
    assert!(is_unavailable(&stores.relational.versions.get(Freshness::Fresh, DOCUMENT, 1).await));
    assert!(is_unavailable(&stores.relational.intents.fence(COMMIT).await));
    assert!(is_unavailable(&atomic.commit_with_content(&[], &version()).await));
    assert!(is_unavailable(&stores.relational.log.load(DOCUMENT).await));
    assert!(is_unavailable(&stores.relational.changes.newest().await));
    assert!(is_unavailable(&stores.relational.outbox.pending(1).await));
    assert!(is_unavailable(&stores.relational.audit.newest(1).await));
    assert!(is_unavailable(&stores.relational.inspect.integrity().await));
    assert!(is_unavailable(&stores.relational.upkeep.forget_sessions(AT).await));

    let met: Vec<_> = injector.faults().iter().map(|(call, _)| call.store).collect();
    let expected = [
        "records",
        "users",
        "sessions",
        "revocations",
        "catalog",
        "owners",
        "versions",
        "intents",
        "atomic",
        "log",
        "changes",
        "outbox",
        "audit",
        "inspect",
        "upkeep",
    ];
    assert_eq!(met, expected);
    opened.close().await;
}

#[tokio::test]
async fn a_late_intent_is_missed_by_the_next_read() {
    let opened = open(&StorageConfig::new("memory://")).await.unwrap();
    let stores = wrap(opened.stores.clone(), &Injector::nth(0, Fault::LateEffect));
    assert!(stores.relational.intents.open(&intent()).await.is_err());
    assert!(stores.relational.intents.get(COMMIT).await.is_err());
    assert!(stores.relational.intents.get(COMMIT).await.is_ok());
    opened.close().await;
}
