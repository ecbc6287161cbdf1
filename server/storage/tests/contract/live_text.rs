use crate::{fixtures::*, provider::TestStore};
use izanagi_domain::storage::{
    Appended, ChangeEntry, ChangeKind, Constraint, CutUpdates, MAX_QUARANTINED, NewLineage,
    NewSnapshot, NewUpdate, RowDamage, SavedText, StoreError, StoredSnapshot, TextFacts,
};
use izanagi_shared::id::{DocumentId, UserId};

suite!(
    a_snapshot_removes_exactly_the_absorbed_rows,
    an_older_snapshot_is_refused,
    a_repeated_snapshot_is_stored_once,
    a_snapshot_of_missing_rows_is_refused,
    older_snapshots_are_kept_until_one_is_verified,
    a_load_lists_quarantined_rows_that_the_snapshot_lacks,
    a_restart_replaces_the_log,
    a_restart_requires_the_newest_seq,
    a_snapshot_concurrent_with_an_append_loses_nothing,
    a_text_is_replaced_only_by_a_newer_one,
    a_text_and_its_facts_are_consistent,
    a_quarantined_update_is_not_loaded,
    a_quarantined_update_is_kept,
    a_load_names_actors_with_many_quarantined_updates,
    a_cut_update_keeps_its_seq,
    an_update_is_cut_only_at_the_expected_end_of_the_log,
    missing_rows_are_not_found,
);

async fn document_with_updates(store: &TestStore, count: u64) -> (UserId, DocumentId) {
    let user = a_user(store).await;
    let document = a_document(store, user).await;
    let updates = (0..count).map(|number| update(user, &number.to_string())).collect();
    store.relational.log.append(&[batch(document, updates)]).await.unwrap();
    (user, document)
}

fn snapshot(document_id: DocumentId, seq: u64, absorbed: &[u64]) -> NewSnapshot {
    let state = format!("state at {seq}").into_bytes();
    NewSnapshot {
        document_id,
        seq,
        state,
        from_seq: seq + 1,
        verified: 0,
        absorbed: absorbed.to_vec(),
        segments: Vec::new(),
        at: at(40),
    }
}

fn text(document_id: DocumentId, seq: u64, content: &str) -> SavedText {
    let facts = TextFacts { seq, hash: fresh_hash(), length: content.len() as u64, words: 2 };
    SavedText { document_id, content: content.to_owned(), facts }
}

async fn seqs(store: &TestStore, document: DocumentId) -> Vec<u64> {
    let log = store.relational.log.load(document).await.unwrap();
    log.updates.iter().map(|update| update.seq).collect()
}

async fn a_snapshot_removes_exactly_the_absorbed_rows(store: &TestStore) {
    let (_, document) = document_with_updates(store, 9).await;
    let (_, neighbour) = document_with_updates(store, 2).await;
    store.relational.log.snapshot(&snapshot(document, 7, &[7, 1, 2, 4, 5, 2])).await.unwrap();
    let log = store.relational.log.load(document).await.unwrap();
    assert_eq!(log.live_seq, 9);
    assert_eq!(log.snapshot, StoredSnapshot { seq: 7, state: b"state at 7".to_vec() });
    assert_eq!(seqs(store, document).await, [3, 6, 8, 9]);
    assert_eq!(seqs(store, neighbour).await, [1, 2]);
}

async fn an_older_snapshot_is_refused(store: &TestStore) {
    let (_, document) = document_with_updates(store, 5).await;
    store.relational.log.snapshot(&snapshot(document, 4, &[1, 2])).await.unwrap();
    let older = store.relational.log.snapshot(&snapshot(document, 3, &[3])).await;
    assert_eq!(older, Err(StoreError::Conflict(Constraint::LogChanged)));
    assert_eq!(store.relational.log.load(document).await.unwrap().snapshot.seq, 4);
    assert_eq!(seqs(store, document).await, [3, 4, 5]);
}

async fn a_repeated_snapshot_is_stored_once(store: &TestStore) {
    let (_, document) = document_with_updates(store, 3).await;
    store.relational.log.snapshot(&snapshot(document, 3, &[1])).await.unwrap();
    store.relational.log.snapshot(&snapshot(document, 3, &[2, 3])).await.unwrap();
    let log = store.relational.log.load(document).await.unwrap();
    assert_eq!((log.snapshot.seq, log.updates.len()), (3, 0));
}

async fn a_snapshot_of_missing_rows_is_refused(store: &TestStore) {
    let (_, document) = document_with_updates(store, 3).await;
    store.relational.log.snapshot(&snapshot(document, 2, &[1])).await.unwrap();
    let again = store.relational.log.snapshot(&snapshot(document, 3, &[1, 2])).await;
    assert_eq!(again, Err(StoreError::Conflict(Constraint::LogChanged)));
    assert_eq!(store.relational.log.load(document).await.unwrap().snapshot.seq, 2);
    assert_eq!(seqs(store, document).await, [2, 3]);
}

async fn older_snapshots_are_kept_until_one_is_verified(store: &TestStore) {
    let (_, document) = document_with_updates(store, 4).await;
    let snapshots = async || -> Vec<u64> {
        let all = store.relational.log.snapshots(document).await.unwrap();
        all.iter().map(|snapshot| snapshot.seq).collect()
    };
    for seq in 1..=3 {
        store.relational.log.snapshot(&snapshot(document, seq, &[seq])).await.unwrap();
    }
    assert_eq!(snapshots().await, [3, 2, 1, 0]);
    // One that is replaced by this call is not verified.
    let again = NewSnapshot { verified: 3, ..snapshot(document, 3, &[]) };
    store.relational.log.snapshot(&again).await.unwrap();
    assert_eq!(snapshots().await, [3, 2, 1, 0]);
    let next = NewSnapshot { verified: 3, ..snapshot(document, 4, &[4]) };
    store.relational.log.snapshot(&next).await.unwrap();
    assert_eq!(snapshots().await, [4, 3]);
    let newest = store.relational.log.snapshots(document).await.unwrap().remove(0);
    assert_eq!(store.relational.log.load(document).await.unwrap().snapshot, newest);
}

async fn a_load_lists_quarantined_rows_that_the_snapshot_lacks(store: &TestStore) {
    let (_, document) = document_with_updates(store, 5).await;
    let with_two_left = NewSnapshot { from_seq: 2, ..snapshot(document, 4, &[1, 3]) };
    store.relational.log.snapshot(&with_two_left).await.unwrap();
    store.relational.log.quarantine(document, 2, at(41)).await.unwrap();
    let log = store.relational.log.load(document).await.unwrap();
    assert_eq!((log.quarantined, seqs(store, document).await), (vec![2], vec![4, 5]));
}

async fn a_restart_replaces_the_log(store: &TestStore) {
    let (user, document) = document_with_updates(store, 3).await;
    let by = |op_id: &str, clients: &[u64]| NewUpdate {
        clients: clients.to_vec(),
        ..update(user, op_id)
    };
    let append = async |update: NewUpdate| {
        let batch = batch(document, vec![update]);
        let mut answers = store.relational.log.append(&[batch]).await.unwrap();
        answers.remove(0).unwrap().into_appended().unwrap().remove(0)
    };
    assert_eq!(append(by("3", &[7])).await, Appended::New(4));
    store.relational.log.snapshot(&snapshot(document, 2, &[1, 2])).await.unwrap();
    let restart = NewLineage {
        absorbed: vec![3],
        replaced: Some("the old text".to_owned()),
        ..restart(document, 4, &[4])
    };
    // A repeated call changes nothing.
    for _ in 0..2 {
        store.relational.log.restart(&restart).await.unwrap();
        let log = store.relational.log.load(document).await.unwrap();
        assert_eq!(log.snapshot, StoredSnapshot { seq: 5, state: b"new state".to_vec() });
        assert_eq!(log.lineage, [9; 16]);
        assert_eq!((log.live_seq, log.updates, log.quarantined), (5, Vec::new(), Vec::new()));
        // The others stay until it has been read back.
        let snapshots = store.relational.log.snapshots(document).await.unwrap();
        assert_eq!(snapshots.iter().map(|it| it.seq).collect::<Vec<_>>(), [5, 2, 0]);
    }
    assert_eq!(store.relational.log.text(document).await.unwrap(), restart.text);
    let row = store.relational.catalog.get(document).await.unwrap();
    assert_eq!((row.lineage, row.lineage_seq, row.live_seq), ([9; 16], 5, 5));
    assert_eq!(row.damage, RowDamage::default());
    let changes = store.relational.changes.since(0, 99).await.unwrap().changes;
    let last = changes.last().map(|change| (change.document_id, change.entry));
    assert_eq!(last, Some((document, ChangeEntry::Changed(ChangeKind::Lineage))));
    // The number of the restart is accounted for, as is the edit that is lost.
    let accounts = store.relational.inspect.accounts(document).await.unwrap();
    assert_eq!(accounts.quarantined, [4, 5]);
    for (op_id, quarantined) in [("2", false), ("3", true)] {
        let known = store.relational.log.known_op(document, user.into(), op_id).await.unwrap();
        assert_eq!(known.quarantined, quarantined, "{op_id}");
    }
    let former = store.relational.log.former_clients(document, &[7, 8, 99]).await.unwrap();
    assert_eq!(former, [7]);
    let names_it = NewUpdate { missing_clients: vec![7], ..by("names", &[8]) };
    assert_eq!(append(names_it).await, Appended::OtherLineage);
    assert_eq!(append(by("writes", &[7])).await, Appended::OtherLineage);
    assert_eq!(append(by("server's", &[99])).await, Appended::ForeignClient(99));
    assert_eq!(append(by("new", &[8])).await, Appended::New(6));
}

/// Restarts a document whose log ends at `after`.
fn restart(document: DocumentId, after: u64, lost: &[u64]) -> NewLineage {
    NewLineage {
        text: text(document, after + 1, "the text"),
        after,
        lost: lost.to_vec(),
        missing: Vec::new(),
        absorbed: Vec::new(),
        segments: Vec::new(),
        replaced: None,
        lineage: [9; 16],
        state: b"new state".to_vec(),
        client_id: 99,
        at: at(50),
    }
}

async fn a_restart_requires_the_newest_seq(store: &TestStore) {
    let (_, document) = document_with_updates(store, 3).await;
    let refused = store.relational.log.restart(&restart(document, 2, &[])).await;
    assert_eq!(refused, Err(StoreError::Conflict(Constraint::LogChanged)));
    assert_eq!(seqs(store, document).await, [1, 2, 3]);
}

async fn a_snapshot_concurrent_with_an_append_loses_nothing(store: &TestStore) {
    let (user, document) = document_with_updates(store, 20).await;
    let absorbed: Vec<u64> = (1..=20).collect();
    let (snapping, appending) = (store.stores(), store.stores());
    let taking = tokio::spawn(async move {
        snapping.relational.log.snapshot(&snapshot(document, 20, &absorbed)).await
    });
    let arriving = tokio::spawn(async move {
        for number in 0..10 {
            let updates = vec![update(user, &format!("late {number}"))];
            appending.relational.log.append(&[batch(document, updates)]).await.unwrap();
        }
    });
    taking.await.unwrap().unwrap();
    arriving.await.unwrap();
    let log = store.relational.log.load(document).await.unwrap();
    assert_eq!((log.live_seq, log.snapshot.seq), (30, 20));
    assert_eq!(seqs(store, document).await, (21..=30).collect::<Vec<u64>>());
}

async fn a_text_is_replaced_only_by_a_newer_one(store: &TestStore) {
    let (_, document) = document_with_updates(store, 5).await;
    let (three, two, four) =
        (text(document, 3, "three"), text(document, 2, "two"), text(document, 4, "\u{1F980}\r\n"));
    store.relational.log.save_text(&three).await.unwrap();
    store.relational.log.save_text(&two).await.unwrap();
    assert_eq!(store.relational.log.text(document).await.unwrap(), three);
    store.relational.log.save_text(&four).await.unwrap();
    assert_eq!(store.relational.log.text(document).await.unwrap(), four);
    let row = store.relational.catalog.get(document).await.unwrap();
    assert_eq!((row.text, row.live_seq, row.updated_at), (four.facts, 5, at(30)));
}

async fn a_text_and_its_facts_are_consistent(store: &TestStore) {
    let (_, document) = document_with_updates(store, 40).await;
    let stores = store.stores();
    let writing = tokio::spawn(async move {
        for seq in 1..=40 {
            stores
                .relational
                .log
                .save_text(&text(document, seq, &"x".repeat(seq as usize)))
                .await
                .unwrap();
        }
    });
    while !writing.is_finished() {
        let text = store.relational.log.text(document).await.unwrap();
        assert_eq!(text.content.len() as u64, text.facts.length);
    }
    writing.await.unwrap();
}

async fn a_quarantined_update_is_not_loaded(store: &TestStore) {
    let (_, document) = document_with_updates(store, 3).await;
    for _ in 0..2 {
        store.relational.log.quarantine(document, 2, at(50)).await.unwrap();
    }
    let log = store.relational.log.load(document).await.unwrap();
    let loaded: Vec<_> = log.updates.iter().map(|update| update.seq).collect();
    assert_eq!((loaded, log.quarantined), (vec![1, 3], vec![2]));
    let missing = store.relational.log.quarantine(document, 9, at(50)).await;
    assert_eq!(missing, Err(StoreError::NotFound));
}

async fn a_quarantined_update_is_kept(store: &TestStore) {
    let (user, document) = document_with_updates(store, 4).await;
    for seq in [1, 3] {
        store.relational.log.quarantine(document, seq, at(50)).await.unwrap();
    }
    store.relational.log.snapshot(&snapshot(document, 2, &[2])).await.unwrap();
    // A load lists only those after the snapshot.
    let log = store.relational.log.load(document).await.unwrap();
    assert_eq!((log.updates.len(), log.quarantined), (1, vec![3]));
    store.relational.log.snapshot(&snapshot(document, 3, &[])).await.unwrap();
    let log = store.relational.log.load(document).await.unwrap();
    assert_eq!((log.updates.len(), log.quarantined), (1, vec![]));
    // The rows are still there: another quarantine finds them.
    for (seq, op_id) in [(1, "0"), (3, "2")] {
        store.relational.log.quarantine(document, seq, at(60)).await.unwrap();
        let known = store.relational.log.known_op(document, user.into(), op_id).await.unwrap();
        assert!(known.quarantined, "{seq}");
    }
}

async fn a_cut_update_keeps_its_seq(store: &TestStore) {
    let (user, document) = document_with_updates(store, 3).await;
    let (_, neighbour) = document_with_updates(store, 3).await;
    let updates = vec![(1, b"cut".to_vec()), (2, Vec::new())];
    let cut = CutUpdates { document_id: document, live_seq: 3, updates };
    for _ in 0..2 {
        store.relational.log.cut(&cut).await.unwrap();
        let log = store.relational.log.load(document).await.unwrap();
        let deltas: Vec<_> = log.updates.iter().map(|row| (row.seq, row.delta.len())).collect();
        assert_eq!(deltas[..2], [(1, 3), (2, 0)]);
        assert_eq!((deltas.len(), log.live_seq, log.quarantined), (3, 3, vec![]));
    }
    for (op_id, is_cut) in [("0", true), ("1", true), ("2", false)] {
        let known = store.relational.log.known_op(document, user.into(), op_id).await.unwrap();
        assert_eq!(known.quarantined, is_cut, "{op_id}");
    }
    let other = store.relational.log.load(neighbour).await.unwrap();
    assert!(other.updates.iter().all(|row| row.delta.len() == 1), "{other:?}");
}

async fn an_update_is_cut_only_at_the_expected_end_of_the_log(store: &TestStore) {
    let (_, document) = document_with_updates(store, 3).await;
    let before = store.relational.log.load(document).await.unwrap();
    for (live_seq, seqs) in [(2, vec![1]), (4, vec![1]), (3, vec![1, 9])] {
        let updates = seqs.into_iter().map(|seq| (seq, Vec::new())).collect();
        let cut = CutUpdates { document_id: document, live_seq, updates };
        let refused = store.relational.log.cut(&cut).await;
        assert_eq!(refused, Err(StoreError::Conflict(Constraint::LogChanged)), "{live_seq}");
        assert_eq!(store.relational.log.load(document).await.unwrap(), before);
    }
}

async fn a_load_names_actors_with_many_quarantined_updates(store: &TestStore) {
    let (user, document) = document_with_updates(store, MAX_QUARANTINED).await;
    let other = a_user(store).await;
    let updates = (0..3).map(|number| update(other, &number.to_string())).collect();
    store.relational.log.append(&[batch(document, updates)]).await.unwrap();
    let quarantine = async |seq| store.relational.log.quarantine(document, seq, at(50)).await;
    let full = async || store.relational.log.load(document).await.unwrap().full;
    for seq in 2..=MAX_QUARANTINED + 3 {
        quarantine(seq).await.unwrap();
    }
    assert_eq!(full().await, []);
    quarantine(1).await.unwrap();
    let last = MAX_QUARANTINED + 3;
    store.relational.log.snapshot(&snapshot(document, last, &[])).await.unwrap();
    assert_eq!(full().await, [user.into()]);
}

async fn missing_rows_are_not_found(store: &TestStore) {
    let nothing = DocumentId(fresh_uuid());
    assert_eq!(store.relational.log.load(nothing).await, Err(StoreError::NotFound));
    assert_eq!(store.relational.log.text(nothing).await, Err(StoreError::NotFound));
    assert_eq!(
        store.relational.log.save_text(&text(nothing, 1, "x")).await,
        Err(StoreError::NotFound)
    );
    assert_eq!(
        store.relational.log.snapshot(&snapshot(nothing, 1, &[])).await,
        Err(StoreError::NotFound)
    );
    let (_, document) = document_with_updates(store, 1).await;
    assert_eq!(
        store.relational.log.quarantine(document, 2, at(1)).await,
        Err(StoreError::NotFound)
    );
}
