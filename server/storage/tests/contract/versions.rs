use crate::{fixtures::*, provider::TestStore};
use izanagi_domain::storage::{
    CommitOutcome, Freshness, NewVersion, StoreError, Topic, VersionFilter, VersionRow,
};
use izanagi_shared::{
    id::{DocumentId, UserId},
    wire::Person,
};

suite!(
    an_author_need_not_have_an_account,
    versions_are_listed_newest_first_with_their_total,
    named_versions_can_be_listed_separately,
    a_range_contains_existing_versions_in_order,
    the_newest_version_with_given_content_is_found,
    a_name_is_set_changed_and_removed,
    naming_a_version_enqueues_its_promotion,
    the_storage_form_of_a_version_is_recorded,
    missing_rows_are_not_found,
);

async fn some_versions(store: &TestStore, count: u64) -> (UserId, DocumentId) {
    let user = a_user(store).await;
    let document = a_document(store, user).await;
    for _ in 0..count {
        a_version(store, document, user).await;
    }
    // Another document, whose versions must not appear.
    a_version(store, a_document(store, user).await, user).await;
    (user, document)
}

fn filter(document_id: DocumentId) -> VersionFilter {
    VersionFilter {
        document_id,
        below: None,
        offset: 0,
        limit: 100,
        named: false,
        freshness: Freshness::Fresh,
    }
}

fn numbers(rows: &[VersionRow]) -> Vec<u64> {
    rows.iter().map(|row| row.number).collect()
}

async fn versions_are_listed_newest_first_with_their_total(store: &TestStore) {
    let (_, document) = some_versions(store, 5).await;
    let all = filter(document);
    for (filter, expected) in [
        (all, vec![5, 4, 3, 2, 1]),
        (VersionFilter { limit: 2, ..all }, vec![5, 4]),
        (VersionFilter { limit: 2, offset: 2, ..all }, vec![3, 2]),
        (VersionFilter { below: Some(3), ..all }, vec![2, 1]),
        (VersionFilter { below: Some(0), ..all }, vec![]),
        (VersionFilter { below: Some(u64::MAX), limit: 1, ..all }, vec![5]),
        (VersionFilter { offset: u64::MAX, ..all }, vec![]),
    ] {
        let (rows, total) = store.relational.versions.list(&filter).await.unwrap();
        assert_eq!((numbers(&rows), total), (expected, 5), "{filter:?}");
    }
    let nothing = filter(DocumentId(fresh_uuid()));
    assert_eq!(store.relational.versions.list(&nothing).await.unwrap(), (vec![], 0));
}

async fn named_versions_can_be_listed_separately(store: &TestStore) {
    let (_, document) = some_versions(store, 4).await;
    for number in [1, 3] {
        store.relational.versions.set_name(document, number, Some("named"), at(50)).await.unwrap();
    }
    let named = VersionFilter { named: true, ..filter(document) };
    let (rows, total) = store.relational.versions.list(&named).await.unwrap();
    assert_eq!((numbers(&rows), total), (vec![3, 1], 2));
}

async fn a_range_contains_existing_versions_in_order(store: &TestStore) {
    let (_, document) = some_versions(store, 4).await;
    for (from, to, expected) in [
        (2, 3, vec![2, 3]),
        (0, u64::MAX, vec![1, 2, 3, 4]),
        (4, 9, vec![4]),
        (3, 2, vec![]),
        (u64::MAX, u64::MAX, vec![]),
    ] {
        let rows = store.relational.versions.range(document, from, to).await.unwrap();
        assert_eq!(numbers(&rows), expected, "{from}..={to}");
    }
}

async fn the_newest_version_with_given_content_is_found(store: &TestStore) {
    let (user, document) = some_versions(store, 1).await;
    let hash =
        store.relational.versions.get(Freshness::Fresh, document, 1).await.unwrap().content_hash;
    a_version(store, document, user).await;
    let (intent, version) = attempt(store, document, user).await;
    let version = NewVersion { content_hash: hash, ..version };
    store.relational.intents.open(&intent).await.unwrap();
    assert_eq!(store.relational.intents.commit(&version).await, Ok(CommitOutcome::Committed));
    assert_eq!(store.relational.versions.by_content(document, &hash).await.unwrap().number, 3);
    let unknown = store.relational.versions.by_content(document, &fresh_hash()).await;
    assert_eq!(unknown, Err(StoreError::NotFound));
}

async fn a_name_is_set_changed_and_removed(store: &TestStore) {
    let (_, document) = some_versions(store, 2).await;
    for name in [Some("Entwurf \u{1F980}"), Some("final"), None] {
        let row = store.relational.versions.set_name(document, 1, name, at(50)).await.unwrap();
        assert_eq!(row.name.as_deref(), name);
        assert_eq!(
            store.relational.versions.get(Freshness::Fresh, document, 1).await.unwrap(),
            row
        );
    }
    // A version that was ever named remains a snapshot.
    assert!(store.relational.versions.get(Freshness::Fresh, document, 1).await.unwrap().keep_whole);
    let other = store.relational.versions.get(Freshness::Fresh, document, 2).await.unwrap();
    assert_eq!((other.name, other.keep_whole), (None, false));
}

async fn naming_a_version_enqueues_its_promotion(store: &TestStore) {
    let (_, document) = some_versions(store, 1).await;
    store.relational.versions.set_name(document, 1, None, at(50)).await.unwrap();
    assert!(store.relational.outbox.pending(10).await.unwrap().is_empty());
    assert!(
        !store.relational.versions.get(Freshness::Fresh, document, 1).await.unwrap().keep_whole
    );
    store.relational.versions.set_name(document, 1, Some("named"), at(51)).await.unwrap();
    let work = store.relational.outbox.pending(10).await.unwrap();
    let work: Vec<_> = work.into_iter().map(|item| (item.topic, item.key)).collect();
    assert_eq!(work, [(Topic::MakeWhole, format!("{document}/1"))]);
}

async fn the_storage_form_of_a_version_is_recorded(store: &TestStore) {
    let (_, document) = some_versions(store, 2).await;
    for delta in [true, true, false] {
        store.relational.versions.set_stored(document, 1, delta).await.unwrap();
        assert_eq!(
            store.relational.versions.get(Freshness::Fresh, document, 1).await.unwrap().is_delta,
            delta
        );
    }
    assert!(!store.relational.versions.get(Freshness::Fresh, document, 2).await.unwrap().is_delta);
}

async fn missing_rows_are_not_found(store: &TestStore) {
    let (_, document) = some_versions(store, 1).await;
    for number in [0, 2, u64::MAX] {
        let absent = Err(StoreError::NotFound);
        assert_eq!(store.relational.versions.get(Freshness::Fresh, document, number).await, absent);
        let named = store.relational.versions.set_name(document, number, Some("x"), at(50)).await;
        assert_eq!(named, absent);
        let stored = store.relational.versions.set_stored(document, number, true).await;
        assert_eq!(stored, Err(StoreError::NotFound));
    }
    // A failed naming enqueues nothing.
    assert!(store.relational.outbox.pending(10).await.unwrap().is_empty());
}

async fn an_author_need_not_have_an_account(store: &TestStore) {
    let user = a_user(store).await;
    let document = a_document(store, user).await;
    let (link, left) = (UserId(fresh_uuid()), a_user(store).await);
    a_version(store, document, link).await;
    a_version(store, document, left).await;
    store.relational.users.delete(left, &event(60)).await.unwrap();
    let updates = vec![update(link, "a"), update(left, "b")];
    store.relational.log.append(&[batch(document, updates)]).await.unwrap().remove(0).unwrap();
    let versions = store.relational.versions.range(document, 1, 2).await.unwrap();
    let authors: Vec<_> = versions.iter().map(|version| version.author.clone()).collect();
    assert_eq!(authors[0], Person::without_account(link.into()));
    assert_eq!((authors[1].id, authors[1].display_name.as_str()), (left, "Deleted account"));
    let row = store.relational.catalog.get(document).await.unwrap();
    assert_eq!((row.live_seq, row.last_modified_by), (2, left.into()));
}
