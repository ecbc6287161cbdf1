//! Replays of edit history: every position has the text of its checkpoint, whatever happened to the
//! document; and restoring a moment.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use izanagi_domain::{
    documents::RequestKey,
    error::Error,
    fsck::Repair,
    live::LiveSettings,
    services::Settings,
    storage::{NewSnapshot, RecordPath, SegmentFilter, SegmentRow},
};
use izanagi_shared::{
    crdt::{Change, TextDoc},
    id::DocumentId,
    replay::Replay,
    wire::{MissingEdits, ReplayView},
};
use std::time::Duration;
use support::{Plan, World, insert};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A world that takes a snapshot after this many edits.
async fn world_with(snapshot_updates: u64) -> World {
    let live = LiveSettings { snapshot_updates, ..LiveSettings::default() };
    let settings = Settings { live, ..Settings::default() };
    World::with(Plan { settings, ..Plan::default() }).await
}

async fn view(world: &World, id: DocumentId, from: Option<u64>, limit: Option<u32>) -> ReplayView {
    let editor = world.editor(id).await;
    world.services.edits.replay(&editor, from, limit).await.unwrap()
}

async fn replay(world: &World, id: DocumentId, from: Option<u64>) -> Replay {
    Replay::new(view(world, id, from, None).await).unwrap()
}

async fn checkpoint(world: &World, id: DocumentId, seq: u64) -> String {
    let editor = world.editor(id).await;
    world.services.edits.text_at(&editor, seq).await.unwrap()
}

async fn segments(world: &World, document_id: DocumentId) -> Vec<SegmentRow> {
    let all =
        SegmentFilter { document_id, from_seq: 0, to_seq: u64::MAX, from_number: 0, limit: 1_000 };
    world.stores.relational.segments.list(&all).await.unwrap()
}

/// Checks every position against its checkpoint.
async fn every_position_is_its_checkpoint(world: &World, id: DocumentId, replay: &Replay) {
    for position in 0..=replay.len() {
        let seq = replay.seq(position);
        assert_eq!(replay.text_at(position), checkpoint(world, id, seq).await, "edit {seq}");
    }
}

/// Two writers type, delete and paste, at random places and partly without knowing of each other.
async fn written(world: &World, edits: u32) -> DocumentId {
    let id = world.create("a 😀 text\r\nwith lines\r\n").await;
    let editor = world.editor(id).await;
    let mut writers = [world.replica(id).await, world.replica(id).await];
    let mut unseen: [Vec<Vec<u8>>; 2] = [Vec::new(), Vec::new()];
    for number in 0..edits {
        let at = (number as usize * 7 / 5) % 2;
        if number % 3 == 0 {
            for delta in std::mem::take(&mut unseen[at]) {
                writers[at].apply(&delta).unwrap();
            }
        }
        let text = writers[at].text();
        let boundaries: Vec<u32> = text
            .char_indices()
            .map(|(byte, _)| text[..byte].encode_utf16().count() as u32)
            .chain([text.encode_utf16().count() as u32])
            .collect();
        let place = number as usize * 31 % boundaries.len();
        let from = boundaries[place];
        let to =
            if number % 4 == 3 { boundaries[(place + 3).min(boundaries.len() - 1)] } else { from };
        let texts = ["x", "é", "👍🏽", "\r\n", "word "];
        let insert = if from < to { "" } else { texts[number as usize % texts.len()] };
        if from == to && insert.is_empty() {
            continue;
        }
        let delta = writers[at].edit(&[Change { from, to, insert: insert.to_owned() }]);
        world
            .services
            .documents
            .submit(&editor, &format!("op {number}"), delta.clone())
            .await
            .unwrap();
        unseen[1 - at].push(delta);
    }
    id
}

#[tokio::test]
async fn every_position_has_the_text_of_its_checkpoint() {
    let world = world_with(10).await;
    let id = written(&world, 75).await;
    let replay = replay(&world, id, None).await;
    assert_eq!((replay.len(), replay.next), (75, None));
    every_position_is_its_checkpoint(&world, id, &replay).await;
    assert_eq!(replay.text_at(75), world.text(id).await);
    let author = &replay.people[replay.author(9).unwrap()];
    assert_eq!(author.id, world.ada.user);
}

#[tokio::test]
async fn a_replay_begins_anywhere() {
    let world = world_with(10).await;
    let id = written(&world, 45).await;
    for from in [1, 2, 10, 11, 17, 40, 45, 46] {
        let view = view(&world, id, Some(from), Some(5)).await;
        assert_eq!((view.first_seq, view.live_seq, view.after_seq), (1, 45, from - 1));
        assert_eq!(view.next, Some(from + 5).filter(|next| *next <= 45), "from {from}");
        let replay = Replay::new(view).unwrap();
        every_position_is_its_checkpoint(&world, id, &replay).await;
    }
    let editor = world.editor(id).await;
    let refused = world.services.edits.replay(&editor, None, Some(131_073)).await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
}

#[tokio::test]
async fn an_edit_that_waits_is_shown_once_it_is_complete() {
    let world = World::new().await;
    let id = world.create("").await;
    let editor = world.editor(id).await;
    let mut replica = world.replica(id).await;
    let documents = &world.services.documents;
    let (first, second) = (replica.edit(&[insert(0, "a")]), replica.edit(&[insert(1, "b")]));
    documents.submit(&editor, "second", second).await.unwrap();
    world.write(id, "x").await;
    every_position_is_its_checkpoint(&world, id, &replay(&world, id, None).await).await;
    documents.persist(id).await.unwrap();
    documents.submit(&editor, "first", first).await.unwrap();
    documents.persist(id).await.unwrap();
    let replay = replay(&world, id, None).await;
    assert_eq!(replay.text_at(replay.len()), world.text(id).await);
    every_position_is_its_checkpoint(&world, id, &replay).await;
}

#[tokio::test]
async fn a_document_without_edits_has_an_empty_replay() {
    let world = World::new().await;
    let id = world.create("begin").await;
    let replay = replay(&world, id, None).await;
    assert_eq!((replay.len(), replay.text_at(0).as_str()), (0, "begin"));
    let editor = world.editor(id).await;
    assert_eq!(world.services.edits.range(&editor).await.unwrap(), (1, 0));
    assert!(world.services.edits.newest_sittings(&editor, None).await.unwrap().0.is_empty());
}

#[tokio::test]
async fn a_history_begins_where_it_is_kept() {
    let world = world_with(10).await;
    let id = written(&world, 10).await;
    world.services.documents.persist(id).await.unwrap();
    world.clock.advance(366 * DAY);
    for number in 0..33 {
        world.write(id, &format!("text {number}")).await;
        world.services.documents.persist(id).await.unwrap();
    }
    world.services.jobs.run_now().await.unwrap();
    let rows = segments(&world, id).await;
    let first = rows.iter().find_map(|row| row.segment.state_seq).unwrap() + 1;
    assert!(first > 10);
    let view = view(&world, id, Some(3), None).await;
    assert_eq!((view.first_seq, view.after_seq), (first, first - 1));
    every_position_is_its_checkpoint(&world, id, &Replay::new(view).unwrap()).await;
}

#[tokio::test]
async fn what_is_damaged_is_named_and_the_rest_is_played() {
    let world = world_with(10).await;
    let id = written(&world, 40).await;
    world.services.documents.persist(id).await.unwrap();
    let whole = replay(&world, id, None).await;
    let rows = segments(&world, id).await;
    let damaged = rows[1].segment;
    world.stores.documents.purge(&RecordPath::edits(id, damaged.record, 0)).await.unwrap();
    let world = world.restart().await;
    let replay = replay(&world, id, None).await;
    let (from_seq, to_seq) = (damaged.from_seq, damaged.to_seq);
    assert_eq!(replay.missing, [MissingEdits { from_seq, to_seq }]);
    for seq in 0..from_seq {
        let text = whole.text_at(whole.position_of(seq));
        assert_eq!(replay.text_at(replay.position_of(seq)), text, "edit {seq}");
    }
    assert_eq!(replay.text_at(replay.len()), world.text(id).await);
    assert_eq!(
        (replay.seq(replay.position_of(to_seq)), replay.author(replay.position_of(to_seq))),
        (to_seq, None)
    );
    let editor = world.editor(id).await;
    let (sittings, _) = world.services.edits.newest_sittings(&editor, None).await.unwrap();
    assert_eq!(sittings.len(), 1);
    // Nothing uncertain is restored.
    let restored =
        world.services.versions.restore_edit(&editor, to_seq, None, RequestKey::none()).await;
    assert!(matches!(restored, Err(Error::CorruptDocument(_))), "{restored:?}");
}

#[tokio::test]
async fn without_its_first_segment_a_history_begins_later() {
    let world = world_with(10).await;
    let id = written(&world, 25).await;
    world.services.documents.persist(id).await.unwrap();
    let rows = segments(&world, id).await;
    world.stores.documents.purge(&RecordPath::edits(id, rows[0].segment.record, 0)).await.unwrap();
    let world = world.restart().await;
    world.write(id, "more").await;
    let replay = replay(&world, id, None).await;
    assert_eq!(replay.missing, [MissingEdits { from_seq: 1, to_seq: replay.after_seq }]);
    assert_eq!(replay.text_at(replay.len()), "more");
}

#[tokio::test]
async fn each_lineage_is_a_replay_of_its_own() {
    let world = world_with(10).await;
    let id = written(&world, 20).await;
    world.services.documents.persist(id).await.unwrap();
    let before = replay(&world, id, None).await;
    // A row of the log is lost.
    world.write(id, "lost").await;
    world.write(id, "kept").await;
    let at = world.reader(id).await.row().updated_at;
    let newest = world.stores.relational.log.snapshots(id).await.unwrap().remove(0);
    let snapshot = NewSnapshot {
        document_id: id,
        seq: newest.seq,
        state: newest.state,
        from_seq: newest.seq + 1,
        verified: 0,
        absorbed: vec![newest.seq + 1],
        segments: Vec::new(),
        at,
    };
    world.stores.relational.log.snapshot(&snapshot).await.unwrap();
    let world = world.restart().await;
    world.services.fsck.run(Repair::Lossless).await.unwrap();
    let world = world.restart().await;
    for text in ["kept, and", "kept, and more"] {
        world.write(id, text).await;
    }
    for is_in_segments in [false, true] {
        if is_in_segments {
            world.services.documents.persist(id).await.unwrap();
        }
        let old = replay(&world, id, None).await;
        assert!(old.ends_lineage);
        for position in 0..=20 {
            assert_eq!(old.text_at(position), before.text_at(position), "{position}");
        }
        let new = replay(&world, id, old.next).await;
        assert!(!new.ends_lineage && new.next.is_none());
        let texts: Vec<String> = (0..=new.len()).map(|position| new.text_at(position)).collect();
        assert_eq!(texts, ["kept", "kept, and", "kept, and more"]);
    }
}

#[tokio::test]
async fn a_restored_moment_is_a_version_after_the_present_one() {
    let world = World::new().await;
    let id = world.create("").await;
    for text in ["one\n", "one\ntwo\n", "three\n"] {
        world.write(id, text).await;
    }
    let editor = world.editor(id).await;
    let key = || RequestKey::new(world.ada.user, "POST", "/restore", "key").unwrap();
    let versions = &world.services.versions;
    let restored = versions.restore_edit(&editor, 2, None, key()).await.unwrap();
    assert_eq!(
        (restored.number, restored.note.message.as_str()),
        (2, "Restored the text after edit 2")
    );
    assert_eq!(world.text(id).await, "one\ntwo\n");
    assert_eq!(world.content(id, 1).await, "three\n");
    // The same request again changes nothing.
    let again = versions.restore_edit(&editor, 2, None, key()).await.unwrap();
    assert_eq!(again.number, 2);
    // It is a minimal edit in the same lineage: a replica that is away keeps its own text.
    let undone = versions.restore(&editor, 1, None, RequestKey::none()).await.unwrap();
    assert_eq!((undone.number, world.text(id).await.as_str()), (3, "three\n"));
    let refused = versions.restore_edit(&editor, 99, None, RequestKey::none()).await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    world.fsck_is_clean().await;
}

#[tokio::test]
async fn a_restored_moment_keeps_what_is_typed_meanwhile() {
    let world = World::new().await;
    let id = world.create("one\ntwo\n").await;
    world.write(id, "one\ntwo\nthree\n").await;
    let mut away = world.replica(id).await;
    let typed = away.edit(&[insert(0, "typed ")]);
    let editor = world.editor(id).await;
    world.services.versions.restore_edit(&editor, 0, None, RequestKey::none()).await.unwrap();
    world.services.documents.submit(&editor, "typed", typed).await.unwrap();
    assert_eq!(world.text(id).await, "typed one\ntwo\n");
}

#[tokio::test]
async fn a_long_text_is_replayed() {
    let world = World::new().await;
    let id = world.create(&"a line of text\n".repeat(500_000)).await;
    let editor = world.editor(id).await;
    let mut replica = world.replica(id).await;
    for (number, at) in [7_000_000, 10, 3_500_000].into_iter().enumerate() {
        let delta = replica.edit(&[Change { from: at, to: at + 5, insert: "😀".to_owned() }]);
        world.services.documents.submit(&editor, &number.to_string(), delta).await.unwrap();
    }
    let replay = replay(&world, id, None).await;
    assert_eq!(replay.text_at(0).len(), 7_500_000);
    assert_eq!(replay.text_at(3), TextDoc::text(&replica));
}
