//! Documents whose editing state is damaged: what still works, and how `fsck --repair` restores them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use izanagi_domain::{
    error::Error,
    fsck::{FaultKind, Repair},
    storage::{NewSnapshot, RecordPath, SegmentFilter, StoredSnapshot},
};
use izanagi_shared::{crdt::TextDoc, id::DocumentId};
use rstest::rstest;
use support::{World, insert, random_client};

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

/// Damages a document whose stored text lacks its last edit.
const WITH_AN_OLD_TEXT: [&str; 4] = [
    "UPDATE document_snapshots SET state = zeroblob(40)",
    "DELETE FROM edit_segments",
    "UPDATE document_texts SET seq = 1, content = 'one' || char(10) || 'two' || char(10)",
    "UPDATE documents SET text_seq = 1, content_hash = \
     x'c3f9c8c283a2b1f2f1896f27a01cbe3cddc0c9d93f752e4639035a0f5b36f6e8', \
     content_length = 8, word_count = 2",
];

#[tokio::test]
async fn edits_are_given_up_only_when_that_is_allowed() {
    let (world, id) = world().await;
    for sql in WITH_AN_OLD_TEXT {
        assert!(world.tamper(sql).await > 0, "{sql}");
    }
    let world = world.restart().await;
    let report = world.services.fsck.run(Repair::Lossless).await.unwrap();
    assert!(report.notes.iter().any(|note| note.contains("--restart")), "{report:#?}");
    let reader = world.reader(id).await;
    let refused = world.services.documents.text(&reader).await;
    assert!(matches!(refused, Err(Error::CorruptDocument(_))), "{refused:?}");
    let report = world.services.fsck.run(Repair::MayLoseEdits).await.unwrap();
    assert!(report.repaired.iter().any(|line| line.contains("WARNING")), "{report:#?}");
    let world = world.restart().await;
    world.fsck_is_clean().await;
    assert_eq!(world.text(id).await, "one\ntwo\n");
}

async fn segments(world: &World, document_id: DocumentId) -> Vec<uuid::Uuid> {
    let filter =
        SegmentFilter { document_id, from_seq: 0, to_seq: u64::MAX, from_number: 0, limit: 100 };
    let rows = world.stores.relational.segments.list(&filter).await.unwrap();
    rows.iter().map(|row| row.segment.record).collect()
}
