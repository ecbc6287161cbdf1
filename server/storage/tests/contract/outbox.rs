use crate::{fixtures::*, provider::TestStore};
use izanagi_domain::storage::{Claim, OutboxItem, Settlement, Topic};
use izanagi_shared::id::{DocumentId, UserId};
use uuid::Uuid;

suite!(
    items_are_returned_in_order,
    a_claim_takes_due_items_of_its_topic,
    a_claimed_item_is_not_claimed_by_another_worker,
    a_worker_gets_its_own_items_again,
    a_lapsed_lease_is_taken_over,
    an_extended_lease_does_not_lapse,
    only_the_holder_settles_an_item,
    items_of_a_key_run_in_order_and_one_at_a_time,
    a_postponed_item_holds_back_its_key,
    a_parked_item_lets_its_successors_pass,
    a_released_item_does_not_count_as_tried,
    an_interrupted_run_does_not_count,
    equal_work_is_queued_once,
    times_of_a_clock_that_was_ahead_do_not_count,
    postponed_items_are_made_due,
    a_parked_item_is_not_pending,
    a_rescheduled_item_starts_over,
    an_item_is_found_by_topic_and_key,
    an_item_is_ensured_once,
    of_many_workers_one_gets_each_item,
);

/// Enqueues three items: two demotions and a promotion.
async fn some_work(store: &TestStore) -> (UserId, DocumentId, Vec<OutboxItem>) {
    let user = a_user(store).await;
    let document = a_document(store, user).await;
    for _ in 0..3 {
        a_version(store, document, user).await;
    }
    store.relational.versions.set_name(document, 1, Some("first"), at(50)).await.unwrap();
    let items = pending(store).await;
    assert_eq!(items.len(), 3);
    (user, document, items)
}

/// Enqueues two promotions of the same version.
async fn two_of_a_key(store: &TestStore) -> Vec<OutboxItem> {
    let user = a_user(store).await;
    let document = a_document(store, user).await;
    a_version(store, document, user).await;
    let (versions, outbox) = (&store.relational.versions, &store.relational.outbox);
    versions.set_name(document, 1, Some("first"), at(50)).await.unwrap();
    // While the first is running, since one that has yet to start would do the work of both.
    let worker = fresh_uuid();
    let first = claimed(store, claim(Topic::MakeWhole, worker, 55)).await;
    versions.set_name(document, 1, Some("second"), at(60)).await.unwrap();
    outbox.settle(first[0], worker, Settlement::Release).await.unwrap();
    pending(store).await
}

async fn pending(store: &TestStore) -> Vec<OutboxItem> {
    store.relational.outbox.pending(10).await.unwrap()
}

/// A claim at a time, for a lease of 100 µs.
fn claim(topic: Topic, worker: Uuid, now: i64) -> Claim {
    Claim { topic, worker, limit: 10, now: at(now), until: at(now + 100), horizon: at(9_000) }
}

/// Begins a run of an item.
async fn begun(store: &TestStore, id: Uuid, worker: Uuid) -> Option<u32> {
    store.relational.outbox.begin(id, worker).await.unwrap()
}

async fn claimed(store: &TestStore, claim: Claim) -> Vec<Uuid> {
    let items = store.relational.outbox.claim(&claim).await.unwrap();
    items.into_iter().map(|item| item.id).collect()
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

async fn a_claim_takes_due_items_of_its_topic(store: &TestStore) {
    let (_, _, items) = some_work(store).await;
    let worker = fresh_uuid();
    assert!(claimed(store, claim(Topic::Demote, worker, 39)).await.is_empty());
    assert!(claimed(store, claim(Topic::Erase, worker, 99)).await.is_empty());
    let one = Claim { limit: 1, ..claim(Topic::Demote, worker, 99) };
    let found = store.relational.outbox.claim(&one).await.unwrap();
    assert_eq!(found, items[..1]);
    let both = claimed(store, claim(Topic::Demote, fresh_uuid(), 99)).await;
    assert_eq!(both, [items[1].id]);
}

async fn a_claimed_item_is_not_claimed_by_another_worker(store: &TestStore) {
    let (_, _, items) = some_work(store).await;
    let found = claimed(store, claim(Topic::Demote, fresh_uuid(), 100)).await;
    assert_eq!(found, [items[0].id, items[1].id]);
    assert!(claimed(store, claim(Topic::Demote, fresh_uuid(), 199)).await.is_empty());
    assert_eq!(pending(store).await.len(), 3);
}

async fn a_worker_gets_its_own_items_again(store: &TestStore) {
    let (_, _, items) = some_work(store).await;
    let worker = fresh_uuid();
    for _ in 0..2 {
        let found = claimed(store, claim(Topic::Demote, worker, 100)).await;
        assert_eq!(found, [items[0].id, items[1].id]);
    }
}

async fn a_lapsed_lease_is_taken_over(store: &TestStore) {
    let (_, _, items) = some_work(store).await;
    let (dead, alive) = (fresh_uuid(), fresh_uuid());
    claimed(store, claim(Topic::Demote, dead, 100)).await;
    assert_eq!(begun(store, items[0].id, dead).await, Some(1));
    let found = store.relational.outbox.claim(&claim(Topic::Demote, alive, 200)).await.unwrap();
    assert_eq!(found.iter().map(|item| item.attempts).collect::<Vec<_>>(), [1, 0]);
    assert_eq!(begun(store, items[0].id, dead).await, None);
    assert_eq!(begun(store, items[0].id, alive).await, Some(2));
    let late = store.relational.outbox.settle(items[0].id, dead, Settlement::Done).await;
    assert_eq!(late, Ok(false));
    assert_eq!(store.relational.outbox.extend(dead, at(999)).await, Ok(Vec::new()));
    assert_eq!(pending(store).await.len(), 3);
}

async fn an_extended_lease_does_not_lapse(store: &TestStore) {
    let (_, _, items) = some_work(store).await;
    let (worker, other) = (fresh_uuid(), fresh_uuid());
    claimed(store, claim(Topic::Demote, worker, 100)).await;
    let mut held = store.relational.outbox.extend(worker, at(299)).await.unwrap();
    held.sort_unstable();
    let mut both = [items[0].id, items[1].id];
    both.sort_unstable();
    assert_eq!(held, both);
    assert!(claimed(store, claim(Topic::Demote, other, 298)).await.is_empty());
    assert_eq!(claimed(store, claim(Topic::Demote, other, 299)).await.len(), 2);
}

async fn only_the_holder_settles_an_item(store: &TestStore) {
    let (_, _, items) = some_work(store).await;
    let worker = fresh_uuid();
    let outbox = &store.relational.outbox;
    let every = [
        Settlement::Done,
        Settlement::Again(at(1)),
        Settlement::Retry(at(1)),
        Settlement::Park(at(1)),
        Settlement::Release,
        Settlement::Interrupt,
    ];
    for settlement in every {
        assert_eq!(outbox.settle(items[0].id, worker, settlement).await, Ok(false));
        assert_eq!(outbox.settle(fresh_uuid(), worker, settlement).await, Ok(false));
    }
    assert_eq!(pending(store).await, items);
    claimed(store, claim(Topic::Demote, worker, 100)).await;
    assert_eq!(outbox.settle(items[0].id, worker, Settlement::Done).await, Ok(true));
    // A retry after a lost reply.
    assert_eq!(outbox.settle(items[0].id, worker, Settlement::Done).await, Ok(false));
    assert_eq!(pending(store).await.len(), 2);
}

async fn items_of_a_key_run_in_order_and_one_at_a_time(store: &TestStore) {
    let items = two_of_a_key(store).await;
    let (worker, other) = (fresh_uuid(), fresh_uuid());
    assert_eq!(claimed(store, claim(Topic::MakeWhole, worker, 100)).await, [items[0].id]);
    assert!(claimed(store, claim(Topic::MakeWhole, other, 100)).await.is_empty());
    store.relational.outbox.settle(items[0].id, worker, Settlement::Done).await.unwrap();
    assert_eq!(claimed(store, claim(Topic::MakeWhole, other, 100)).await, [items[1].id]);
}

async fn a_postponed_item_holds_back_its_key(store: &TestStore) {
    let items = two_of_a_key(store).await;
    let worker = fresh_uuid();
    claimed(store, claim(Topic::MakeWhole, worker, 100)).await;
    begun(store, items[0].id, worker).await;
    store.relational.outbox.settle(items[0].id, worker, Settlement::Retry(at(500))).await.unwrap();
    assert!(claimed(store, claim(Topic::MakeWhole, worker, 499)).await.is_empty());
    let found = store.relational.outbox.claim(&claim(Topic::MakeWhole, worker, 500)).await.unwrap();
    assert_eq!(found, [OutboxItem { attempts: 1, run_at: at(500), ..items[0].clone() }]);
}

async fn a_parked_item_lets_its_successors_pass(store: &TestStore) {
    let items = two_of_a_key(store).await;
    let (worker, outbox) = (fresh_uuid(), &store.relational.outbox);
    claimed(store, claim(Topic::MakeWhole, worker, 100)).await;
    begun(store, items[0].id, worker).await;
    outbox.settle(items[0].id, worker, Settlement::Park(at(500))).await.unwrap();
    let parked = outbox.parked(10).await.unwrap();
    let expected = OutboxItem { attempts: 1, run_at: at(500), is_parked: true, ..items[0].clone() };
    assert_eq!(parked, [expected]);
    assert_eq!(claimed(store, claim(Topic::MakeWhole, worker, 499)).await, [items[1].id]);
    // One of a key at a time, whatever their order.
    assert!(claimed(store, claim(Topic::MakeWhole, fresh_uuid(), 500)).await.is_empty());
    outbox.settle(items[1].id, worker, Settlement::Done).await.unwrap();
    assert_eq!(claimed(store, claim(Topic::MakeWhole, worker, 500)).await, [items[0].id]);
    outbox.settle(items[0].id, worker, Settlement::Again(at(600))).await.unwrap();
    assert!(outbox.parked(10).await.unwrap().is_empty());
}

async fn a_released_item_does_not_count_as_tried(store: &TestStore) {
    let (_, _, items) = some_work(store).await;
    let worker = fresh_uuid();
    claimed(store, claim(Topic::Demote, worker, 100)).await;
    for item in &items[..2] {
        store.relational.outbox.settle(item.id, worker, Settlement::Release).await.unwrap();
    }
    assert_eq!(pending(store).await, items);
    assert_eq!(claimed(store, claim(Topic::Demote, fresh_uuid(), 100)).await.len(), 2);
}

async fn an_interrupted_run_does_not_count(store: &TestStore) {
    let (_, _, items) = some_work(store).await;
    let worker = fresh_uuid();
    claimed(store, claim(Topic::MakeWhole, worker, 100)).await;
    assert_eq!(begun(store, items[2].id, worker).await, Some(1));
    store.relational.outbox.settle(items[2].id, worker, Settlement::Interrupt).await.unwrap();
    assert_eq!(pending(store).await, items);
    assert_eq!(begun(store, items[2].id, worker).await, None);
}

async fn equal_work_is_queued_once(store: &TestStore) {
    let (_, document, items) = some_work(store).await;
    let name = async |name| {
        store.relational.versions.set_name(document, 1, Some(name), at(60)).await.unwrap();
    };
    name("second").await;
    assert_eq!(pending(store).await, items);
    // A running job may already have read what changed.
    claimed(store, claim(Topic::MakeWhole, fresh_uuid(), 100)).await;
    name("third").await;
    name("fourth").await;
    assert_eq!(pending(store).await.len(), items.len() + 1);
}

async fn times_of_a_clock_that_was_ahead_do_not_count(store: &TestStore) {
    let outbox = &store.relational.outbox;
    outbox.ensure(Topic::Collect, "k", at(9_001)).await.unwrap();
    outbox.ensure(Topic::Forget, "k", at(9_000)).await.unwrap();
    let worker = fresh_uuid();
    assert!(claimed(store, claim(Topic::Forget, worker, 100)).await.is_empty());
    assert_eq!(claimed(store, claim(Topic::Collect, worker, 100)).await.len(), 1);
    // A lease until 300 is credible at 100, one until 301 is not.
    for (until, count) in [(300, 0), (301, 1)] {
        outbox.extend(worker, at(until)).await.unwrap();
        let found = claimed(store, claim(Topic::Collect, fresh_uuid(), 100)).await;
        assert_eq!(found.len(), count, "{until}");
    }
}

async fn postponed_items_are_made_due(store: &TestStore) {
    let outbox = &store.relational.outbox;
    for key in ["a", "b"] {
        outbox.ensure(Topic::Erase, key, at(500)).await.unwrap();
    }
    assert_eq!(outbox.make_due(Topic::Demote, at(100)).await, Ok(0));
    assert_eq!(outbox.make_due(Topic::Erase, at(100)).await, Ok(2));
    assert_eq!(claimed(store, claim(Topic::Erase, fresh_uuid(), 100)).await.len(), 2);
    assert_eq!(outbox.make_due(Topic::Erase, at(90)).await, Ok(0));
}

async fn a_parked_item_is_not_pending(store: &TestStore) {
    let (worker, outbox) = (fresh_uuid(), &store.relational.outbox);
    outbox.ensure(Topic::Erase, "k", at(1)).await.unwrap();
    let id = claimed(store, claim(Topic::Erase, worker, 10)).await[0];
    outbox.settle(id, worker, Settlement::Park(at(500))).await.unwrap();
    assert_eq!(outbox.is_pending(Topic::Erase, "k").await, Ok(false));
    claimed(store, claim(Topic::Erase, worker, 500)).await;
    assert_eq!(outbox.is_pending(Topic::Erase, "k").await, Ok(true));
}

async fn a_rescheduled_item_starts_over(store: &TestStore) {
    let (_, _, items) = some_work(store).await;
    let (worker, outbox) = (fresh_uuid(), &store.relational.outbox);
    claimed(store, claim(Topic::MakeWhole, worker, 100)).await;
    begun(store, items[2].id, worker).await;
    outbox.settle(items[2].id, worker, Settlement::Again(at(700))).await.unwrap();
    assert!(claimed(store, claim(Topic::MakeWhole, worker, 699)).await.is_empty());
    let again = OutboxItem { run_at: at(700), ..items[2].clone() };
    assert_eq!(pending(store).await[2], again);
}

async fn an_item_is_found_by_topic_and_key(store: &TestStore) {
    let (_, document, items) = some_work(store).await;
    let (key, outbox) = (format!("{document}/1"), &store.relational.outbox);
    assert_eq!(outbox.is_pending(Topic::MakeWhole, &key).await, Ok(true));
    let other = outbox.is_pending(Topic::MakeWhole, &format!("{document}/2")).await;
    assert_eq!(other, Ok(false));
    assert_eq!(outbox.is_pending(Topic::Erase, &key).await, Ok(false));
    let worker = fresh_uuid();
    claimed(store, claim(Topic::MakeWhole, worker, 100)).await;
    assert_eq!(outbox.is_pending(Topic::MakeWhole, &key).await, Ok(true));
    outbox.settle(items[2].id, worker, Settlement::Done).await.unwrap();
    assert_eq!(outbox.is_pending(Topic::MakeWhole, &key).await, Ok(false));
    assert_eq!(outbox.is_pending(Topic::Demote, &key).await, Ok(true));
}

async fn an_item_is_ensured_once(store: &TestStore) {
    for run_at in [70, 80] {
        store.relational.outbox.ensure(Topic::Collect, "k", at(run_at)).await.unwrap();
    }
    store.relational.outbox.ensure(Topic::Forget, "k", at(90)).await.unwrap();
    let found: Vec<_> = pending(store).await.iter().map(|item| (item.topic, item.run_at)).collect();
    assert_eq!(found, [(Topic::Collect, at(70)), (Topic::Forget, at(90))]);
}

async fn of_many_workers_one_gets_each_item(store: &TestStore) {
    for key in 0..20 {
        store.relational.outbox.ensure(Topic::Erase, &format!("{key}"), at(1)).await.unwrap();
    }
    let workers = (0..8).map(|_| {
        let stores = store.stores();
        tokio::spawn(async move {
            let claim = Claim { limit: 5, ..claim(Topic::Erase, fresh_uuid(), 10) };
            stores.relational.outbox.claim(&claim).await.unwrap()
        })
    });
    let mut keys = Vec::new();
    for worker in Vec::from_iter(workers) {
        keys.extend(worker.await.unwrap().into_iter().map(|item| item.key));
    }
    keys.sort_unstable();
    let all = keys.len();
    keys.dedup();
    assert_eq!((keys.len(), all), (20, 20));
}
