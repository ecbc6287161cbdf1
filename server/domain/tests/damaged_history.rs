//! Edit history that lacks something: no answer passes over it in silence, and the list of segments is
//! made again from their records.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use izanagi_domain::{
    error::Error,
    fsck::{FaultKind, Repair},
    storage::{RecordPath, SegmentFilter},
};
use izanagi_shared::id::DocumentId;
use rstest::rstest;
use std::time::Duration;
use support::World;

/// Creates a document whose nine edits three segments hold.
async fn world() -> (World, DocumentId) {
    let world = World::new().await;
    let id = world.create("").await;
    for n in 1..=9 {
        world.write(id, &format!("{n}\n")).await;
        if n % 3 == 0 {
            world.services.documents.persist(id).await.unwrap();
        }
    }
    let world = world.restart().await;
    world.fsck_is_clean().await;
    assert_eq!(list(&world, id, 1).await.unwrap(), ((1..=9).collect(), None));
    (world, id)
}

async fn list(world: &World, id: DocumentId, from: u64) -> Result<(Vec<u64>, Option<u64>), Error> {
    let editor = world.editor(id).await;
    let page = world.services.edits.list(&editor, Some(from), None, None).await?;
    Ok((page.items.iter().map(|item| item.edit.seq).collect(), page.next))
}

async fn records(world: &World, document_id: DocumentId) -> Vec<RecordPath> {
    let filter =
        SegmentFilter { document_id, from_seq: 0, to_seq: u64::MAX, from_number: 0, limit: 100 };
    let rows = world.stores.relational.segments.list(&filter).await.unwrap();
    rows.iter().map(|row| RecordPath::edits(document_id, row.segment.record, 0)).collect()
}

#[rstest]
#[case::the_first("DELETE FROM edit_segments WHERE number = 1", 1, 3)]
#[case::in_the_middle("DELETE FROM edit_segments WHERE number = 2", 4, 6)]
#[case::the_last("DELETE FROM edit_segments WHERE number = 3", 7, 9)]
#[case::hash("UPDATE edit_segments SET hash = zeroblob(32) WHERE number = 2", 4, 6)]
#[case::state_seq("UPDATE edit_segments SET state_seq = 2 WHERE number = 1", 1, 3)]
#[case::time("UPDATE edit_segments SET last_at = last_at + 1 WHERE number = 2", 4, 6)]
#[case::record("UPDATE edit_segments SET record = zeroblob(16) WHERE number = 2", 4, 6)]
#[case::bytes("UPDATE edit_segments SET bytes = bytes + 1 WHERE number = 3", 7, 9)]
#[tokio::test]
async fn a_hole_is_not_passed_over(
    #[case] sql: &'static str,
    #[case] first: u64,
    #[case] last: u64,
) {
    let (world, id) = world().await;
    assert!(world.tamper(sql).await > 0);
    let report = world.services.fsck.run(Repair::No).await.unwrap();
    assert!(report.faults.iter().any(|it| it.kind == FaultKind::History), "{report:#?}");
    if first > 1 {
        let before = (1..first).collect();
        assert_eq!(list(&world, id, 1).await.unwrap(), (before, Some(first)));
    }
    let refused = list(&world, id, first).await;
    assert!(matches!(refused, Err(Error::CorruptDocument(_))), "{refused:?}");
    let after = (last + 1..=9).collect();
    assert_eq!(list(&world, id, last + 1).await.unwrap(), (after, None));
    // Neither the daily clean-up nor a repair removes what may be missing.
    let count = records(&world, id).await.len();
    world.clock.advance(Duration::from_secs(3 * 24 * 60 * 60));
    world.services.jobs.run_now().await.unwrap();
    let how = if sql.contains("record") { Repair::MayLoseEdits } else { Repair::Lossless };
    let report = world.services.fsck.run(how).await.unwrap();
    assert!(report.repaired.iter().any(|line| line.contains("again")), "{report:#?}");
    world.fsck_is_clean().await;
    assert_eq!(list(&world, id, 1).await.unwrap(), ((1..=9).collect(), None));
    assert!(records(&world, id).await.len() >= count);
    let editor = world.editor(id).await;
    for seq in 0..=9 {
        world.services.edits.checkpoint(&editor, seq).await.unwrap();
    }
}

#[tokio::test]
async fn a_lost_segment_is_given_up_only_when_that_is_allowed() {
    let (world, id) = world().await;
    let lost = records(&world, id).await.remove(1);
    world.stores.documents.purge(&lost).await.unwrap();
    world.services.fsck.run(Repair::Lossless).await.unwrap();
    let report = world.services.fsck.run(Repair::No).await.unwrap();
    assert!(report.faults.iter().any(|it| it.kind == FaultKind::History), "{report:#?}");
    let report = world.services.fsck.run(Repair::MayLoseEdits).await.unwrap();
    assert!(report.repaired.iter().any(|line| line.contains("WARNING")), "{report:#?}");
    world.fsck_is_clean().await;
    assert_eq!(list(&world, id, 1).await.unwrap(), (vec![1, 2, 3, 7, 8, 9], None));
    assert_eq!(world.text(id).await, "9\n");
}
