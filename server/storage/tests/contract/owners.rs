use crate::{fixtures::*, provider::TestStore};
use izanagi_domain::storage::{Constraint, StoreError};
use izanagi_shared::id::{DocumentId, UserId};

suite!(
    owners_are_added_once,
    owners_of_several_documents_are_read_at_once,
    an_owner_needs_an_account_and_a_document,
    inactive_accounts_neither_add_owners_nor_become_owners,
    the_last_owner_cannot_be_removed,
    a_non_owner_cannot_be_removed,
    changing_owners_changes_the_revision_but_not_the_time,
    owners_removing_each_other_leave_one,
    removing_a_user_keeps_shared_and_trashes_sole_documents,
);

async fn owner_ids(store: &TestStore, document: DocumentId) -> Vec<UserId> {
    let owners = store.relational.owners.list(&[document]).await.unwrap();
    owners.into_iter().map(|(_, person)| person.id).collect()
}

async fn owners_are_added_once(store: &TestStore) {
    let (owner, other) = (a_user(store).await, a_user(store).await);
    let document = a_document(store, owner).await;
    for _ in 0..2 {
        store.relational.owners.add(document, SERVER, other, at(20)).await.unwrap();
    }
    assert_eq!(owner_ids(store, document).await, [owner, other]);
}

async fn owners_of_several_documents_are_read_at_once(store: &TestStore) {
    let (ann, ben) = (a_user(store).await, a_user(store).await);
    let (first, second) = (a_document(store, ann).await, a_document(store, ben).await);
    let found =
        store.relational.owners.list(&[first, second, DocumentId(fresh_uuid())]).await.unwrap();
    let mut found: Vec<_> = found.into_iter().map(|(id, person)| (id, person.id)).collect();
    found.sort_unstable();
    assert_eq!(found, [(first, ann), (second, ben)]);
    assert!(store.relational.owners.list(&[]).await.unwrap().is_empty());
}

async fn an_owner_needs_an_account_and_a_document(store: &TestStore) {
    let owner = a_user(store).await;
    let document = a_document(store, owner).await;
    let unknown = store.relational.owners.add(document, SERVER, UserId(fresh_uuid()), at(20)).await;
    assert_eq!(unknown, Err(StoreError::Conflict(Constraint::Reference)));
    let deleted = a_user(store).await;
    store.relational.users.delete(deleted, &event(20)).await.unwrap();
    let gone = store.relational.owners.add(document, SERVER, deleted, at(20)).await;
    assert_eq!(gone, Err(StoreError::Conflict(Constraint::Reference)));
    assert_eq!(owner_ids(store, document).await, [owner]);
    let nothing =
        store.relational.owners.add(DocumentId(fresh_uuid()), SERVER, owner, at(20)).await;
    assert_eq!(nothing, Err(StoreError::NotFound));
}

async fn the_last_owner_cannot_be_removed(store: &TestStore) {
    let (owner, other) = (a_user(store).await, a_user(store).await);
    let document = a_document(store, owner).await;
    store.relational.owners.add(document, SERVER, other, at(20)).await.unwrap();
    store.relational.owners.remove(document, owner, at(21)).await.unwrap();
    let last = store.relational.owners.remove(document, other, at(22)).await;
    assert_eq!(last, Err(StoreError::Conflict(Constraint::LastOwner)));
    assert_eq!(owner_ids(store, document).await, [other]);
}

async fn a_non_owner_cannot_be_removed(store: &TestStore) {
    let (owner, stranger) = (a_user(store).await, a_user(store).await);
    let document = a_document(store, owner).await;
    let result = store.relational.owners.remove(document, stranger, at(20)).await;
    assert_eq!(result, Err(StoreError::NotFound));
    let nothing = store.relational.owners.remove(DocumentId(fresh_uuid()), owner, at(20)).await;
    assert_eq!(nothing, Err(StoreError::NotFound));
}

async fn removing_a_user_keeps_shared_and_trashes_sole_documents(store: &TestStore) {
    let (leaving, staying) = (a_user(store).await, a_user(store).await);
    let (alone, shared) = (a_document(store, leaving).await, a_document(store, leaving).await);
    let theirs = a_document(store, staying).await;
    store.relational.owners.add(shared, SERVER, staying, at(20)).await.unwrap();
    let before = store.relational.catalog.get(shared).await.unwrap();
    for _ in 0..2 {
        store.relational.users.delete(leaving, &event(21)).await.unwrap();
    }
    assert_eq!(owner_ids(store, shared).await, [staying]);
    assert_eq!(owner_ids(store, alone).await, [leaving]);
    assert_eq!(store.relational.catalog.get(alone).await.unwrap().deleted_at, Some(at(21)));
    let after = store.relational.catalog.get(shared).await.unwrap();
    assert_eq!((after.deleted_at, after.meta_rev), (None, before.meta_rev + 1));
    assert_eq!(store.relational.catalog.get(theirs).await.unwrap().deleted_at, None);
}

async fn changing_owners_changes_the_revision_but_not_the_time(store: &TestStore) {
    let (owner, other) = (a_user(store).await, a_user(store).await);
    let document = a_document(store, owner).await;
    let before = store.relational.catalog.get(document).await.unwrap();
    store.relational.owners.add(document, SERVER, other, at(20)).await.unwrap();
    store.relational.owners.add(document, SERVER, other, at(21)).await.unwrap();
    store.relational.owners.remove(document, other, at(22)).await.unwrap();
    let after = store.relational.catalog.get(document).await.unwrap();
    assert_eq!(after.meta_rev, before.meta_rev + 2);
    assert_eq!(after.updated_at, before.updated_at);
}

async fn owners_removing_each_other_leave_one(store: &TestStore) {
    let (ann, ben) = (a_user(store).await, a_user(store).await);
    let document = a_document(store, ann).await;
    store.relational.owners.add(document, SERVER, ben, at(20)).await.unwrap();
    let removals = [ann, ben].map(|user| {
        let stores = store.stores();
        tokio::spawn(async move { stores.relational.owners.remove(document, user, at(21)).await })
    });
    let mut results = Vec::new();
    for removal in removals {
        results.push(removal.await.unwrap());
    }
    assert!(results.contains(&Ok(())));
    assert!(results.contains(&Err(StoreError::Conflict(Constraint::LastOwner))));
    assert_eq!(owner_ids(store, document).await.len(), 1);
}

async fn inactive_accounts_neither_add_owners_nor_become_owners(store: &TestStore) {
    let (owner, other) = (a_user(store).await, a_user(store).await);
    let document = a_document(store, owner).await;
    for inactive in inactive_users(store).await {
        let added = store.relational.owners.add(document, inactive.into(), other, at(20)).await;
        assert_eq!(added, Err(StoreError::Conflict(Constraint::Account)));
        let added = store.relational.owners.add(document, owner.into(), inactive, at(20)).await;
        assert_eq!(added, Err(StoreError::Conflict(Constraint::Reference)));
    }
    assert_eq!(owner_ids(store, document).await, [owner]);
}
