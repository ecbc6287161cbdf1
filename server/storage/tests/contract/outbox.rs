use crate::{fixtures::*, provider::TestStore};
use izanagi_domain::storage::{OutboxItem, StoreError, Topic};
use izanagi_shared::id::{DocumentId, UserId};

suite!(
    items_are_returned_in_order,
    a_completed_item_is_not_pending,
    an_item_is_found_by_topic_and_key,
    a_postponed_item_moves_behind_the_others,
    completing_ignores_unknown_items_and_postponing_does_not,
);

/// Enqueues three items: two demotions and a promotion.
async fn some_work(store: &TestStore) -> (UserId, DocumentId, Vec<OutboxItem>) {
    let user = a_user(store).await;
    let document = a_document(store, user).await;
    for _ in 0..3 {
        a_version(store, document, user).await;
    }
    store.relational.versions.set_name(document, 1, Some("first"), at(50)).await.unwrap();
    let items = store.relational.outbox.pending(10).await.unwrap();
    assert_eq!(items.len(), 3);
    (user, document, items)
}

async fn items_are_returned_in_order(store: &TestStore) {
    let (_, document, items) = some_work(store).await;
    let found: Vec<_> = items.into_iter().map(|item| (item.topic, item.key)).collect();
    let expected = [
        (Topic::Demote, format!("{document}/1")),
        (Topic::Demote, format!("{document}/2")),
        (Topic::MakeWhole, format!("{document}/1")),
    ];
    assert_eq!(found, expected);
    assert_eq!(store.relational.outbox.pending(1).await.unwrap().len(), 1);
}

async fn a_completed_item_is_not_pending(store: &TestStore) {
    let (_, _, items) = some_work(store).await;
    store.relational.outbox.done(&items[1].id).await.unwrap();
    // A retry after a lost reply.
    store.relational.outbox.done(&items[1].id).await.unwrap();
    let left = store.relational.outbox.pending(10).await.unwrap();
    assert_eq!(left, [items[0].clone(), items[2].clone()]);
}

async fn an_item_is_found_by_topic_and_key(store: &TestStore) {
    let (_, document, items) = some_work(store).await;
    let key = format!("{document}/1");
    assert_eq!(store.relational.outbox.is_pending(Topic::MakeWhole, &key).await, Ok(true));
    let other =
        store.relational.outbox.is_pending(Topic::MakeWhole, &format!("{document}/2")).await;
    assert_eq!(other, Ok(false));
    assert_eq!(store.relational.outbox.is_pending(Topic::Erase, &key).await, Ok(false));
    store.relational.outbox.done(&items[2].id).await.unwrap();
    assert_eq!(store.relational.outbox.is_pending(Topic::MakeWhole, &key).await, Ok(false));
    assert_eq!(store.relational.outbox.is_pending(Topic::Demote, &key).await, Ok(true));
}

async fn a_postponed_item_moves_behind_the_others(store: &TestStore) {
    let (_, _, items) = some_work(store).await;
    store.relational.outbox.postpone(&items[0].id, at(60)).await.unwrap();
    let left = store.relational.outbox.pending(10).await.unwrap();
    assert_eq!(left, [items[1].clone(), items[2].clone(), items[0].clone()]);
}

async fn completing_ignores_unknown_items_and_postponing_does_not(store: &TestStore) {
    let (_, _, items) = some_work(store).await;
    for id in ["nothing".to_owned(), fresh_uuid().to_string()] {
        assert_eq!(store.relational.outbox.done(&id).await, Ok(()));
        assert_eq!(store.relational.outbox.postpone(&id, at(1)).await, Err(StoreError::NotFound));
    }
    assert_eq!(store.relational.outbox.pending(10).await.unwrap(), items);
}
