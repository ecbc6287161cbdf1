use crate::{fixtures::*, provider::TestStore};
use izanagi_domain::storage::{IntentStatus, OpsSummary};
use izanagi_shared::id::DocumentId;

suite!(
    documents_are_listed_by_id_including_trash,
    all_attempts_of_a_document_are_listed,
    attempts_of_missing_documents_are_listed,
    op_facts_are_computed,
    an_intact_database_has_no_problems,
);

async fn documents_are_listed_by_id_including_trash(store: &TestStore) {
    let user = a_user(store).await;
    let mut expected = Vec::new();
    for _ in 0..5 {
        expected.push(a_document(store, user).await);
    }
    trash(store, expected[2], user).await;
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = store.relational.inspect.documents(after, 2).await.unwrap();
        after = page.last().copied();
        found.extend(page);
        if after.is_none() {
            break;
        }
    }
    assert_eq!(found, expected);
}

async fn all_attempts_of_a_document_are_listed(store: &TestStore) {
    let user = a_user(store).await;
    let document = a_document(store, user).await;
    a_version(store, document, user).await;
    let (intent, _) = attempt(store, document, user).await;
    store.relational.intents.open(&intent).await.unwrap();
    a_version(store, a_document(store, user).await, user).await;
    let statuses: Vec<_> = store
        .relational
        .inspect
        .intents(document)
        .await
        .unwrap()
        .iter()
        .map(|i| i.status)
        .collect();
    assert_eq!(statuses, [IntentStatus::Committed, IntentStatus::Open]);
}

async fn attempts_of_missing_documents_are_listed(store: &TestStore) {
    let user = a_user(store).await;
    let (document, neighbour) = (a_document(store, user).await, a_document(store, user).await);
    a_version(store, document, user).await;
    let mut commits = Vec::new();
    for _ in 0..3 {
        let (intent, _) = attempt(store, document, user).await;
        store.relational.intents.open(&intent).await.unwrap();
        commits.push(intent.commit_id);
    }
    let (other, _) = attempt(store, neighbour, user).await;
    store.relational.intents.open(&other).await.unwrap();
    assert_eq!(store.relational.inspect.abandoned(None, 10).await, Ok(vec![]));
    trash(store, document, user).await;
    store.relational.catalog.purge(document, at(30)).await.unwrap();
    let found = store.relational.inspect.abandoned(None, 2).await.unwrap();
    assert_eq!(found.iter().map(|i| i.commit_id).collect::<Vec<_>>(), commits[..2]);
    let rest = store.relational.inspect.abandoned(Some(commits[1]), 2).await.unwrap();
    assert_eq!(rest.iter().map(|i| i.commit_id).collect::<Vec<_>>(), commits[2..]);
}

async fn op_facts_are_computed(store: &TestStore) {
    let (user, other) = (a_user(store).await, a_user(store).await);
    let document = a_document(store, user).await;
    store.relational.owners.add(document, SERVER, other, at(20)).await.unwrap();
    let before = OpsSummary { owners: 2, ..OpsSummary::default() };
    assert_eq!(store.relational.inspect.ops(document).await.unwrap(), before);
    let updates = vec![update(user, "a"), update(other, "b")];
    store.relational.log.append(&[batch(document, updates)]).await.unwrap();
    let after = OpsSummary { highest_op_seq: 2, ..before };
    assert_eq!(store.relational.inspect.ops(document).await.unwrap(), after);
    let nothing = store.relational.inspect.ops(DocumentId(fresh_uuid())).await.unwrap();
    assert_eq!(nothing, OpsSummary::default());
}

async fn an_intact_database_has_no_problems(store: &TestStore) {
    let user = a_user(store).await;
    a_version(store, a_document(store, user).await, user).await;
    assert_eq!(store.relational.inspect.integrity().await, Ok(vec![]));
}
