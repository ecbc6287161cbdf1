//! Tests of snapshots that move edits to edit history, over a faulty log.

use super::{
    testing::{BadSnapshot, DOCUMENT, MemoryLog},
    *,
};
use crate::{
    budget::BudgetSettings,
    error::{Error, Result},
};
use izanagi_shared::{
    crdt::{Change, TextDoc},
    id::ActorId,
};
use std::sync::Arc;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// A room whose document has three edits in the log.
async fn three_edits() -> (Arc<MemoryLog>, Rooms) {
    let log = MemoryLog::of("text");
    let context = log.context(LiveSettings::default(), BudgetSettings::default());
    let rooms = Rooms::over(context, TaskTracker::new());
    let state = log.kept.lock().snapshots[0].state.clone();
    let mut replica =
        TextDoc::load(7, &Snapshot::decode(DOCUMENT, 0, &state).unwrap().state).unwrap();
    for letter in ["a", "b", "c"] {
        let delta = replica.edit(&[Change { from: 0, to: 0, insert: letter.to_owned() }]);
        let actor = ActorId(Uuid::from_u128(2));
        let update = ClientUpdate { actor, op_id: letter.to_owned(), delta };
        rooms.submit(DOCUMENT, update).await.unwrap();
    }
    (log, rooms)
}

async fn text(rooms: &Rooms) -> Result<String> {
    rooms.read(DOCUMENT).await.map(|text| text.content.to_string())
}

/// Reopens the document in a new room.
fn reopened(log: &Arc<MemoryLog>) -> Rooms {
    let context = log.context(LiveSettings::default(), BudgetSettings::default());
    Rooms::over(context, TaskTracker::new())
}

#[tokio::test]
async fn a_snapshot_replaces_a_damaged_row() {
    let (log, rooms) = three_edits().await;
    *log.kept.lock().rows[1].delta.last_mut().unwrap() ^= 1;
    assert!(text(&reopened(&log)).await.is_err());
    rooms.persist(DOCUMENT).await.unwrap();
    assert_eq!(text(&rooms).await.unwrap(), "cbatext");
    assert_eq!(text(&reopened(&log)).await.unwrap(), "cbatext");
    assert_eq!(log.history.segments.lock()[0].segment.edits, 3);
}

#[tokio::test]
async fn a_snapshot_replaces_a_damaged_snapshot() {
    let (log, rooms) = three_edits().await;
    log.kept.lock().snapshots[0].state.clear();
    rooms.persist(DOCUMENT).await.unwrap();
    assert_eq!(text(&reopened(&log)).await.unwrap(), "cbatext");
    assert_eq!(log.history.segments.lock()[0].segment.state_seq, None);
}

#[tokio::test]
async fn a_failed_snapshot_is_retried_with_its_segments() {
    for trouble in [BadSnapshot::Refused, BadSnapshot::ReplyLost] {
        let (log, rooms) = three_edits().await;
        log.trouble.lock().snapshot = Some(trouble);
        let failed = rooms.persist(DOCUMENT).await;
        assert!(matches!(failed, Err(Error::Unavailable(_))), "{trouble:?}: {failed:?}");
        assert_eq!(log.history.records(), 1);
        rooms.persist(DOCUMENT).await.unwrap();
        assert_eq!(log.history.records(), 1, "{trouble:?}");
        assert_eq!(log.history.segments.lock().len(), 1, "{trouble:?}");
        assert!(log.kept.lock().rows.is_empty());
        assert_eq!(text(&rooms).await.unwrap(), "cbatext");
    }
}

#[tokio::test]
async fn segments_that_are_gone_are_written_again() {
    let (log, rooms) = three_edits().await;
    log.trouble.lock().snapshot = Some(BadSnapshot::Refused);
    assert!(rooms.persist(DOCUMENT).await.is_err());
    log.history.lose_records();
    rooms.persist(DOCUMENT).await.unwrap();
    assert_eq!(log.history.records(), 1);
    assert!(log.kept.lock().rows.is_empty());
}

#[tokio::test]
async fn a_deleted_document_leaves_no_history() {
    let (log, rooms) = three_edits().await;
    log.trouble.lock().snapshot = Some(BadSnapshot::Deleted);
    assert!(rooms.persist(DOCUMENT).await.is_err());
    assert_eq!(log.history.records(), 0);
}
