//! Segments of edit history.

use crate::{fixtures::*, provider::TestStore};
use izanagi_domain::storage::{NewSegment, NewSnapshot, SegmentFilter, SegmentRow, StoreError};
use izanagi_shared::id::{DocumentId, UserId};
use uuid::Uuid;

suite!(
    a_snapshot_lists_its_segments_in_order,
    a_repeated_snapshot_lists_them_once,
    segments_are_found_by_seq_and_number,
    the_newest_state_before_a_seq_is_found,
    a_segment_expires_when_a_later_one_has_a_state,
    a_segment_expires_after_those_before_it,
    segments_are_removed_with_their_document,
);

fn segment(from_seq: u64, to_seq: u64, state_seq: Option<u64>, last_at: i64) -> NewSegment {
    NewSegment {
        record: Uuid::now_v7(),
        hash: fresh_hash(),
        bytes: 100,
        from_seq,
        to_seq,
        edits: to_seq - from_seq + 1,
        state_seq,
        last_at: at(last_at),
    }
}

/// Creates a document with 9 updates in three segments; the first and the third begin with a state.
async fn three_segments(store: &TestStore) -> (DocumentId, Vec<NewSegment>) {
    segments_made_at(store, [10, 20, 30]).await
}

async fn segments_made_at(
    store: &TestStore,
    [first, second, third]: [i64; 3],
) -> (DocumentId, Vec<NewSegment>) {
    let user = a_user(store).await;
    let document_id = a_document(store, user).await;
    let updates = (0..9).map(|number| update(user, &number.to_string())).collect();
    store.relational.log.append(&[batch(document_id, updates)]).await.unwrap();
    let segments = vec![
        segment(1, 3, Some(0), first),
        segment(4, 6, None, second),
        segment(7, 9, Some(6), third),
    ];
    for (seq, segments) in [(6, &segments[..2]), (9, &segments[2..])] {
        let absorbed = segments.iter().flat_map(|new| new.from_seq..=new.to_seq).collect();
        let (state, segments) = (b"state".to_vec(), segments.to_vec());
        let (from_seq, verified) = (seq + 1, 0);
        let snapshot = NewSnapshot {
            document_id,
            seq,
            state,
            from_seq,
            verified,
            absorbed,
            segments,
            at: at(40),
        };
        store.relational.log.snapshot(&snapshot).await.unwrap();
    }
    (document_id, segments)
}

fn all(document_id: DocumentId) -> SegmentFilter {
    SegmentFilter { document_id, from_seq: 0, to_seq: u64::MAX, from_number: 0, limit: 100 }
}

async fn numbers(store: &TestStore, filter: SegmentFilter) -> Vec<u64> {
    store.relational.segments.list(&filter).await.unwrap().iter().map(|row| row.number).collect()
}

/// The newest number, the newest with a state, and the bytes after that one.
async fn newest(store: &TestStore, document: DocumentId) -> (u64, u64, u64) {
    let newest = store.relational.segments.newest(document).await.unwrap();
    (newest.number, newest.with_state, newest.bytes_since)
}

async fn a_snapshot_lists_its_segments_in_order(store: &TestStore) {
    let (document_id, segments) = three_segments(store).await;
    let rows = store.relational.segments.list(&all(document_id)).await.unwrap();
    let expected = segments.into_iter().zip(1..).map(|(segment, number)| SegmentRow {
        document_id,
        number,
        segment,
    });
    assert_eq!(rows, expected.collect::<Vec<_>>());
    assert_eq!(newest(store, document_id).await, (3, 3, 0));
    let user = a_user(store).await;
    let other = a_document(store, user).await;
    assert_eq!(newest(store, other).await, (0, 0, 0));
}

async fn a_repeated_snapshot_lists_them_once(store: &TestStore) {
    let (document_id, segments) = three_segments(store).await;
    let (state, segments) = (b"state".to_vec(), segments[2..].to_vec());
    let absorbed = vec![7, 8, 9];
    let (from_seq, verified, at) = (10, 0, at(41));
    let again =
        NewSnapshot { document_id, seq: 9, state, from_seq, verified, absorbed, segments, at };
    store.relational.log.snapshot(&again).await.unwrap();
    assert_eq!(numbers(store, all(document_id)).await, [1, 2, 3]);
}

async fn segments_are_found_by_seq_and_number(store: &TestStore) {
    let (document, _) = three_segments(store).await;
    let filter = all(document);
    let found = numbers(store, SegmentFilter { from_seq: 3, to_seq: 4, ..filter }).await;
    assert_eq!(found, [1, 2]);
    assert_eq!(numbers(store, SegmentFilter { from_number: 2, ..filter }).await, [2, 3]);
    assert_eq!(numbers(store, SegmentFilter { limit: 1, ..filter }).await, [1]);
    let found = numbers(store, SegmentFilter { from_seq: 10, ..filter }).await;
    assert!(found.is_empty());
}

async fn the_newest_state_before_a_seq_is_found(store: &TestStore) {
    let (document, _) = three_segments(store).await;
    for (seq, number) in [(0, 1), (5, 1), (6, 3), (100, 3)] {
        let row = store.relational.segments.with_state(document, seq).await.unwrap();
        assert_eq!(row.number, number, "{seq}");
    }
    store.relational.segments.remove(document, 1).await.unwrap();
    assert_eq!(store.relational.segments.with_state(document, 5).await, Err(StoreError::NotFound));
}

async fn a_segment_expires_when_a_later_one_has_a_state(store: &TestStore) {
    let (document, _) = three_segments(store).await;
    let expired = async |before| {
        let rows = store.relational.segments.expired(at(before), 1_000).await.unwrap();
        let ours = rows.iter().filter(|row| row.document_id == document);
        ours.map(|row| row.number).collect::<Vec<_>>()
    };
    assert!(expired(10).await.is_empty());
    assert_eq!(expired(11).await, [1]);
    assert_eq!(expired(100).await, [1, 2], "the last one with a state stays");
    store.relational.segments.remove(document, 1).await.unwrap();
    store.relational.segments.remove(document, 1).await.unwrap();
    assert_eq!(expired(100).await, [2]);
    assert_eq!(newest(store, document).await, (3, 3, 0));
}

async fn a_segment_expires_after_those_before_it(store: &TestStore) {
    // The clock was ahead when the first one was made.
    let (document, _) = segments_made_at(store, [50, 20, 30]).await;
    let expired = async |before| {
        let rows = store.relational.segments.expired(at(before), 1_000).await.unwrap();
        rows.iter().filter(|row| row.document_id == document).count()
    };
    assert_eq!(expired(40).await, 0);
    assert_eq!(expired(51).await, 2);
}

async fn segments_are_removed_with_their_document(store: &TestStore) {
    let (document, _) = three_segments(store).await;
    let by = store.relational.catalog.get(document).await.unwrap().created_by;
    trash(store, document, UserId(by.0)).await;
    store.relational.catalog.purge(document, at(60)).await.unwrap();
    assert!(numbers(store, all(document)).await.is_empty());
}
