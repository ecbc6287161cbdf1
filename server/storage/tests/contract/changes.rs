use crate::{fixtures::*, provider::TestStore};
use izanagi_domain::storage::{
    Audience::{Public, User},
    ChangeEntry::{self, Changed, Lost},
    ChangeKind, ChangePage, DetailsChange, NewUpdate, StoreError,
};
use izanagi_shared::id::{DocumentId, UserId};

suite!(
    every_change_of_a_document_is_numbered,
    the_latest_change_of_a_kind_replaces_the_earlier_one,
    a_refused_change_takes_no_number,
    a_page_ends_at_its_limit,
    an_append_notes_each_document_once,
    a_quarantined_update_is_a_change_of_the_content,
    removed_owners_and_hidden_documents_leave_tombstones,
    a_regained_document_has_no_tombstone,
    a_purge_leaves_tombstones_for_the_owners,
    an_account_that_leaves_hides_its_public_documents,
    numbers_are_never_used_again,
    old_tombstones_are_removed,
    the_feed_is_sound,
);

async fn page(store: &TestStore, seq: u64) -> ChangePage {
    store.relational.changes.since(seq, 100).await.unwrap()
}

/// Returns what happened to a document, oldest first.
async fn entries(store: &TestStore, document: DocumentId) -> Vec<ChangeEntry> {
    let changes = page(store, 0).await.changes.into_iter();
    changes.filter(|change| change.document_id == document).map(|change| change.entry).collect()
}

async fn newest(store: &TestStore) -> u64 {
    store.relational.changes.newest().await.unwrap()
}

async fn change(store: &TestStore, document: DocumentId, by: UserId, change: DetailsChange) {
    store.relational.catalog.change(document, by.into(), &change, at(20)).await.unwrap();
}

fn public(is_public: bool) -> DetailsChange {
    DetailsChange { is_public: Some(is_public), ..DetailsChange::default() }
}

fn trashed(trashed: bool) -> DetailsChange {
    DetailsChange { trashed: Some(trashed), ..DetailsChange::default() }
}

async fn append(store: &TestStore, document: DocumentId, updates: Vec<NewUpdate>) {
    let appended = store.relational.log.append(&[batch(document, updates)]).await.unwrap();
    appended.into_iter().for_each(|batch| drop(batch.unwrap()));
}

async fn every_change_of_a_document_is_numbered(store: &TestStore) {
    let (owner, other) = (a_user(store).await, a_user(store).await);
    assert_eq!(newest(store).await, 0);
    let document = a_document(store, owner).await;
    append(store, document, vec![update(owner, "a")]).await;
    a_version(store, document, owner).await;
    store.relational.owners.add(document, SERVER, other, at(41)).await.unwrap();
    let title = DetailsChange { title: Some("New".to_owned()), ..DetailsChange::default() };
    change(store, document, owner, title).await;
    change(store, document, owner, trashed(true)).await;
    let ChangePage { changes, forgotten } = page(store, 0).await;
    let found: Vec<_> =
        changes.iter().map(|change| (change.seq, change.entry, change.at)).collect();
    let expected = [
        (1, Changed(ChangeKind::Created), at(10)),
        (2, Changed(ChangeKind::Content), at(30)),
        (3, Changed(ChangeKind::Version), at(40)),
        (4, Changed(ChangeKind::Owners), at(41)),
        (5, Changed(ChangeKind::Details), at(20)),
        (6, Changed(ChangeKind::Trash), at(20)),
    ];
    assert_eq!(found, expected);
    assert!(changes.iter().all(|change| change.document_id == document));
    assert_eq!((newest(store).await, forgotten), (6, 0));
}

async fn the_latest_change_of_a_kind_replaces_the_earlier_one(store: &TestStore) {
    let owner = a_user(store).await;
    let document = a_document(store, owner).await;
    a_version(store, document, owner).await;
    store.relational.versions.set_name(document, 1, Some("first"), at(50)).await.unwrap();
    for op in ["a", "b", "c"] {
        append(store, document, vec![update(owner, op)]).await;
    }
    let found: Vec<_> =
        page(store, 0).await.changes.iter().map(|change| (change.seq, change.entry)).collect();
    let expected = [
        (1, Changed(ChangeKind::Created)),
        (3, Changed(ChangeKind::Version)),
        (6, Changed(ChangeKind::Content)),
    ];
    assert_eq!(found, expected);
}

async fn a_refused_change_takes_no_number(store: &TestStore) {
    let owner = a_user(store).await;
    let document = a_document(store, owner).await;
    let refused = store.relational.owners.remove(document, owner, at(20)).await;
    assert!(refused.is_err());
    assert_eq!(store.relational.catalog.purge(document, at(20)).await, Err(StoreError::NotFound));
    let unnamed = store.relational.versions.set_name(document, 1, Some("x"), at(20)).await;
    assert_eq!(unnamed, Err(StoreError::NotFound));
    // Nothing changes either.
    change(store, document, owner, public(false)).await;
    store.relational.owners.add(document, SERVER, owner, at(20)).await.unwrap();
    append(store, document, Vec::new()).await;
    assert_eq!(newest(store).await, 1);
    assert_eq!(entries(store, document).await, [Changed(ChangeKind::Created)]);
}

async fn a_page_ends_at_its_limit(store: &TestStore) {
    let owner = a_user(store).await;
    for _ in 0..5 {
        a_document(store, owner).await;
    }
    let (mut seq, mut found) = (0, Vec::new());
    loop {
        let page = store.relational.changes.since(seq, 2).await.unwrap();
        let Some(last) = page.changes.last() else { break };
        seq = last.seq;
        found.extend(page.changes.iter().map(|change| change.seq));
    }
    assert_eq!(found, [1, 2, 3, 4, 5]);
    assert_eq!(page(store, u64::MAX).await, ChangePage::default());
}

async fn an_append_notes_each_document_once(store: &TestStore) {
    let owner = a_user(store).await;
    let (one, two) = (a_document(store, owner).await, a_document(store, owner).await);
    let batches = [
        batch(one, vec![update(owner, "a"), update(owner, "b")]),
        batch(two, vec![update(owner, "c")]),
        batch(one, vec![update(owner, "d")]),
    ];
    store.relational.log.append(&batches).await.unwrap();
    assert_eq!(newest(store).await, 4);
    // A retry changes nothing.
    store.relational.log.append(&batches).await.unwrap();
    assert_eq!(newest(store).await, 4);
}

async fn removed_owners_and_hidden_documents_leave_tombstones(store: &TestStore) {
    let (owner, other) = (a_user(store).await, a_user(store).await);
    let document = a_document(store, owner).await;
    store.relational.owners.add(document, SERVER, other, at(20)).await.unwrap();
    store.relational.owners.remove(document, other, at(21)).await.unwrap();
    change(store, document, owner, public(true)).await;
    change(store, document, owner, public(false)).await;
    let expected = [
        Changed(ChangeKind::Created),
        Changed(ChangeKind::Owners),
        Lost(User(other)),
        Changed(ChangeKind::Details),
        Lost(Public),
    ];
    assert_eq!(entries(store, document).await, expected);
}

async fn a_regained_document_has_no_tombstone(store: &TestStore) {
    let (owner, other) = (a_user(store).await, a_user(store).await);
    let document = a_document(store, owner).await;
    store.relational.owners.add(document, SERVER, other, at(20)).await.unwrap();
    change(store, document, owner, public(true)).await;
    change(store, document, owner, trashed(true)).await;
    store.relational.owners.remove(document, other, at(21)).await.unwrap();
    assert!(entries(store, document).await.contains(&Lost(Public)));
    assert!(entries(store, document).await.contains(&Lost(User(other))));
    change(store, document, owner, trashed(false)).await;
    store.relational.owners.add(document, SERVER, other, at(22)).await.unwrap();
    let expected = [
        Changed(ChangeKind::Created),
        Changed(ChangeKind::Details),
        Changed(ChangeKind::Trash),
        Changed(ChangeKind::Owners),
    ];
    assert_eq!(entries(store, document).await, expected);
}

async fn a_purge_leaves_tombstones_for_the_owners(store: &TestStore) {
    let (owner, other) = (a_user(store).await, a_user(store).await);
    let document = a_document(store, owner).await;
    store.relational.owners.add(document, SERVER, other, at(20)).await.unwrap();
    change(store, document, owner, trashed(true)).await;
    store.relational.catalog.purge(document, at(90)).await.unwrap();
    let changes = page(store, 0).await.changes;
    let mut found: Vec<_> = changes.iter().map(|change| (change.entry, change.at)).collect();
    found.sort_by_key(|(entry, _)| *entry == Lost(User(other)));
    assert_eq!(found, [(Lost(User(owner)), at(90)), (Lost(User(other)), at(90))]);
}

async fn an_account_that_leaves_hides_its_public_documents(store: &TestStore) {
    let (leaving, other) = (a_user(store).await, a_user(store).await);
    let (alone, shared) = (a_document(store, leaving).await, a_document(store, leaving).await);
    change(store, alone, leaving, public(true)).await;
    store.relational.owners.add(shared, SERVER, other, at(20)).await.unwrap();
    store.relational.users.delete(leaving, &event(30)).await.unwrap();
    let found = entries(store, alone).await;
    assert_eq!(found[2..], [Changed(ChangeKind::Trash), Lost(Public)]);
    let found = entries(store, shared).await;
    assert_eq!(found, [Changed(ChangeKind::Created), Changed(ChangeKind::Owners)]);
    let last = newest(store).await;
    store.relational.users.delete(leaving, &event(31)).await.unwrap();
    assert_eq!(newest(store).await, last, "a retry changes nothing");
}

async fn numbers_are_never_used_again(store: &TestStore) {
    let (owner, other) = (a_user(store).await, a_user(store).await);
    let document = a_document(store, owner).await;
    store.relational.owners.add(document, SERVER, other, at(20)).await.unwrap();
    store.relational.owners.remove(document, other, at(20)).await.unwrap();
    change(store, document, owner, trashed(true)).await;
    store.relational.catalog.purge(document, at(30)).await.unwrap();
    let last = newest(store).await;
    store.relational.changes.forget(at(31)).await.unwrap();
    assert_eq!(page(store, 0).await, ChangePage { changes: Vec::new(), forgotten: last });
    assert_eq!(newest(store).await, last);
    a_document(store, owner).await;
    assert_eq!(newest(store).await, last + 1);
}

async fn a_quarantined_update_is_a_change_of_the_content(store: &TestStore) {
    let owner = a_user(store).await;
    let document = a_document(store, owner).await;
    append(store, document, vec![update(owner, "a")]).await;
    let before = newest(store).await;
    store.relational.log.quarantine(document, 1, at(30)).await.unwrap();
    let changes = page(store, before).await.changes;
    let found: Vec<_> = changes.iter().map(|change| (change.document_id, change.entry)).collect();
    assert_eq!(found, [(document, Changed(ChangeKind::Content))]);
}

async fn old_tombstones_are_removed(store: &TestStore) {
    let (owner, other) = (a_user(store).await, a_user(store).await);
    let document = a_document(store, owner).await;
    let mut removed = Vec::new();
    for (user, time) in [(other, 20), (a_user(store).await, 30)] {
        store.relational.owners.add(document, SERVER, user, at(time)).await.unwrap();
        store.relational.owners.remove(document, user, at(time)).await.unwrap();
        removed.push(newest(store).await);
    }
    store.relational.changes.forget(at(20)).await.unwrap();
    assert_eq!(page(store, 0).await.forgotten, 0);
    for _ in 0..2 {
        store.relational.changes.forget(at(30)).await.unwrap();
        let ChangePage { changes, forgotten } = page(store, 0).await;
        assert_eq!(forgotten, removed[0]);
        let left: Vec<_> = changes.iter().map(|change| change.seq).collect();
        assert!(left.contains(&removed[1]) && !left.contains(&removed[0]), "{left:?}");
        assert!(left.contains(&1), "changes of existing documents stay");
    }
}

async fn the_feed_is_sound(store: &TestStore) {
    let owner = a_user(store).await;
    let document = a_document(store, owner).await;
    change(store, document, owner, public(true)).await;
    change(store, document, owner, public(false)).await;
    assert_eq!(store.relational.inspect.feed().await.unwrap(), Default::default());
}
