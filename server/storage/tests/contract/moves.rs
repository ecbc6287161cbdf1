use crate::{fixtures::*, provider::TestStore};
use izanagi_domain::storage::{
    Claim, MovePhase, MoveProgress, MovedStore, NewMove, Sealed, StoreError, Topic,
};
use uuid::Uuid;

suite!(
    a_move_is_read_as_it_was_written,
    one_move_is_under_way_at_a_time,
    a_move_replaces_only_the_one_that_was_seen,
    a_turn_is_taken_once,
    only_who_has_the_lease_takes_a_turn,
    one_worker_has_the_lease,
    nodes_confirm_turns,
    a_late_confirmation_hides_no_later_one,
    a_node_that_shows_itself_is_not_removed,
    a_cancelled_way_back_leaves_the_first_move,
);

const STORE: MovedStore = MovedStore::Documents;

fn a_move(store: MovedStore) -> NewMove {
    let (source, target) = (Some(Sealed(vec![1, 2])), Sealed(vec![3, 0, 255]));
    NewMove { id: fresh_uuid(), store, source, target, replaces: None, at: at(5) }
}

async fn begun(store: &TestStore) -> NewMove {
    let new = a_move(STORE);
    assert!(store.relational.moves.begin(&new).await.unwrap());
    new
}

async fn a_move_is_read_as_it_was_written(store: &TestStore) {
    let moves = &store.relational.moves;
    assert_eq!(moves.get(STORE).await, Ok(None));
    let new = begun(store).await;
    let progress =
        MoveProgress { done: 3, total: 9, position: "p".to_owned(), note: "waits".to_owned() };
    moves.report((new.id, 1), &progress).await.unwrap();
    // One of another turn comes too late.
    moves.report((new.id, 2), &MoveProgress::default()).await.unwrap();
    let found = moves.get(STORE).await.unwrap().unwrap();
    assert_eq!((found.id, found.store, found.turn), (new.id, new.store, 1));
    assert_eq!((found.source, found.target), (new.source, new.target));
    assert_eq!((found.phase, found.progress), (MovePhase::Asked, progress));
    assert_eq!((found.claim, found.replaced), (None, None));
    assert_eq!(moves.get(MovedStore::Relational).await, Ok(None));
    let claim = Claim {
        topic: Topic::Move,
        worker: fresh_uuid(),
        limit: 9,
        now: at(10),
        until: at(20),
        horizon: at(99),
    };
    let jobs = store.relational.outbox.claim(&claim).await.unwrap();
    assert_eq!(jobs.iter().map(|job| job.key.as_str()).collect::<Vec<_>>(), ["documents"]);
}

async fn one_move_is_under_way_at_a_time(store: &TestStore) {
    let moves = &store.relational.moves;
    let first = begun(store).await;
    for other in MovedStore::ALL {
        assert!(!moves.begin(&a_move(other)).await.unwrap());
        let replaces = Some(first.id);
        assert!(!moves.begin(&NewMove { replaces, ..a_move(other) }).await.unwrap());
    }
    moves.remove(first.id).await.unwrap();
    assert!(moves.begin(&a_move(MovedStore::Relational)).await.unwrap());
}

async fn a_move_replaces_only_the_one_that_was_seen(store: &TestStore) {
    let moves = &store.relational.moves;
    let first = begun(store).await;
    assert!(moves.turn((first.id, 1), None, MovePhase::Moved).await.unwrap());
    for replaces in [None, Some(fresh_uuid())] {
        assert!(!moves.begin(&NewMove { replaces, ..a_move(STORE) }).await.unwrap());
    }
    let second = NewMove { replaces: Some(first.id), ..a_move(STORE) };
    assert!(moves.begin(&second).await.unwrap());
    let found = moves.get(STORE).await.unwrap().unwrap();
    assert_eq!((found.id, found.replaced, found.turn), (second.id, Some(first.id), 1));
}

/// A phase comes again; what was meant for the first time has no effect on the second.
async fn a_turn_is_taken_once(store: &TestStore) {
    let moves = &store.relational.moves;
    let id = begun(store).await.id;
    let pause = async |turn: u64| {
        assert!(moves.turn((id, turn), None, MovePhase::Holding).await.unwrap());
        assert!(moves.turn((id, turn + 1), None, MovePhase::Verifying).await.unwrap());
    };
    pause(1).await;
    assert!(moves.turn((id, 3), None, MovePhase::Holding).await.unwrap());
    // The end of the first pause arrives in the second one.
    assert!(!moves.turn((id, 2), None, MovePhase::Switched).await.unwrap());
    assert!(!moves.turn((fresh_uuid(), 4), None, MovePhase::Switched).await.unwrap());
    let found = moves.get(STORE).await.unwrap().unwrap();
    assert_eq!((found.phase, found.turn), (MovePhase::Holding, 4));
}

async fn only_who_has_the_lease_takes_a_turn(store: &TestStore) {
    let moves = &store.relational.moves;
    let id = begun(store).await.id;
    let [one, other] = [fresh_uuid(), fresh_uuid()];
    assert!(!moves.turn((id, 1), Some(one), MovePhase::Copying).await.unwrap());
    assert!(moves.claim(id, one, at(10), at(20)).await.unwrap());
    assert!(moves.claim(id, other, at(21), at(31)).await.unwrap());
    assert!(!moves.turn((id, 1), Some(one), MovePhase::Copying).await.unwrap());
    assert!(moves.turn((id, 1), Some(other), MovePhase::Copying).await.unwrap());
}

async fn one_worker_has_the_lease(store: &TestStore) {
    let moves = &store.relational.moves;
    let id = begun(store).await.id;
    let [one, other] = [fresh_uuid(), fresh_uuid()];
    assert!(moves.claim(id, one, at(10), at(20)).await.unwrap());
    assert!(!moves.claim(id, other, at(19), at(29)).await.unwrap());
    assert!(moves.claim(id, one, at(19), at(29)).await.unwrap());
    assert!(moves.claim(id, other, at(29), at(39)).await.unwrap());
    assert!(!moves.claim(id, one, at(30), at(40)).await.unwrap());
    let found = moves.get(STORE).await.unwrap().unwrap();
    assert_eq!(found.claim, Some((other, at(39))));
    moves.release(id).await.unwrap();
    assert!(moves.claim(id, one, at(30), at(40)).await.unwrap());
}

async fn seen(store: &TestStore, node: Uuid) -> Option<(Option<(Uuid, u64)>, u64)> {
    let nodes = store.relational.moves.nodes(STORE).await.unwrap();
    nodes.iter().find(|one| one.node == node).map(|one| (one.at, one.beats))
}

async fn nodes_confirm_turns(store: &TestStore) {
    let moves = &store.relational.moves;
    let id = begun(store).await.id;
    let [one, other]: [Uuid; 2] = [fresh_uuid(), fresh_uuid()];
    moves.confirm(STORE, one, None).await.unwrap();
    let at = Some((id, 1));
    moves.confirm(STORE, one, at).await.unwrap();
    moves.confirm(STORE, other, at).await.unwrap();
    assert_eq!((seen(store, one).await, seen(store, other).await), (Some((at, 2)), Some((at, 1))));
    moves.leave(STORE, other, None).await.unwrap();
    assert_eq!(moves.nodes(STORE).await.unwrap().len(), 1);
    moves.remove(id).await.unwrap();
    assert_eq!(moves.nodes(STORE).await, Ok(Vec::new()));
}

async fn a_late_confirmation_hides_no_later_one(store: &TestStore) {
    let moves = &store.relational.moves;
    let (id, node) = (begun(store).await.id, fresh_uuid());
    for turn in [4, 2, 0] {
        moves.confirm(STORE, node, Some((id, turn))).await.unwrap();
    }
    assert_eq!(seen(store, node).await, Some((Some((id, 4)), 3)));
    let other = fresh_uuid();
    moves.confirm(STORE, node, Some((other, 1))).await.unwrap();
    assert_eq!(seen(store, node).await, Some((Some((other, 1)), 4)));
}

async fn a_node_that_shows_itself_is_not_removed(store: &TestStore) {
    let moves = &store.relational.moves;
    let (id, node) = (begun(store).await.id, fresh_uuid());
    moves.confirm(STORE, node, Some((id, 1))).await.unwrap();
    moves.confirm(STORE, node, Some((id, 1))).await.unwrap();
    moves.leave(STORE, node, Some(1)).await.unwrap();
    assert!(seen(store, node).await.is_some());
    moves.leave(STORE, node, Some(2)).await.unwrap();
    assert_eq!(seen(store, node).await, None);
}

async fn a_cancelled_way_back_leaves_the_first_move(store: &TestStore) {
    let moves = &store.relational.moves;
    let new = begun(store).await;
    let first = new.source.unwrap();
    moves.restore(new.id, &first).await.unwrap();
    let found = moves.get(STORE).await.unwrap().unwrap();
    assert_eq!((found.source, found.target, found.phase), (None, first.clone(), MovePhase::Moved));
    assert_eq!(found.turn, 2, "nodes must follow");
    assert_eq!(moves.restore(fresh_uuid(), &first).await, Err(StoreError::NotFound));
}
