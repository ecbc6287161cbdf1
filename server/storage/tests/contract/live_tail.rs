use crate::{fixtures::*, provider::TestStore};
use izanagi_domain::storage::{
    Appended, Batch, BatchOutcome, LogTail, LoggedUpdate, NewSnapshot, StoreError, StoreResult,
};
use izanagi_shared::id::{DocumentId, UserId};

suite!(
    rows_after_a_seq_come_with_the_head,
    a_tail_reports_absorbed_rows,
    a_batch_at_the_end_of_the_log_is_appended,
    an_outdated_batch_gets_the_missing_rows,
    a_batch_ahead_of_the_log_is_not_written,
    a_repeated_batch_gets_its_seqs,
    one_of_concurrent_conditional_appends_succeeds,
    a_batch_sees_earlier_ones_of_the_same_append,
);

/// Creates a document with this many updates, with the op ids "0", "1" …
async fn a_log(store: &TestStore, updates: u64) -> (UserId, DocumentId) {
    let user = a_user(store).await;
    let document = a_document(store, user).await;
    let updates = (0..updates).map(|number| update(user, &number.to_string())).collect();
    store.relational.log.append(&[batch(document, updates)]).await.unwrap();
    (user, document)
}

fn logged(seq: u64, actor: UserId, op_id: &str) -> LoggedUpdate {
    LoggedUpdate { seq, actor: actor.into(), delta: op_id.as_bytes().to_vec(), at: at(30) }
}

fn after(seq: u64, document: DocumentId, user: UserId, op_id: &str) -> Batch {
    Batch { after: Some(seq), ..batch(document, vec![update(user, op_id)]) }
}

async fn append(store: &TestStore, batch: Batch) -> StoreResult<BatchOutcome> {
    store.relational.log.append(&[batch]).await.unwrap().remove(0)
}

async fn rows_after_a_seq_come_with_the_head(store: &TestStore) {
    let (user, document) = a_log(store, 4).await;
    store.relational.log.quarantine(document, 3, at(40)).await.unwrap();
    let tail = store.relational.log.since(document, 1).await.unwrap();
    let expected = LogTail {
        live_seq: 4,
        snapshot_seq: 0,
        updates: vec![logged(2, user, "1"), logged(4, user, "3")],
        quarantined: vec![3],
    };
    assert_eq!(tail, expected);
    for seq in [4, 5, u64::MAX] {
        let tail = store.relational.log.since(document, seq).await.unwrap();
        assert_eq!((tail.live_seq, tail.updates, tail.quarantined), (4, vec![], vec![]));
    }
    let nothing = store.relational.log.since(DocumentId(fresh_uuid()), 0).await;
    assert_eq!(nothing, Err(StoreError::NotFound));
}

async fn a_tail_reports_absorbed_rows(store: &TestStore) {
    let (user, document) = a_log(store, 4).await;
    let (state, absorbed) = (b"state".to_vec(), vec![1, 2, 3]);
    let snapshot = NewSnapshot {
        document_id: document,
        seq: 3,
        state,
        absorbed,
        segments: Vec::new(),
        from_seq: 4,
        verified: 0,
        at: at(40),
    };
    store.relational.log.snapshot(&snapshot).await.unwrap();
    let tail = store.relational.log.since(document, 1).await.unwrap();
    assert_eq!((tail.live_seq, tail.snapshot_seq), (4, 3));
    assert_eq!(tail.updates, [logged(4, user, "3")]);
    let complete = [1, 2, 3, 4, 5].map(|seq| tail.is_complete_after(seq));
    assert_eq!(complete, [false, false, true, true, false]);
}

async fn a_batch_at_the_end_of_the_log_is_appended(store: &TestStore) {
    let (user, document) = a_log(store, 2).await;
    let appended = append(store, after(2, document, user, "a")).await;
    assert_eq!(appended, Ok(vec![Appended::New(3)].into()));
    let empty = a_document(store, user).await;
    let appended = append(store, after(0, empty, user, "a")).await;
    assert_eq!(appended, Ok(vec![Appended::New(1)].into()));
}

async fn an_outdated_batch_gets_the_missing_rows(store: &TestStore) {
    let (user, document) = a_log(store, 3).await;
    let moved = append(store, after(1, document, user, "a")).await;
    let tail = store.relational.log.since(document, 1).await.unwrap();
    assert_eq!(tail.updates, [logged(2, user, "1"), logged(3, user, "2")]);
    assert_eq!(moved, Ok(BatchOutcome::Moved(tail)));
    assert_eq!(store.relational.catalog.get(document).await.unwrap().live_seq, 3);
    let unknown = store.relational.log.known_op(document, user.into(), "a").await;
    assert_eq!(unknown, Err(StoreError::NotFound));
    // After the missing rows are applied, the same batch succeeds.
    let appended = append(store, after(3, document, user, "a")).await;
    assert_eq!(appended, Ok(vec![Appended::New(4)].into()));
}

async fn a_batch_ahead_of_the_log_is_not_written(store: &TestStore) {
    let (user, document) = a_log(store, 1).await;
    let moved = append(store, after(7, document, user, "a")).await;
    let Ok(BatchOutcome::Moved(tail)) = moved else { panic!("{moved:?}") };
    assert_eq!((tail.live_seq, tail.updates.len()), (1, 0));
    assert_eq!(store.relational.catalog.get(document).await.unwrap().live_seq, 1);
}

async fn a_repeated_batch_gets_its_seqs(store: &TestStore) {
    let (user, document) = a_log(store, 1).await;
    for expected in [Appended::New(2), Appended::Known(2)] {
        let appended = append(store, after(1, document, user, "a")).await;
        assert_eq!(appended, Ok(vec![expected].into()));
    }
    // A single unknown update makes the batch fail.
    let updates = vec![update(user, "a"), update(user, "b")];
    let mixed = Batch { after: Some(1), ..batch(document, updates) };
    assert!(matches!(append(store, mixed).await, Ok(BatchOutcome::Moved(_))));
}

async fn one_of_concurrent_conditional_appends_succeeds(store: &TestStore) {
    let (user, document) = a_log(store, 1).await;
    let tasks: Vec<_> = (0..8)
        .map(|task| {
            let stores = store.stores();
            let batch = after(1, document, user, &format!("task {task}"));
            tokio::spawn(async move {
                stores.relational.log.append(&[batch]).await.unwrap().remove(0).unwrap()
            })
        })
        .collect();
    let mut appended = 0;
    for task in tasks {
        match task.await.unwrap() {
            BatchOutcome::Appended(answers) => {
                assert_eq!(answers, [Appended::New(2)]);
                appended += 1;
            }
            BatchOutcome::Moved(tail) => assert_eq!((tail.live_seq, tail.updates.len()), (2, 1)),
        }
    }
    assert_eq!(appended, 1);
}

async fn a_batch_sees_earlier_ones_of_the_same_append(store: &TestStore) {
    let (user, document) = a_log(store, 0).await;
    let batches = [after(0, document, user, "a"), after(0, document, user, "b")];
    let answers = store.relational.log.append(&batches).await.unwrap();
    assert_eq!(answers[0], Ok(vec![Appended::New(1)].into()));
    let Ok(BatchOutcome::Moved(tail)) = &answers[1] else { panic!("{answers:?}") };
    assert_eq!(tail.updates, [logged(1, user, "a")]);
}
