use crate::{fixtures::*, provider::TestStore};
use izanagi_domain::storage::{
    CommitOutcome, Constraint, Freshness, IntentStatus, NewVersion, Restored, StoreError, Topic,
    VersionRow, short_hash,
};
use izanagi_shared::id::{DocumentId, UserId};

suite!(
    a_commit_creates_a_version_and_moves_the_head,
    a_repeated_commit_is_recognised,
    a_request_creates_one_version,
    a_commit_on_an_old_head_reports_the_move,
    an_expired_attempt_is_closed,
    a_trashed_or_missing_document_accepts_no_commit,
    a_nonconsecutive_number_is_refused,
    a_parent_is_demoted_and_a_source_kept_whole,
    one_of_two_commits_on_a_head_succeeds,
    a_version_remembers_what_it_restores,
    an_atomic_commit_writes_content_and_version,
    a_failed_atomic_commit_leaves_nothing,
    an_atomic_commit_with_a_used_id_leaves_nothing,
    a_repeated_atomic_commit_is_recognised,
    concurrent_atomic_commits_leave_no_gap,
);

async fn owned_document(store: &TestStore) -> (UserId, DocumentId) {
    let user = a_user(store).await;
    (user, a_document(store, user).await)
}

async fn a_commit_creates_a_version_and_moves_the_head(store: &TestStore) {
    let (user, document) = owned_document(store).await;
    let before = store.relational.catalog.get(document).await.unwrap();
    let (intent, version) = attempt(store, document, user).await;
    store.relational.intents.open(&intent).await.unwrap();
    assert_eq!(store.relational.intents.commit(&version).await, Ok(CommitOutcome::Committed));
    let row = store.relational.versions.get(Freshness::Fresh, document, 1).await.unwrap();
    let expected = VersionRow {
        document_id: document,
        number: 1,
        commit_id: version.commit_id,
        content_hash: version.content_hash,
        chain_hash: version.chain_hash,
        parent_chain_hash: None,
        length: 5,
        added: 1,
        removed: 0,
        note: version.note.clone(),
        restored: None,
        name: None,
        has_intact_facts: true,
        keep_whole: false,
        is_delta: false,
        author: row.author.clone(),
        body_hash: short_hash(&version.request.body_hash),
        created_at: at(40),
    };
    assert_eq!(version.clone().into_row(row.author.clone()), row);
    assert_eq!((row.author.id, row), (user, expected));
    let head = store.relational.catalog.get(document).await.unwrap();
    assert_eq!((head.head_version, head.head_commit), (1, Some(version.commit_id)));
    assert_eq!((head.updated_at, head.meta_rev), (before.updated_at, before.meta_rev));
    let status = store.relational.intents.get(version.commit_id).await.unwrap().status;
    assert_eq!(status, IntentStatus::Committed);
    assert!(store.relational.outbox.pending(10).await.unwrap().is_empty());
}

async fn a_repeated_commit_is_recognised(store: &TestStore) {
    let (user, document) = owned_document(store).await;
    let (intent, version) = attempt(store, document, user).await;
    store.relational.intents.open(&intent).await.unwrap();
    store.relational.intents.commit(&version).await.unwrap();
    assert_eq!(store.relational.intents.commit(&version).await, Ok(CommitOutcome::RequestKnown));
    let known = store.relational.versions.by_request(&version.request.key).await.unwrap();
    assert_eq!((known.number, known.commit_id), (1, version.commit_id));
}

async fn a_request_creates_one_version(store: &TestStore) {
    let (user, document) = owned_document(store).await;
    let (intent, first) = attempt(store, document, user).await;
    store.relational.intents.open(&intent).await.unwrap();
    store.relational.intents.commit(&first).await.unwrap();
    let (intent, second) = attempt(store, document, user).await;
    let second = NewVersion { request: first.request, ..second };
    store.relational.intents.open(&intent).await.unwrap();
    assert_eq!(store.relational.intents.commit(&second).await, Ok(CommitOutcome::RequestKnown));
    assert_eq!(store.relational.catalog.get(document).await.unwrap().head_version, 1);
    let unknown = store.relational.versions.by_request(&fresh_hash()).await;
    assert_eq!(unknown, Err(StoreError::NotFound));
}

async fn a_commit_on_an_old_head_reports_the_move(store: &TestStore) {
    let (user, document) = owned_document(store).await;
    let (intent, version) = attempt(store, document, user).await;
    store.relational.intents.open(&intent).await.unwrap();
    a_version(store, document, user).await;
    assert_eq!(store.relational.intents.commit(&version).await, Ok(CommitOutcome::HeadMoved));
    let status = store.relational.intents.get(version.commit_id).await.unwrap().status;
    assert_eq!(status, IntentStatus::Open);
}

async fn an_expired_attempt_is_closed(store: &TestStore) {
    let (user, document) = owned_document(store).await;
    let (intent, version) = attempt(store, document, user).await;
    store.relational.intents.open(&intent).await.unwrap();
    let late = NewVersion { at: at(1_001), ..version.clone() };
    assert_eq!(store.relational.intents.commit(&late).await, Ok(CommitOutcome::IntentClosed));
    let just = NewVersion { at: intent.expires_at, ..version };
    assert_eq!(store.relational.intents.commit(&just).await, Ok(CommitOutcome::Committed));
}

async fn a_trashed_or_missing_document_accepts_no_commit(store: &TestStore) {
    let (user, document) = owned_document(store).await;
    let (intent, version) = attempt(store, document, user).await;
    store.relational.intents.open(&intent).await.unwrap();
    trash(store, document, user).await;
    assert_eq!(store.relational.intents.commit(&version).await, Ok(CommitOutcome::DocumentGone));
    store.relational.catalog.purge(document, at(30)).await.unwrap();
    assert_eq!(store.relational.intents.commit(&version).await, Ok(CommitOutcome::DocumentGone));
}

async fn a_nonconsecutive_number_is_refused(store: &TestStore) {
    let (user, document) = owned_document(store).await;
    for number in [0, 2, u64::MAX] {
        let (intent, version) = attempt(store, document, user).await;
        store.relational.intents.open(&intent).await.unwrap();
        let wrong = NewVersion { number, ..version };
        let result = store.relational.intents.commit(&wrong).await;
        assert_eq!(result, Err(StoreError::Conflict(Constraint::Other)));
    }
    assert_eq!(store.relational.catalog.get(document).await.unwrap().head_version, 0);
}

async fn a_parent_is_demoted_and_a_source_kept_whole(store: &TestStore) {
    let (user, document) = owned_document(store).await;
    for _ in 0..2 {
        a_version(store, document, user).await;
    }
    let (intent, version) = attempt(store, document, user).await;
    let version = NewVersion { restored: Some(Restored::Version(1)), ..version };
    store.relational.intents.open(&intent).await.unwrap();
    store.relational.intents.commit(&version).await.unwrap();
    let work = store.relational.outbox.pending(10).await.unwrap();
    let work: Vec<_> = work.into_iter().map(|item| (item.topic, item.key)).collect();
    let expected = [
        (Topic::Demote, format!("{document}/1")),
        (Topic::Demote, format!("{document}/2")),
        (Topic::MakeWhole, format!("{document}/1")),
    ];
    assert_eq!(work, expected);
    let kept: Vec<_> = store
        .relational
        .versions
        .range(document, 1, 3)
        .await
        .unwrap()
        .iter()
        .map(|v| v.keep_whole)
        .collect();
    assert_eq!(kept, [true, false, false]);
}

async fn one_of_two_commits_on_a_head_succeeds(store: &TestStore) {
    let (user, document) = owned_document(store).await;
    for round in 0..10 {
        let mut commits = Vec::new();
        for _ in 0..2 {
            let (intent, version) = attempt(store, document, user).await;
            store.relational.intents.open(&intent).await.unwrap();
            commits.push(version);
        }
        let tasks = commits.into_iter().map(|version| {
            let stores = store.stores();
            tokio::spawn(async move { stores.relational.intents.commit(&version).await })
        });
        let mut outcomes = Vec::new();
        for task in Vec::from_iter(tasks) {
            outcomes.push(task.await.unwrap().unwrap());
        }
        assert!(outcomes.contains(&CommitOutcome::Committed));
        assert!(outcomes.contains(&CommitOutcome::HeadMoved));
        assert_eq!(store.relational.catalog.get(document).await.unwrap().head_version, round + 1);
    }
}

async fn a_version_remembers_what_it_restores(store: &TestStore) {
    let (user, document) = owned_document(store).await;
    a_version(store, document, user).await;
    for restored in [Some(Restored::Version(1)), Some(Restored::Edit(7)), None] {
        let (intent, version) = attempt(store, document, user).await;
        let version = NewVersion { restored, ..version };
        store.relational.intents.open(&intent).await.unwrap();
        store.relational.intents.commit(&version).await.unwrap();
        let row = store.relational.versions.by_commit(version.commit_id).await.unwrap();
        assert_eq!(row.restored, restored);
    }
}

async fn an_atomic_commit_writes_content_and_version(store: &TestStore) {
    let Some(atomic) = &store.relational.atomic else { return };
    let (user, document) = owned_document(store).await;
    a_version(store, document, user).await;
    let (_, version) = attempt(store, document, user).await;
    let version = NewVersion { restored: Some(Restored::Version(1)), ..version };
    let record = content_record(&version);
    let outcome = atomic
        .commit_with_content(std::slice::from_ref(&record), &version)
        .await
        .map(|done| done.unwrap());
    assert_eq!(outcome, Ok(CommitOutcome::Committed));
    let row = store.relational.versions.by_commit(version.commit_id).await.unwrap();
    assert_eq!((row.number, row.restored), (2, version.restored));
    assert_eq!(store.documents.get(&record.path).await.unwrap().data, record.data);
    // Nothing is visible before the transaction commits, so there is no intent.
    assert_eq!(store.relational.intents.get(version.commit_id).await, Err(StoreError::NotFound));
    assert!(store.relational.versions.get(Freshness::Fresh, document, 1).await.unwrap().keep_whole);
    assert_eq!(store.relational.outbox.pending(10).await.unwrap().len(), 2);
}

async fn assert_nothing_left(store: &TestStore, version: &NewVersion) {
    let commit = version.commit_id;
    assert_eq!(store.relational.versions.by_commit(commit).await, Err(StoreError::NotFound));
    let record = content_record(version);
    assert_eq!(store.documents.get(&record.path).await, Err(StoreError::NotFound));
}

async fn a_failed_atomic_commit_leaves_nothing(store: &TestStore) {
    let Some(atomic) = &store.relational.atomic else { return };
    let (user, document) = owned_document(store).await;
    let (_, old) = attempt(store, document, user).await;
    a_version(store, document, user).await;
    let outcome =
        atomic.commit_with_content(&[content_record(&old)], &old).await.map(|done| done.unwrap());
    assert_eq!(outcome, Ok(CommitOutcome::HeadMoved));
    assert_nothing_left(store, &old).await;
    assert_eq!(store.relational.intents.get(old.commit_id).await, Err(StoreError::NotFound));

    let (_, version) = attempt(store, document, user).await;
    trash(store, document, user).await;
    let outcome = atomic
        .commit_with_content(&[content_record(&version)], &version)
        .await
        .map(|done| done.unwrap());
    assert_eq!(outcome, Ok(CommitOutcome::DocumentGone));
    assert_nothing_left(store, &version).await;
    assert_eq!(store.relational.catalog.get(document).await.unwrap().head_version, 1);
}

async fn an_atomic_commit_with_a_used_id_leaves_nothing(store: &TestStore) {
    let Some(atomic) = &store.relational.atomic else { return };
    let (user, document) = owned_document(store).await;
    let (intent, version) = attempt(store, document, user).await;
    store.relational.intents.open(&intent).await.unwrap();
    store.relational.intents.fence(intent.commit_id).await.unwrap();
    let outcome = atomic
        .commit_with_content(&[content_record(&version)], &version)
        .await
        .map(|done| done.unwrap());
    assert_eq!(outcome, Err(StoreError::Conflict(Constraint::CommitId)));
    assert_nothing_left(store, &version).await;
    let status = store.relational.intents.get(intent.commit_id).await.unwrap().status;
    assert_eq!(status, IntentStatus::Gc);
}

async fn a_repeated_atomic_commit_is_recognised(store: &TestStore) {
    let Some(atomic) = &store.relational.atomic else { return };
    let (user, document) = owned_document(store).await;
    let (_, version) = attempt(store, document, user).await;
    let records = [content_record(&version)];
    for expected in [CommitOutcome::Committed, CommitOutcome::RequestKnown] {
        let outcome =
            atomic.commit_with_content(&records, &version).await.map(|done| done.unwrap());
        assert_eq!(outcome, Ok(expected));
    }
}

async fn concurrent_atomic_commits_leave_no_gap(store: &TestStore) {
    if store.relational.atomic.is_none() {
        return;
    }
    let (user, document) = owned_document(store).await;
    let savers: Vec<_> = (0..8)
        .map(|_| {
            let stores = store.stores();
            tokio::spawn(async move {
                let atomic = stores.relational.atomic.clone().unwrap();
                loop {
                    let (_, version) = attempt(&stores, document, user).await;
                    let records = [content_record(&version)];
                    match atomic.commit_with_content(&records, &version).await {
                        Ok(Some(CommitOutcome::Committed)) => return,
                        Ok(Some(CommitOutcome::HeadMoved)) => {}
                        other => panic!("{other:?}"),
                    }
                }
            })
        })
        .collect();
    for saver in savers {
        saver.await.unwrap();
    }
    let versions = store.relational.versions.range(document, 0, u64::MAX).await.unwrap();
    let numbers: Vec<_> = versions.iter().map(|version| version.number).collect();
    assert_eq!(numbers, (1..=8).collect::<Vec<u64>>());
}
