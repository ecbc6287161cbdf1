use crate::{fixtures::*, provider::TestStore};
use izanagi_domain::storage::{
    CommitIntent, CommitOutcome, Constraint, Fence, IntentStatus, StoreError,
};
use izanagi_shared::id::CommitId;

suite!(
    an_attempt_is_opened_once,
    a_fence_closes_only_open_attempts,
    a_fenced_attempt_is_never_committed,
    a_request_fence_closes_only_its_own_open_attempts,
    an_unopened_attempt_cannot_commit_after_a_fence,
    only_open_expired_attempts_are_condemned,
    expired_attempts_are_listed_oldest_first,
    condemned_attempts_are_listed_until_they_are_erased,
    forgotten_attempts_keep_their_ids_used,
    an_unknown_attempt_is_not_found,
    either_the_commit_or_the_fence_wins,
);

async fn an_attempt_is_opened_once(store: &TestStore) {
    let user = a_user(store).await;
    let document = a_document(store, user).await;
    let (intent, _) = attempt(store, document, user).await;
    store.relational.intents.open(&intent).await.unwrap();
    let again = store.relational.intents.open(&intent).await;
    assert_eq!(again, Err(StoreError::Conflict(Constraint::CommitId)));
    let expected = CommitIntent {
        commit_id: intent.commit_id,
        document_id: document,
        status: IntentStatus::Open,
        expires_at: intent.expires_at,
        erased: false,
    };
    assert_eq!(store.relational.intents.get(intent.commit_id).await.unwrap(), expected);
}

async fn a_fence_closes_only_open_attempts(store: &TestStore) {
    let user = a_user(store).await;
    let document = a_document(store, user).await;
    let committed = a_version(store, document, user).await.commit_id;
    assert_eq!(store.relational.intents.fence(committed).await, Ok(Fence::NotOpen));
    let status = store.relational.intents.get(committed).await.unwrap().status;
    assert_eq!(status, IntentStatus::Committed);

    let (intent, _) = attempt(store, document, user).await;
    store.relational.intents.open(&intent).await.unwrap();
    assert_eq!(store.relational.intents.fence(intent.commit_id).await, Ok(Fence::Closed));
    // A retry after a lost reply.
    assert_eq!(store.relational.intents.fence(intent.commit_id).await, Ok(Fence::NotOpen));
    let status = store.relational.intents.get(intent.commit_id).await.unwrap().status;
    assert_eq!(status, IntentStatus::Gc);
    assert_eq!(store.relational.intents.fence(CommitId(fresh_uuid())).await, Ok(Fence::NotOpen));
}

async fn a_fenced_attempt_is_never_committed(store: &TestStore) {
    let user = a_user(store).await;
    let document = a_document(store, user).await;
    let (intent, version) = attempt(store, document, user).await;
    store.relational.intents.open(&intent).await.unwrap();
    store.relational.intents.fence(intent.commit_id).await.unwrap();
    assert_eq!(store.relational.intents.commit(&version).await, Ok(CommitOutcome::IntentClosed));
    let absent = store.relational.versions.by_commit(intent.commit_id).await;
    assert_eq!(absent, Err(StoreError::NotFound));
    assert_eq!(store.relational.catalog.get(document).await.unwrap().head_version, 0);
}

async fn a_request_fence_closes_only_its_own_open_attempts(store: &TestStore) {
    let user = a_user(store).await;
    let document = a_document(store, user).await;
    let committed = a_version(store, document, user).await.commit_id;
    let (first, version) = attempt(store, document, user).await;
    let (mut second, _) = attempt(store, document, user).await;
    second.request_key = first.request_key;
    let (other, _) = attempt(store, document, user).await;
    for intent in [&first, &second, &other] {
        store.relational.intents.open(intent).await.unwrap();
    }
    // A retry after a lost reply.
    for _ in 0..2 {
        store.relational.intents.fence_request(&first.request_key).await.unwrap();
    }
    store.relational.intents.fence_request(&version.content_hash).await.unwrap();
    let expected = [
        (first.commit_id, IntentStatus::Gc),
        (second.commit_id, IntentStatus::Gc),
        (other.commit_id, IntentStatus::Open),
        (committed, IntentStatus::Committed),
    ];
    for (commit, status) in expected {
        assert_eq!(store.relational.intents.get(commit).await.unwrap().status, status);
    }
    assert_eq!(store.relational.intents.commit(&version).await, Ok(CommitOutcome::IntentClosed));
}

async fn an_unopened_attempt_cannot_commit_after_a_fence(store: &TestStore) {
    let user = a_user(store).await;
    let document = a_document(store, user).await;
    let (_, version) = attempt(store, document, user).await;
    assert_eq!(store.relational.intents.commit(&version).await, Ok(CommitOutcome::IntentClosed));
}

async fn only_open_expired_attempts_are_condemned(store: &TestStore) {
    let user = a_user(store).await;
    let document = a_document(store, user).await;
    let (intent, version) = attempt(store, document, user).await;
    store.relational.intents.open(&intent).await.unwrap();
    assert_eq!(
        store.relational.intents.condemn(intent.commit_id, intent.expires_at).await,
        Ok(false)
    );
    assert_eq!(store.relational.intents.condemn(intent.commit_id, at(1_001)).await, Ok(true));
    assert_eq!(store.relational.intents.condemn(intent.commit_id, at(1_002)).await, Ok(false));
    assert_eq!(store.relational.intents.commit(&version).await, Ok(CommitOutcome::IntentClosed));
    let committed = a_version(store, document, user).await.commit_id;
    assert_eq!(store.relational.intents.condemn(committed, at(9_999)).await, Ok(false));
    let unknown = CommitId(fresh_uuid());
    assert_eq!(store.relational.intents.condemn(unknown, at(9_999)).await, Ok(false));
}

async fn expired_attempts_are_listed_oldest_first(store: &TestStore) {
    let user = a_user(store).await;
    let document = a_document(store, user).await;
    let mut expected = Vec::new();
    for expires in [300, 100, 200, 900] {
        let (mut intent, _) = attempt(store, document, user).await;
        intent.expires_at = at(expires);
        store.relational.intents.open(&intent).await.unwrap();
        expected.push((expires, intent.commit_id));
    }
    a_version(store, document, user).await;
    expected.sort_unstable();
    let expired = store.relational.intents.expired(at(900), 10).await.unwrap();
    let found: Vec<_> = expired.iter().map(|i| (i.expires_at.as_micros(), i.commit_id)).collect();
    assert_eq!(found, expected[..3]);
    assert_eq!(store.relational.intents.expired(at(900), 2).await.unwrap(), expired[..2]);
}

async fn condemned_attempts_are_listed_until_they_are_erased(store: &TestStore) {
    let user = a_user(store).await;
    let document = a_document(store, user).await;
    let mut commits = Vec::new();
    for _ in 0..2 {
        let (intent, _) = attempt(store, document, user).await;
        store.relational.intents.open(&intent).await.unwrap();
        store.relational.intents.fence(intent.commit_id).await.unwrap();
        commits.push(intent.commit_id);
    }
    let condemned = store.relational.intents.condemned(None, 10).await.unwrap();
    assert_eq!(condemned.iter().map(|i| i.commit_id).collect::<Vec<_>>(), commits);
    assert_eq!(store.relational.intents.condemned(None, 1).await.unwrap(), condemned[..1]);
    for _ in 0..2 {
        store.relational.intents.erased(commits[0], at(50)).await.unwrap();
    }
    assert_eq!(store.relational.intents.condemned(None, 10).await.unwrap(), condemned[1..]);
    // The row stays, so that its id is never reused and late content is recognised.
    let kept = store.relational.intents.get(commits[0]).await.unwrap();
    assert_eq!((kept.status, kept.erased), (IntentStatus::Gc, true));
    assert_eq!(store.relational.intents.condemned(Some(commits[1]), 10).await.unwrap(), []);
    let after = store.relational.intents.condemned(Some(commits[0]), 10).await.unwrap();
    assert_eq!(after, condemned[1..]);
}

async fn forgotten_attempts_keep_their_ids_used(store: &TestStore) {
    let user = a_user(store).await;
    let document = a_document(store, user).await;
    let (intent, version) = attempt(store, document, user).await;
    store.relational.intents.open(&intent).await.unwrap();
    store.relational.intents.commit(&version).await.unwrap();
    let (open, _) = attempt(store, document, user).await;
    let (condemned, _) = attempt(store, document, user).await;
    for intent in [&open, &condemned] {
        store.relational.intents.open(intent).await.unwrap();
    }
    store.relational.intents.fence(condemned.commit_id).await.unwrap();
    store.relational.intents.erased(condemned.commit_id, at(50)).await.unwrap();
    store.relational.intents.forget(intent.at).await.unwrap();
    assert!(store.relational.intents.get(intent.commit_id).await.is_ok());
    store.relational.intents.forget(at(9_999)).await.unwrap();
    assert_eq!(store.relational.intents.get(intent.commit_id).await, Err(StoreError::NotFound));
    for intent in [&open, &condemned] {
        assert!(store.relational.intents.get(intent.commit_id).await.is_ok());
    }
    // A late copy of step 2 must not open an attempt whose content the collector would erase.
    let late = store.relational.intents.open(&intent).await;
    assert_eq!(late, Err(StoreError::Conflict(Constraint::CommitId)));
    assert_eq!(store.relational.intents.get(intent.commit_id).await, Err(StoreError::NotFound));
    assert_eq!(store.relational.intents.fence(intent.commit_id).await, Ok(Fence::NotOpen));
}

async fn an_unknown_attempt_is_not_found(store: &TestStore) {
    let unknown = CommitId(fresh_uuid());
    assert_eq!(store.relational.intents.get(unknown).await, Err(StoreError::NotFound));
    assert_eq!(store.relational.intents.erased(unknown, at(1)).await, Err(StoreError::NotFound));
}

async fn either_the_commit_or_the_fence_wins(store: &TestStore) {
    let user = a_user(store).await;
    let document = a_document(store, user).await;
    for _ in 0..10 {
        let (intent, version) = attempt(store, document, user).await;
        store.relational.intents.open(&intent).await.unwrap();
        let (committing, fencing) = (store.stores(), store.stores());
        let commit =
            tokio::spawn(async move { committing.relational.intents.commit(&version).await });
        let fence =
            tokio::spawn(async move { fencing.relational.intents.fence(intent.commit_id).await });
        let outcome = (commit.await.unwrap().unwrap(), fence.await.unwrap().unwrap());
        let found = store.relational.versions.by_commit(intent.commit_id).await;
        match outcome {
            (CommitOutcome::Committed, Fence::NotOpen) => assert!(found.is_ok()),
            (CommitOutcome::IntentClosed, Fence::Closed) => {
                assert_eq!(found, Err(StoreError::NotFound));
            }
            other => panic!("{other:?}"),
        }
    }
}
