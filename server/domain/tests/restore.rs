//! Documents whose editing state is damaged: what still works, and how `fsck --repair` restores them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use izanagi_domain::{
    accounts::Network,
    error::Error,
    fsck::{FaultKind, Repair},
    storage::{NewSnapshot, RecordPath, SegmentFilter, StoredSnapshot},
};
use izanagi_shared::{crdt::TextDoc, id::DocumentId};
use rstest::rstest;
use std::time::Duration;
use support::{Plan, World, insert, random_client};

/// Creates a document with two snapshots, which have absorbed all edits.
async fn world() -> (World, DocumentId) {
    let world = World::new().await;
    let id = world.create("one\n").await;
    for text in ["one\ntwo\n", "one\ntwo\nthree\n"] {
        world.write(id, text).await;
        world.services.documents.persist(id).await.unwrap();
    }
    let world = world.restart().await;
    world.fsck_is_clean().await;
    assert_eq!(snapshots(&world, id).await.len(), 2);
    (world, id)
}

async fn snapshots(world: &World, id: DocumentId) -> Vec<StoredSnapshot> {
    world.stores.relational.log.snapshots(id).await.unwrap()
}

/// Overwrites the newest snapshot, and removes rows of the log.
async fn overwrite(
    world: &World,
    document_id: DocumentId,
    StoredSnapshot { seq, state }: StoredSnapshot,
    removed: &[u64],
) {
    let at = world.reader(document_id).await.row().updated_at;
    let snapshot = NewSnapshot {
        document_id,
        seq,
        state,
        from_seq: seq + 1,
        verified: 0,
        absorbed: removed.to_vec(),
        segments: Vec::new(),
        at,
    };
    world.stores.relational.log.snapshot(&snapshot).await.unwrap();
}

/// Flips a bit of the newest snapshot.
async fn flip_a_bit(world: &World, id: DocumentId) {
    let mut snapshot = snapshots(world, id).await.remove(0);
    *snapshot.state.last_mut().unwrap() ^= 1;
    overwrite(world, id, snapshot, &[]).await;
}

async fn submit(world: &World, id: DocumentId, delta: Vec<u8>) -> Result<u64, Error> {
    let editor = world.editor(id).await;
    let op_id = random_client().to_string();
    world.services.documents.submit(&editor, &op_id, delta).await.map(|receipt| receipt.seq)
}

/// Checks that the document can be read but not edited, and that `fsck` names the damage.
async fn is_read_only(world: &World, id: DocumentId, text: &str, kind: FaultKind) {
    let delta = TextDoc::new(random_client()).edit(&[insert(0, "x")]);
    let refused = submit(world, id, delta).await;
    assert!(matches!(refused, Err(Error::CorruptDocument(_))), "{refused:?}");
    // Once while the room is open, and once after it has closed.
    assert_eq!(world.text(id).await, text);
    // Its pages also show title and counts.
    let reader = world.reader(id).await;
    let view = world.services.documents.view(&reader).await.unwrap();
    assert_eq!(view.content_length, text.len() as u64);
    let report = world.services.fsck.run(Repair::No).await.unwrap();
    assert!(report.faults.iter().any(|fault| fault.kind == kind), "{:#?}", report.faults);
}

async fn repair(world: World) -> (World, Vec<String>) {
    let world = world.restart().await;
    let report = world.services.fsck.run(Repair::Lossless).await.unwrap();
    world.fsck_is_clean().await;
    (world.restart().await, report.repaired)
}

#[tokio::test]
async fn a_damaged_snapshot_is_rebuilt_from_the_one_before() {
    let (world, id) = world().await;
    world.write(id, "one\ntwo\nthree\nfour\n").await;
    let world = world.restart().await;
    flip_a_bit(&world, id).await;
    let text = "one\ntwo\nthree\nfour\n";
    is_read_only(&world, id, text, FaultKind::Snapshot).await;
    let before = world.reader(id).await.row().lineage;
    let (world, repaired) = repair(world).await;
    assert!(repaired[0].contains("rebuilt from snapshot 2"), "{repaired:?}");
    assert_eq!(world.text(id).await, text);
    assert_eq!(world.reader(id).await.row().lineage, before);
    world.write(id, "five\n").await;
    world.services.documents.persist(id).await.unwrap();
    world.restart().await.fsck_is_clean().await;
}

#[tokio::test]
async fn a_snapshot_is_kept_until_the_next_one_has_been_read_back() {
    let (world, id) = world().await;
    let seqs = |snapshots: Vec<StoredSnapshot>| -> Vec<u64> {
        snapshots.iter().map(|snapshot| snapshot.seq).collect()
    };
    assert_eq!(seqs(snapshots(&world, id).await), [2, 1]);
    world.write(id, "four\n").await;
    // The newest snapshot is damaged while the room is open.
    flip_a_bit(&world, id).await;
    world.services.documents.persist(id).await.unwrap();
    assert_eq!(seqs(snapshots(&world, id).await), [3, 2, 1]);
    world.write(id, "five\n").await;
    world.services.documents.persist(id).await.unwrap();
    assert_eq!(seqs(snapshots(&world, id).await), [4, 3]);
    assert_eq!(world.text(id).await, "five\n");
}

#[rstest]
#[case::all_snapshots_are_damaged(true)]
#[case::a_row_is_missing(false)]
#[tokio::test]
async fn editing_restarts_from_the_stored_text(#[case] damage_snapshots: bool) {
    let (world, id) = world().await;
    let mut old = world.replica(id).await;
    let mut text = "one\ntwo\nthree\n";
    if damage_snapshots {
        for seq in [1, 2] {
            let mut snapshot = snapshots(&world, id).await.remove(0);
            snapshot.seq = seq.max(snapshot.seq);
            snapshot.state.truncate(40);
            overwrite(&world, id, snapshot, &[]).await;
        }
        // The segment that leads from the first snapshot to the second.
        for row in segments(&world, id).await {
            let path = RecordPath::edits(id, row, 0);
            world.stores.documents.purge(&path).await.unwrap();
        }
    } else {
        text = "one\ntwo\nthree\nfour\nfive\n";
        world.write(id, "one\ntwo\nthree\nfour\n").await;
        world.write(id, text).await;
        let snapshot = snapshots(&world, id).await.remove(0);
        overwrite(&world, id, snapshot, &[3]).await;
    }
    let before = world.reader(id).await.row().lineage;
    let world = world.restart().await;
    let delta = old.edit(&[insert(0, "unsent ")]);
    let refused = submit(&world, id, delta.clone()).await;
    assert!(matches!(refused, Err(Error::CorruptDocument(_))), "{refused:?}");
    let report = world.services.fsck.run(Repair::Lossless).await.unwrap();
    assert!(report.repaired.iter().any(|line| line.contains("WARNING")), "{report:#?}");
    let world = world.restart().await;
    assert_eq!(world.text(id).await, text);
    assert_ne!(world.reader(id).await.row().lineage, before);
    // A replica of the old lineage is not told that there is nothing new.
    let reader = world.reader(id).await;
    let refused = world.services.documents.missing(&reader, old.state_vector()).await;
    assert!(matches!(refused, Err(Error::OtherLineage)), "{refused:?}");
    // Nor over a socket that names no lineage.
    let ada = world.ada.into();
    let live = world.services.documents.connect(&ada, id, Network::None).await.unwrap();
    let refused = live.poster().missing(old.state_vector()).await;
    assert!(matches!(refused, Err(Error::OtherLineage)), "{refused:?}");
    assert!(live.poster().missing(vec![0]).await.is_ok());
    drop(live);
    // Clients of the old lineage must not add its text once more.
    for stale in [delta, old.encode()] {
        let refused = submit(&world, id, stale).await;
        assert!(matches!(refused, Err(Error::OtherLineage)), "{refused:?}");
    }
    world.write(id, &format!("{text}six\n")).await;
    world.services.documents.persist(id).await.unwrap();
    let world = world.restart().await;
    assert_eq!(world.text(id).await, format!("{text}six\n"));
    // Replays begin again from the restart.
    let editor = world.editor(id).await;
    let seq = world.reader(id).await.row().live_seq;
    let state = world.services.edits.checkpoint(&editor, seq).await.unwrap();
    assert_eq!(TextDoc::load(1, &state).unwrap().text(), format!("{text}six\n"));
}

#[tokio::test]
async fn edits_are_given_up_only_when_that_is_allowed() {
    let (world, old, id) = killed(5, 5).await;
    tamper_unchecked(&world, "UPDATE document_snapshots SET state = zeroblob(40)").await;
    let report = world.services.fsck.run(Repair::Lossless).await.unwrap();
    assert!(report.notes.iter().any(|note| note.contains("--restart")), "{report:#?}");
    let reader = world.reader(id).await;
    let refused = world.services.documents.text(&reader).await;
    assert!(matches!(refused, Err(Error::CorruptDocument(_))), "{refused:?}");
    let (_, repaired) = gives(world, id, Repair::MayLoseEdits, 0).await;
    assert!(repaired[0].contains("WARNING"), "{repaired:?}");
    drop(old);
}

/// As a flipped bit, which no constraint refuses.
async fn tamper_unchecked(world: &World, sql: &'static str) {
    world.tamper("PRAGMA ignore_check_constraints = ON").await;
    assert!(world.tamper(sql).await > 0, "{sql}");
    world.tamper("PRAGMA ignore_check_constraints = OFF").await;
}

async fn segments(world: &World, document_id: DocumentId) -> Vec<uuid::Uuid> {
    let filter =
        SegmentFilter { document_id, from_seq: 0, to_seq: u64::MAX, from_number: 0, limit: 100 };
    let rows = world.stores.relational.segments.list(&filter).await.unwrap();
    rows.iter().map(|row| row.segment.record).collect()
}

/// Creates a document with `edits` edits, of which the newest `in_log` are in the log, and whose stored
/// text is older. Its server was killed.
async fn killed(edits: usize, in_log: usize) -> (World, World, DocumentId) {
    let mut plan = Plan::default();
    plan.settings.live.settle_after = Duration::from_secs(3_600);
    plan.settings.live.snapshot_after = Duration::from_secs(3_600);
    let world = World::with(plan).await;
    let id = world.create("0\n").await;
    let mut text = "0\n".to_owned();
    for n in 1..=edits {
        text += &format!("{n}\n");
        world.write(id, &text).await;
        if n + in_log == edits {
            world.services.documents.persist(id).await.unwrap();
        }
    }
    let restarted = World::over(&world).await;
    (restarted, world, id)
}

fn lines(count: usize) -> String {
    (0..=count).map(|n| format!("{n}\n")).collect()
}

/// Repairs, and checks that the text has `count` lines after the first, and that nothing is left.
async fn gives(world: World, id: DocumentId, how: Repair, count: usize) -> (World, Vec<String>) {
    let report = world.services.fsck.run(how).await.unwrap();
    assert!(!report.repaired.is_empty(), "{report:#?}");
    world.fsck_is_clean().await;
    let world = world.restart().await;
    assert_eq!(world.text(id).await, lines(count), "{report:#?}");
    world.write(id, &format!("{}new\n", lines(count))).await;
    world.services.documents.persist(id).await.unwrap();
    let world = world.restart().await;
    world.fsck_is_clean().await;
    (world, report.repaired)
}

#[rstest]
#[case::too_low("UPDATE documents SET live_seq = live_seq - 1", 5, 5)]
#[case::too_high("UPDATE documents SET live_seq = live_seq + 1", 5, 5)]
#[case::far_too_high("UPDATE documents SET live_seq = live_seq + 1000000000000", 5, 5)]
#[case::below_zero("UPDATE documents SET live_seq = -1, text_seq = -1", 5, 5)]
#[case::too_low_after_a_snapshot("UPDATE documents SET live_seq = live_seq - 1", 5, 2)]
#[case::too_high_without_rows("UPDATE documents SET live_seq = live_seq + 1", 5, 0)]
#[case::the_last_row("UPDATE document_updates SET seq = seq + 1 WHERE seq = 5", 5, 5)]
#[case::the_newest_snapshot(
    "UPDATE document_snapshots SET state = zeroblob(10) WHERE seq > 0",
    5,
    2
)]
#[case::every_snapshot("UPDATE document_snapshots SET state = zeroblob(10)", 5, 2)]
#[case::no_snapshot("DELETE FROM document_snapshots", 5, 2)]
#[case::the_seq_of_a_snapshot("UPDATE document_snapshots SET seq = seq + 9 WHERE seq > 0", 5, 2)]
#[tokio::test]
async fn what_is_intact_is_kept(
    #[case] sql: &'static str,
    #[case] edits: usize,
    #[case] in_log: usize,
) {
    let (world, old, id) = killed(edits, in_log).await;
    let lineage = world.reader(id).await.row().lineage;
    tamper_unchecked(&world, sql).await;
    let reader = world.reader(id).await;
    let text = world.services.documents.text(&reader).await;
    // Either the damage is noticed, or it does not matter.
    assert!(text.is_err() || text.unwrap().content.as_ref() == lines(edits));
    let (world, _) = gives(world, id, Repair::Lossless, edits).await;
    assert_eq!(world.reader(id).await.row().lineage, lineage);
    let editor = world.editor(id).await;
    let page = world.services.edits.list(&editor, None, None, None).await.unwrap();
    assert_eq!(page.items.len(), edits + 1);
    drop(old);
}

#[rstest]
#[case::the_last("DELETE FROM document_updates WHERE seq = 9", 8, 1)]
#[case::in_the_middle("DELETE FROM document_updates WHERE seq = 7", 6, 3)]
#[case::the_first("DELETE FROM document_updates WHERE seq = 1", 0, 9)]
#[case::damaged_bytes("UPDATE document_updates SET delta = zeroblob(50) WHERE seq = 5", 4, 5)]
#[tokio::test]
async fn a_restart_takes_all_that_does_not_depend_on_what_is_lost(
    #[case] sql: &'static str,
    #[case] count: usize,
    #[case] lost: usize,
) {
    let (world, old, id) = killed(9, 9).await;
    assert_eq!(world.tamper(sql).await, 1);
    let report = world.services.fsck.run(Repair::Lossless).await.unwrap();
    assert!(
        report.notes.iter().any(|note| note.contains(&format!("lacks {lost} edits"))),
        "{report:#?}"
    );
    assert!(report.repaired.is_empty(), "{report:#?}");
    let before = world.reader(id).await.row().live_seq;
    let (world, repaired) = gives(world, id, Repair::MayLoseEdits, count).await;
    assert!(repaired[0].contains("WARNING"), "{repaired:?}");
    // No client may believe that it has the new state already.
    assert_eq!(world.reader(id).await.row().live_seq, before + 2);
    let editor = world.editor(id).await;
    let page = world.services.edits.list(&editor, None, None, None).await.unwrap();
    let seqs: Vec<u64> = page.items.iter().map(|item| item.edit.seq).collect();
    let kept = (1..=count as u64).chain([11]);
    assert_eq!(seqs, kept.collect::<Vec<_>>());
    drop(old);
}

/// A number that is too low would hide the last edit, and the next one would take its place.
#[tokio::test]
async fn a_log_that_ends_too_early_is_not_continued() {
    let (world, old, id) = killed(9, 9).await;
    assert_eq!(world.tamper("UPDATE documents SET live_seq = 8").await, 1);
    assert_eq!(world.tamper("DELETE FROM document_updates WHERE seq = 9").await, 1);
    let reader = world.reader(id).await;
    let text = world.services.documents.text(&reader).await;
    assert!(matches!(text, Err(Error::CorruptDocument(_))), "{text:?}");
    let missing = world.services.documents.missing(&reader, vec![0]).await;
    assert!(matches!(missing, Err(Error::CorruptDocument(_))), "{missing:?}");
    let (_world, repaired) = gives(world, id, Repair::MayLoseEdits, 8).await;
    assert!(repaired[0].contains("WARNING"), "{repaired:?}");
    drop(old);
}

#[rstest]
#[case::text("UPDATE document_texts SET seq = seq + 1")]
#[case::row("UPDATE documents SET text_seq = live_seq")]
#[case::content("UPDATE document_texts SET content = 'another'")]
#[case::gone("DELETE FROM document_texts")]
#[tokio::test]
async fn an_old_text_never_passes_as_the_newest(#[case] sql: &'static str) {
    let (world, old, id) = killed(5, 5).await;
    assert_eq!(world.tamper(sql).await, 1);
    if sql.contains("text_seq") {
        world.tamper("UPDATE document_texts SET seq = 5").await;
    }
    assert_eq!(world.text(id).await, lines(5));
    let report = world.services.fsck.run(Repair::No).await.unwrap();
    assert!(report.faults.iter().any(|fault| fault.kind == FaultKind::Text), "{report:#?}");
    gives(world, id, Repair::Lossless, 5).await;
    drop(old);
}

/// A room stores its text over one whose seq is damaged.
#[tokio::test]
async fn a_damaged_seq_does_not_keep_later_texts_from_being_stored() {
    let (world, id) = world().await;
    world.tamper("UPDATE document_texts SET seq = 1000").await;
    world.write(id, "new\n").await;
    let world = world.restart().await;
    assert_eq!(world.text(id).await, "new\n");
    world.fsck_is_clean().await;
}
