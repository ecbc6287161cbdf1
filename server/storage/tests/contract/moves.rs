use crate::{fixtures::*, provider::TestStore};
use izanagi_domain::storage::{
    Claim, MovePhase, MoveProgress, MovedStore, NewMove, Sealed, StoreError, Topic,
};
use uuid::Uuid;

suite!(
    a_move_is_read_as_it_was_written,
    one_move_is_under_way_at_a_time,
    a_done_move_is_replaced,
    a_phase_follows_only_the_one_it_should,
    one_worker_has_the_lease,
    nodes_confirm_phases,
    a_cancelled_way_back_leaves_the_first_move,
);

fn a_move(store: MovedStore) -> NewMove {
    let (source, target) = (Some(Sealed(vec![1, 2])), Sealed(vec![3, 0, 255]));
    NewMove { id: fresh_uuid(), store, source, target, at: at(5) }
}

async fn begun(store: &TestStore) -> NewMove {
    let new = a_move(MovedStore::Documents);
    assert!(store.relational.moves.begin(&new).await.unwrap());
    new
}

async fn a_move_is_read_as_it_was_written(store: &TestStore) {
    let moves = &store.relational.moves;
    assert_eq!(moves.get(MovedStore::Documents).await, Ok(None));
    let new = begun(store).await;
    let progress =
        MoveProgress { done: 3, total: 9, position: "p".to_owned(), note: "waits".to_owned() };
    moves.report(new.id, &progress, at(6)).await.unwrap();
    let found = moves.get(MovedStore::Documents).await.unwrap().unwrap();
    assert_eq!((found.id, found.store), (new.id, new.store));
    assert_eq!((found.source, found.target), (new.source, new.target));
    assert_eq!((found.phase, found.progress), (MovePhase::Asked, progress));
    assert_eq!((found.claim, found.started_at, found.updated_at), (None, at(5), at(6)));
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
    }
    moves.remove(first.id).await.unwrap();
    assert!(moves.begin(&a_move(MovedStore::Relational)).await.unwrap());
}

async fn a_done_move_is_replaced(store: &TestStore) {
    let moves = &store.relational.moves;
    let first = begun(store).await;
    assert!(moves.turn(first.id, MovePhase::Asked, MovePhase::Moved, at(7)).await.unwrap());
    let second = begun(store).await;
    assert_eq!(moves.get(MovedStore::Documents).await.unwrap().unwrap().id, second.id);
}

async fn a_phase_follows_only_the_one_it_should(store: &TestStore) {
    let moves = &store.relational.moves;
    let new = begun(store).await;
    let (asked, copying) = (MovePhase::Asked, MovePhase::Copying);
    assert!(!moves.turn(new.id, copying, MovePhase::Verifying, at(6)).await.unwrap());
    assert!(moves.turn(new.id, asked, copying, at(6)).await.unwrap());
    assert!(!moves.turn(new.id, asked, MovePhase::Cancelled, at(6)).await.unwrap());
    assert!(!moves.turn(fresh_uuid(), copying, MovePhase::Verifying, at(6)).await.unwrap());
    assert_eq!(moves.get(MovedStore::Documents).await.unwrap().unwrap().phase, copying);
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
    let found = moves.get(MovedStore::Documents).await.unwrap().unwrap();
    assert_eq!(found.claim, Some((other, at(39))));
    moves.release(id).await.unwrap();
    assert!(moves.claim(id, one, at(30), at(40)).await.unwrap());
}

async fn nodes_confirm_phases(store: &TestStore) {
    let moves = &store.relational.moves;
    let id = begun(store).await.id;
    let [one, other]: [Uuid; 2] = [fresh_uuid(), fresh_uuid()];
    moves.confirm(MovedStore::Documents, one, None).await.unwrap();
    let at = Some((id, MovePhase::Asked));
    moves.confirm(MovedStore::Documents, one, at).await.unwrap();
    moves.confirm(MovedStore::Documents, other, at).await.unwrap();
    let nodes = moves.nodes(MovedStore::Documents).await.unwrap();
    let seen = |id| nodes.iter().find(|node| node.node == id).map(|node| (node.at, node.beats));
    assert_eq!((nodes.len(), seen(one), seen(other)), (2, Some((at, 2)), Some((at, 1))));
    moves.leave(MovedStore::Documents, other).await.unwrap();
    assert_eq!(moves.nodes(MovedStore::Documents).await.unwrap().len(), 1);
    moves.remove(id).await.unwrap();
    assert_eq!(moves.nodes(MovedStore::Documents).await, Ok(Vec::new()));
}

async fn a_cancelled_way_back_leaves_the_first_move(store: &TestStore) {
    let moves = &store.relational.moves;
    let new = begun(store).await;
    let first = new.source.unwrap();
    moves.restore(new.id, &first, at(8)).await.unwrap();
    let found = moves.get(MovedStore::Documents).await.unwrap().unwrap();
    assert_eq!((found.source, found.target, found.phase), (None, first.clone(), MovePhase::Moved));
    assert_eq!(moves.restore(fresh_uuid(), &first, at(8)).await, Err(StoreError::NotFound));
}
