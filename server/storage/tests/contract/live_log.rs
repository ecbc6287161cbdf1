use crate::{fixtures::*, provider::TestStore};
use izanagi_domain::storage::{
    Appended, Batch, BatchOutcome, ClientOwner, Constraint, KnownOp, LoggedUpdate, NewSnapshot,
    NewUpdate, StoreError, short_hash,
};
use izanagi_shared::id::{DocumentId, UserId};

suite!(
    updates_are_numbered_from_one,
    a_repeated_op_gets_its_original_seq,
    an_op_repeated_in_one_append_is_written_once,
    a_quarantined_op_is_reported_as_quarantined,
    an_op_id_with_different_bytes_is_refused,
    op_ids_are_scoped_to_their_user,
    a_client_id_belongs_to_its_first_user,
    the_server_has_its_own_client_ids,
    a_refused_update_leaves_no_gap,
    a_failing_batch_does_not_affect_the_others,
    results_are_in_the_order_of_the_batches,
    the_document_row_follows_new_updates,
    an_empty_append_does_nothing,
    many_updates_fit_in_one_append,
    concurrent_appends_leave_no_gap,
    concurrent_appends_to_several_documents_all_succeed,
    old_op_ids_are_forgotten,
);

async fn owned_document(store: &TestStore) -> (UserId, DocumentId) {
    let user = a_user(store).await;
    (user, a_document(store, user).await)
}

async fn append(store: &TestStore, document: DocumentId, updates: Vec<NewUpdate>) -> Vec<Appended> {
    let mut answers = store.relational.log.append(&[batch(document, updates)]).await.unwrap();
    assert_eq!(answers.len(), 1);
    answers.remove(0).unwrap().into_appended().unwrap()
}

async fn updates_are_numbered_from_one(store: &TestStore) {
    let (user, document) = owned_document(store).await;
    let answers = append(store, document, vec![update(user, "a"), update(user, "b")]).await;
    assert_eq!(answers, [Appended::New(1), Appended::New(2)]);
    assert_eq!(append(store, document, vec![update(user, "c")]).await, [Appended::New(3)]);
    let log = store.relational.log.load(document).await.unwrap();
    assert_eq!((log.live_seq, log.snapshot.seq), (3, 0));
    let logged = |seq, bytes: &str| LoggedUpdate {
        seq,
        actor: user.into(),
        delta: bytes.as_bytes().to_vec(),
        at: at(30),
    };
    assert_eq!(log.updates, [logged(1, "a"), logged(2, "b"), logged(3, "c")]);
    let known = store.relational.log.known_op(document, user.into(), "b").await.unwrap();
    let hash = short_hash(&update(user, "b").delta_hash);
    assert_eq!(known, KnownOp { seq: 2, hash, quarantined: false });
    let unknown = store.relational.log.known_op(document, user.into(), "d").await;
    assert_eq!(unknown, Err(StoreError::NotFound));
}

async fn a_repeated_op_gets_its_original_seq(store: &TestStore) {
    let (user, document) = owned_document(store).await;
    append(store, document, vec![update(user, "a"), update(user, "b")]).await;
    let answers = append(store, document, vec![update(user, "a"), update(user, "c")]).await;
    assert_eq!(answers, [Appended::Known(1), Appended::New(3)]);
    assert_eq!(store.relational.log.load(document).await.unwrap().updates.len(), 3);
}

async fn an_op_repeated_in_one_append_is_written_once(store: &TestStore) {
    let (user, document) = owned_document(store).await;
    let updates = || vec![update(user, "a"), update(user, "a")];
    let batches = [batch(document, updates()), batch(document, updates())];
    let answers = store.relational.log.append(&batches).await.unwrap();
    let expected = [
        Ok(vec![Appended::New(1), Appended::Known(1)].into()),
        Ok(vec![Appended::Known(1), Appended::Known(1)].into()),
    ];
    assert_eq!(answers, expected);
    assert_eq!(store.relational.log.load(document).await.unwrap().updates.len(), 1);
}

async fn a_quarantined_op_is_reported_as_quarantined(store: &TestStore) {
    let (user, document) = owned_document(store).await;
    let updates = || vec![update(user, "a"), update(user, "b"), update(user, "c")];
    append(store, document, updates()).await;
    store.relational.log.quarantine(document, 2, at(50)).await.unwrap();
    // An op whose row was absorbed by a snapshot is not quarantined.
    let absorbed = NewSnapshot {
        document_id: document,
        seq: 3,
        state: b"state".to_vec(),
        absorbed: vec![1],
        segments: Vec::new(),
        from_seq: 4,
        verified: 0,
        at: at(51),
    };
    store.relational.log.snapshot(&absorbed).await.unwrap();
    let expected = [Appended::Known(1), Appended::Quarantined(2), Appended::Known(3)];
    assert_eq!(append(store, document, updates()).await, expected);
    for (op_id, quarantined) in [("a", false), ("b", true), ("c", false)] {
        let known = store.relational.log.known_op(document, user.into(), op_id).await.unwrap();
        assert_eq!(known.quarantined, quarantined, "{op_id}");
    }
}

async fn an_op_id_with_different_bytes_is_refused(store: &TestStore) {
    let (user, document) = owned_document(store).await;
    append(store, document, vec![update(user, "a")]).await;
    let other = NewUpdate { delta: vec![1].into(), delta_hash: [1; 32], ..update(user, "a") };
    let answers = append(store, document, vec![other, update(user, "b")]).await;
    assert_eq!(answers, [Appended::OtherBytes, Appended::New(2)]);
}

async fn op_ids_are_scoped_to_their_user(store: &TestStore) {
    let (user, document) = owned_document(store).await;
    let other = a_user(store).await;
    let answers = append(store, document, vec![update(user, "a"), update(other, "a")]).await;
    assert_eq!(answers, [Appended::New(1), Appended::New(2)]);
    let elsewhere = a_document(store, user).await;
    assert_eq!(append(store, elsewhere, vec![update(user, "a")]).await, [Appended::New(1)]);
}

async fn a_client_id_belongs_to_its_first_user(store: &TestStore) {
    let (ann, document) = owned_document(store).await;
    let ben = a_user(store).await;
    let by = |user, op_id: &str, clients: &[u64]| NewUpdate {
        clients: clients.to_vec(),
        ..update(user, op_id)
    };
    let (small, large) = (7, u64::MAX);
    let first = vec![by(ann, "a", &[small, large]), by(ann, "b", &[large]), by(ben, "c", &[large])];
    let answers = append(store, document, first).await;
    let expected = [Appended::New(1), Appended::New(2), Appended::ForeignClient(large)];
    assert_eq!(answers, expected);
    let second = vec![by(ben, "d", &[8, small]), by(ann, "e", &[8])];
    let answers = append(store, document, second).await;
    assert_eq!(answers, [Appended::ForeignClient(small), Appended::New(3)]);
    // Client ids are scoped to the document.
    let elsewhere = a_document(store, ben).await;
    assert_eq!(append(store, elsewhere, vec![by(ben, "f", &[small])]).await, [Appended::New(1)]);
}

async fn the_server_has_its_own_client_ids(store: &TestStore) {
    let (user, document) = owned_document(store).await;
    // The server wrote the initial state under client id 1.
    let as_user = NewUpdate { clients: vec![1], ..update(user, "a") };
    let as_server =
        NewUpdate { clients: vec![1, 2], client_owner: ClientOwner::Server, ..update(user, "b") };
    let later = NewUpdate { clients: vec![2], ..update(user, "c") };
    let answers = append(store, document, vec![as_user, as_server, later]).await;
    let expected = [Appended::ForeignClient(1), Appended::New(1), Appended::ForeignClient(2)];
    assert_eq!(answers, expected);
}

async fn a_refused_update_leaves_no_gap(store: &TestStore) {
    let (user, document) = owned_document(store).await;
    let foreign = NewUpdate { clients: vec![1], ..update(user, "x") };
    let updates = vec![update(user, "a"), foreign.clone(), update(user, "b")];
    let answers = append(store, document, updates).await;
    let expected = [Appended::New(1), Appended::ForeignClient(1), Appended::New(2)];
    assert_eq!(answers, expected);
    let unknown = store.relational.log.known_op(document, user.into(), "x").await;
    assert_eq!(unknown, Err(StoreError::NotFound));
    let repaired = NewUpdate { clients: vec![9], ..foreign };
    assert_eq!(append(store, document, vec![repaired]).await, [Appended::New(3)]);
}

async fn a_failing_batch_does_not_affect_the_others(store: &TestStore) {
    let (user, good) = owned_document(store).await;
    let trashed = a_document(store, user).await;
    trash(store, trashed, user).await;
    let batches = [
        batch(trashed, vec![update(user, "a")]),
        batch(DocumentId(fresh_uuid()), vec![update(user, "a")]),
        batch(good, vec![update(user, "a")]),
        batch(good, vec![update(user, "d")]),
    ];
    let answers = store.relational.log.append(&batches).await.unwrap();
    let expected = [
        Err(StoreError::Conflict(Constraint::Trashed)),
        Err(StoreError::NotFound),
        Ok(vec![Appended::New(1)].into()),
        Ok(vec![Appended::New(2)].into()),
    ];
    assert_eq!(answers, expected);
    assert_eq!(store.relational.catalog.get(trashed).await.unwrap().live_seq, 0);
    assert_eq!(store.relational.log.load(good).await.unwrap().updates.len(), 2);
}

async fn results_are_in_the_order_of_the_batches(store: &TestStore) {
    let user = a_user(store).await;
    let (first, second) = (a_document(store, user).await, a_document(store, user).await);
    append(store, second, vec![update(user, "before")]).await;
    let batches = [batch(second, vec![update(user, "a")]), batch(first, vec![update(user, "a")])];
    let answers = store.relational.log.append(&batches).await.unwrap();
    assert_eq!(answers, [Ok(vec![Appended::New(2)].into()), Ok(vec![Appended::New(1)].into())]);
}

async fn the_document_row_follows_new_updates(store: &TestStore) {
    let (owner, document) = owned_document(store).await;
    let editor = a_user(store).await;
    append(store, document, vec![update(owner, "a"), update(editor, "b")]).await;
    let row = store.relational.catalog.get(document).await.unwrap();
    assert_eq!((row.live_seq, row.last_modified_by, row.updated_at), (2, editor.into(), at(30)));
    assert_eq!((row.meta_rev, row.text.seq), (1, 0));
    // Opening or resending writes nothing new, so it must not move the document up the list.
    let again = Batch { at: at(99), ..batch(document, vec![update(owner, "a")]) };
    store.relational.log.append(&[again]).await.unwrap();
    assert_eq!(store.relational.catalog.get(document).await.unwrap(), row);
}

async fn an_empty_append_does_nothing(store: &TestStore) {
    let (_, document) = owned_document(store).await;
    assert_eq!(store.relational.log.append(&[]).await, Ok(vec![]));
    assert_eq!(append(store, document, vec![]).await, []);
    assert_eq!(store.relational.catalog.get(document).await.unwrap().live_seq, 0);
}

async fn many_updates_fit_in_one_append(store: &TestStore) {
    let (user, document) = owned_document(store).await;
    let many =
        |number: u64| NewUpdate { clients: vec![number + 10], ..update(user, &number.to_string()) };
    let answers = append(store, document, (0..2_500).map(many).collect()).await;
    assert_eq!(answers, (1..=2_500).map(Appended::New).collect::<Vec<_>>());
    let again = append(store, document, (0..2_500).map(many).collect()).await;
    assert_eq!(again, (1..=2_500).map(Appended::Known).collect::<Vec<_>>());
    let updates = store.relational.log.load(document).await.unwrap().updates;
    let numbers: Vec<_> = updates.iter().map(|update| update.seq).collect();
    assert_eq!(numbers, (1..=2_500).collect::<Vec<u64>>());
    assert_eq!(updates[1_733].delta, b"1733");
}

async fn concurrent_appends_leave_no_gap(store: &TestStore) {
    let (user, document) = owned_document(store).await;
    let tasks: Vec<_> = (0..16)
        .map(|task| {
            let stores = store.stores();
            tokio::spawn(async move {
                let mut numbers = Vec::new();
                for step in 0..8 {
                    let updates = vec![update(user, &format!("{task}-{step}"))];
                    let answers =
                        stores.relational.log.append(&[batch(document, updates)]).await.unwrap();
                    match answers[0].clone().unwrap().into_appended().as_deref() {
                        Ok([Appended::New(seq)]) => numbers.push(*seq),
                        other => panic!("{other:?}"),
                    }
                }
                numbers
            })
        })
        .collect();
    let mut numbers = Vec::new();
    for task in tasks {
        let own = task.await.unwrap();
        assert!(own.is_sorted());
        numbers.extend(own);
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=128).collect::<Vec<u64>>());
    assert_eq!(store.relational.catalog.get(document).await.unwrap().live_seq, 128);
}

async fn concurrent_appends_to_several_documents_all_succeed(store: &TestStore) {
    let user = a_user(store).await;
    let mut documents = Vec::new();
    for _ in 0..4 {
        documents.push(a_document(store, user).await);
    }
    let tasks: Vec<_> = (0..8)
        .map(|task: usize| {
            let (stores, mut documents) = (store.stores(), documents.clone());
            documents.rotate_left(task % 4);
            tokio::spawn(async move {
                let batch_for = |document| batch(document, vec![update(user, &task.to_string())]);
                let batches: Vec<_> = documents.into_iter().map(batch_for).collect();
                stores.relational.log.append(&batches).await.unwrap()
            })
        })
        .collect();
    for task in tasks {
        for answer in task.await.unwrap() {
            let appended = answer.and_then(BatchOutcome::into_appended).unwrap();
            assert!(matches!(*appended, [Appended::New(1..=8)]), "{appended:?}");
        }
    }
    for document in documents {
        assert_eq!(store.relational.log.load(document).await.unwrap().updates.len(), 8);
    }
}

async fn old_op_ids_are_forgotten(store: &TestStore) {
    let (user, document) = owned_document(store).await;
    let mut batches = Vec::new();
    for number in 0..2_100_i64 {
        // Every third op is recent, so that old and recent ones alternate.
        let updates = vec![update(user, &format!("{number}"))];
        let at = at(if number % 3 == 0 { 99 } else { 98 });
        batches.push(Batch { at, ..batch(document, updates) });
    }
    store.relational.log.append(&batches).await.unwrap();
    store.relational.log.forget_ops(at(99)).await.unwrap();
    for (number, is_known) in [(0, true), (1, false), (1_000, false), (2_096, false), (2_097, true)]
    {
        let known =
            store.relational.log.known_op(document, user.into(), &format!("{number}")).await;
        assert_eq!(known.is_ok(), is_known, "{number}");
    }
    // Only recent op ids remain; the updates themselves are unaffected.
    store.relational.log.forget_ops(at(99)).await.unwrap();
    assert_eq!(store.relational.log.load(document).await.unwrap().updates.len(), 2_100);
}
