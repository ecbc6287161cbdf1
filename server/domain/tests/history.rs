//! Edit history: every edit stays readable after snapshots, until it expires or the document is
//! permanently deleted.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use izanagi_domain::{
    edits::LoggedEdit,
    error::Error,
    fsck::{FaultKind, Repair},
    live::LiveSettings,
    services::Settings,
    storage::{
        DetailsChange, NewRecord, RecordIndex::CollectionId, RecordPath, SegmentFilter, SegmentRow,
    },
};
use izanagi_shared::{
    crdt::TextDoc,
    id::{DocumentId, UserId},
};
use std::time::Duration;
use support::{Plan, World, insert};
use uuid::Uuid;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Creates a document with `count` edits, each of which inserts a letter at the front, and a
/// snapshot after every tenth.
async fn edited(count: u32) -> (World, DocumentId) {
    edited_from("begin", count, 10).await
}

/// Like [`edited`], beginning with `text`, with a snapshot after this many edits.
async fn edited_from(text: &str, count: u32, snapshot_updates: u64) -> (World, DocumentId) {
    let live = LiveSettings { snapshot_updates, ..LiveSettings::default() };
    let settings = Settings { live, ..Settings::default() };
    let world = World::with(Plan { settings, ..Plan::default() }).await;
    let id = world.create(text).await;
    let editor = world.editor(id).await;
    let mut replica = world.replica(id).await;
    for number in 0..count {
        let letter = char::from(b'a' + u8::try_from(number % 26).unwrap());
        let delta = replica.edit(&[insert(0, &letter.to_string())]);
        let op_id = format!("op {number}");
        world.services.documents.submit(&editor, &op_id, delta).await.unwrap();
    }
    (world, id)
}

/// Like [`edited`], with all edits in segments.
async fn in_segments(count: u32) -> (World, DocumentId) {
    let (world, id) = edited(count).await;
    world.services.documents.persist(id).await.unwrap();
    (world, id)
}

async fn segments(world: &World, document_id: DocumentId) -> Vec<SegmentRow> {
    let all =
        SegmentFilter { document_id, from_seq: 0, to_seq: u64::MAX, from_number: 0, limit: 1_000 };
    world.stores.relational.segments.list(&all).await.unwrap()
}

/// Reads all edits, page by page.
async fn edits(world: &World, id: DocumentId, limit: u32) -> Vec<LoggedEdit> {
    let editor = world.editor(id).await;
    let mut edits = Vec::new();
    let mut from = None;
    loop {
        let page = world.services.edits.list(&editor, from, None, Some(limit)).await.unwrap();
        edits.extend(page.items);
        from = page.next;
        if from.is_none() {
            return edits;
        }
    }
}

fn seqs(edits: &[LoggedEdit]) -> Vec<u64> {
    edits.iter().map(|logged| logged.edit.seq).collect()
}

async fn checkpoint(world: &World, id: DocumentId, seq: u64) -> String {
    let editor = world.editor(id).await;
    let state = world.services.edits.checkpoint(&editor, seq).await.unwrap();
    TextDoc::load(1, &state).unwrap().text()
}

async fn finds(world: &World, kind: FaultKind) {
    let report = world.services.fsck.run(Repair::No).await.unwrap();
    assert!(report.faults.iter().any(|fault| fault.kind == kind), "{:#?}", report.faults);
}

#[tokio::test]
async fn a_snapshot_moves_edits_into_a_segment() {
    let (world, id) = edited(35).await;
    let log = world.stores.relational.log.load(id).await.unwrap();
    assert!(log.updates.len() <= 5);
    assert_eq!(segments(&world, id).await.len(), 3);
    let edits = edits(&world, id, 1_000).await;
    assert_eq!(seqs(&edits), (1..=35).collect::<Vec<u64>>());
    for logged in &edits {
        assert_eq!(logged.author.as_ref().unwrap().id, world.ada.user);
    }
    assert!(edits.is_sorted_by_key(|logged| logged.edit.at));
    world.fsck_is_clean().await;
}

/// States must not outweigh the edits between them.
#[tokio::test]
async fn few_segments_begin_with_the_state() {
    for (text, expected) in [("begin".to_owned(), vec![1, 33]), ("long ".repeat(10_000), vec![1])] {
        let (world, id) = edited_from(&text, 40, 1).await;
        // The snapshot after the last edit follows its reply.
        world.services.documents.persist(id).await.unwrap();
        let rows = segments(&world, id).await;
        assert_eq!(rows.len(), 40);
        let with_state = rows.iter().filter(|row| row.segment.state_seq.is_some());
        assert_eq!(with_state.map(|row| row.number).collect::<Vec<u64>>(), expected);
        assert_eq!(checkpoint(&world, id, 40).await.len(), text.len() + 40);
        world.fsck_is_clean().await;
    }
}

#[tokio::test]
async fn pages_cover_each_edit_once() {
    let (world, id) = edited(35).await;
    for limit in [1, 7, 10, 35] {
        assert_eq!(seqs(&edits(&world, id, limit).await), (1..=35).collect::<Vec<u64>>());
    }
    let editor = world.editor(id).await;
    let page = world.services.edits.list(&editor, Some(9), Some(12), None).await.unwrap();
    assert_eq!((seqs(&page.items), page.next), (vec![9, 10, 11, 12], None));
    let beyond = world.services.edits.list(&editor, Some(36), None, None).await.unwrap();
    assert!(beyond.items.is_empty() && beyond.next.is_none());
    let refused = world.services.edits.list(&editor, None, None, Some(1_001)).await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
}

#[tokio::test]
async fn a_checkpoint_is_the_text_after_its_edit() {
    let (world, id) = edited(35).await;
    let world = world.restart().await;
    let mut expected = vec!["begin".to_owned()];
    for number in 0..35_u8 {
        let letter = char::from(b'a' + number % 26);
        expected.push(format!("{letter}{}", expected.last().unwrap()));
    }
    for (seq, text) in (0..).zip(&expected) {
        assert_eq!(&checkpoint(&world, id, seq).await, text, "{seq}");
    }
    let editor = world.editor(id).await;
    let refused = world.services.edits.checkpoint(&editor, 36).await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
}

#[tokio::test]
async fn a_pending_edit_keeps_its_seq() {
    let world = World::new().await;
    let id = world.create("").await;
    let editor = world.editor(id).await;
    let mut replica = world.replica(id).await;
    let documents = &world.services.documents;
    let (first, second) = (replica.edit(&[insert(0, "a")]), replica.edit(&[insert(1, "b")]));
    documents.submit(&editor, "second", second).await.unwrap();
    world.write(id, "x").await;
    documents.persist(id).await.unwrap();
    documents.submit(&editor, "first", first).await.unwrap();
    documents.persist(id).await.unwrap();
    assert_eq!(segments(&world, id).await.len(), 2);
    assert_eq!(seqs(&edits(&world, id, 100).await), [1, 2, 3]);
    assert_eq!(checkpoint(&world, id, 1).await, "");
    assert_eq!(checkpoint(&world, id, 2).await, "x");
    assert_eq!(checkpoint(&world, id, 3).await, world.text(id).await);
    world.fsck_is_clean().await;
}

#[tokio::test]
async fn a_pause_begins_another_sitting() {
    let (world, id) = edited(12).await;
    world.clock.advance(Duration::from_secs(4 * 60));
    world.write(id, "begin").await;
    world.clock.advance(Duration::from_secs(6 * 60));
    let owner = world.owner(id).await;
    world.services.documents.add_owner(&owner, world.bob.user).await.unwrap();
    let bob = world.services.documents.for_editor(&world.bob.into(), id).await.unwrap();
    let delta = world.replica(id).await.edit(&[insert(5, " again")]);
    world.services.documents.submit(&bob, "by bob", delta).await.unwrap();
    let editor = world.editor(id).await;
    let sittings = world.services.edits.sittings(&editor, None).await.unwrap();
    let found: Vec<(u64, u64, u64, u64, Vec<UserId>)> = sittings
        .iter()
        .map(|sitting| {
            let authors = sitting.authors.iter().map(|author| author.id).collect();
            (sitting.from_seq, sitting.to_seq, sitting.added, sitting.removed, authors)
        })
        .collect();
    let (ada, bob) = (world.ada.user, world.bob.user);
    assert_eq!(found, [(1, 13, 12, 12, vec![ada]), (14, 14, 6, 0, vec![bob])]);
    assert!(sittings[0].to < sittings[1].from);
    assert_eq!(world.services.edits.sittings(&editor, Some(14)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn old_segments_expire_once_a_later_state_exists() {
    let (world, id) = in_segments(10).await;
    world.clock.advance(366 * DAY);
    assert_eq!(world.services.jobs.run_now().await.unwrap(), 0);
    assert_eq!(segments(&world, id).await.len(), 1, "nothing to replay from without it");
    for number in 0..32 {
        world.write(id, &format!("text {number}")).await;
        world.services.documents.persist(id).await.unwrap();
    }
    assert_eq!(world.services.jobs.run_now().await.unwrap(), 0);
    let kept = segments(&world, id).await;
    assert_eq!(kept.first().unwrap().number, 2);
    let editor = world.editor(id).await;
    let missing = world.services.edits.checkpoint(&editor, 5).await;
    assert!(matches!(missing, Err(Error::NotFound("edit"))), "{missing:?}");
    assert_eq!(checkpoint(&world, id, 42).await, "text 31");
    assert_eq!(seqs(&edits(&world, id, 100).await), (11..=42).collect::<Vec<u64>>());
    world.fsck_is_clean().await;
}

#[tokio::test]
async fn permanent_deletion_removes_the_history() {
    let (world, id) = in_segments(10).await;
    let history = RecordPath::edits_of(id);
    assert!(
        !world
            .stores
            .documents
            .paths(CollectionId, &history, None, 9, true)
            .await
            .unwrap()
            .is_empty()
    );
    let trashed = DetailsChange { trashed: Some(true), ..DetailsChange::default() };
    let now = world.reader(id).await.row().updated_at;
    world.stores.relational.catalog.change(id, world.ada.user.into(), &trashed, now).await.unwrap();
    world.stores.relational.catalog.purge(id, now).await.unwrap();
    world.services.jobs.work_off().await.unwrap();
    assert!(
        world
            .stores
            .documents
            .paths(CollectionId, &history, None, 9, true)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn fsck_finds_damaged_and_missing_segments() {
    let (world, id) = in_segments(20).await;
    let rows = segments(&world, id).await;
    let path = |row: &SegmentRow| RecordPath::edits(id, row.segment.record, 0);
    let record = world.stores.documents.get(&path(&rows[0])).await.unwrap();
    let other = world.stores.documents.get(&path(&rows[1])).await.unwrap();
    let at = record.updated_at;
    world.stores.documents.update(&record.path, 1, &other.data, at).await.unwrap();
    finds(&world, FaultKind::History).await;
    world.stores.documents.update(&record.path, 2, &record.data, at).await.unwrap();
    world.fsck_is_clean().await;
    world.stores.documents.purge(&path(&rows[1])).await.unwrap();
    finds(&world, FaultKind::History).await;
    // The remaining edits can still be read.
    let editor = world.editor(id).await;
    let page = world.services.edits.list(&editor, None, Some(10), None).await.unwrap();
    assert_eq!(page.items.len(), 10);
    let page = world.services.edits.list(&editor, None, None, None).await.unwrap();
    assert_eq!((page.items.len(), page.next), (10, Some(11)));
    let damaged = world.services.edits.list(&editor, Some(11), None, None).await;
    assert!(matches!(damaged, Err(Error::CorruptDocument(_))), "{damaged:?}");
}

#[tokio::test]
async fn fsck_soft_deletes_records_that_no_segment_names() {
    let (world, id) = in_segments(10).await;
    let row = segments(&world, id).await.remove(0);
    let listed = world.stores.documents.get(&RecordPath::edits(id, row.segment.record, 0)).await;
    let path = RecordPath::edits(id, Uuid::now_v7(), 0);
    let orphan = NewRecord { path: path.clone(), data: listed.unwrap().data };
    let now = world.reader(id).await.row().updated_at;
    world.stores.documents.create(&orphan, now).await.unwrap();
    // A recent record may be about to be listed.
    world.fsck_is_clean().await;
    world.clock.advance(DAY);
    finds(&world, FaultKind::Orphan).await;
    let report = world.services.fsck.run(Repair::Lossless).await.unwrap();
    assert_eq!(report.repaired.len(), 1, "{report:?}");
    world.fsck_is_clean().await;
    assert!(world.stores.documents.get(&path).await.is_err());
    assert_eq!(edits(&world, id, 100).await.len(), 10);
}

#[tokio::test]
async fn the_daily_round_removes_old_records_that_no_segment_names() {
    let (world, id) = in_segments(10).await;
    let row = segments(&world, id).await.remove(0);
    let listed = RecordPath::edits(id, row.segment.record, 0);
    let data = world.stores.documents.get(&listed).await.unwrap().data;
    let now = world.reader(id).await.row().updated_at;
    let mut orphans = Vec::new();
    for part in 0..3 {
        let path = RecordPath::edits(id, Uuid::now_v7(), part);
        let record = NewRecord { path: path.clone(), data: data.clone() };
        world.stores.documents.create(&record, now).await.unwrap();
        orphans.push(path);
    }
    world.stores.documents.delete(&orphans[0], now).await.unwrap();
    let history = RecordPath::edits_of(id);
    let count = async || {
        let paths = world.stores.documents.paths(CollectionId, &history, None, 99, true).await;
        paths.unwrap().len()
    };
    let before = count().await;
    assert_eq!(world.services.jobs.run_now().await.unwrap(), 0);
    assert_eq!(count().await, before, "a recent record may be about to be listed");
    world.clock.advance(2 * DAY);
    assert_eq!(world.services.jobs.run_now().await.unwrap(), 0);
    assert_eq!(count().await, before, "it may be the only copy, so it is soft-deleted first");
    world.clock.advance(31 * DAY);
    assert_eq!(world.services.jobs.run_now().await.unwrap(), 0);
    assert_eq!(count().await, before - 3);
    assert_eq!(edits(&world, id, 100).await.len(), 10);
    world.fsck_is_clean().await;
}

#[tokio::test]
async fn a_checkpoint_behind_a_missing_segment_is_refused() {
    let (world, id) = in_segments(30).await;
    let rows = segments(&world, id).await;
    assert_eq!(rows.len(), 3);
    world.stores.relational.segments.remove(id, 2).await.unwrap();
    let editor = world.editor(id).await;
    assert!(world.services.edits.checkpoint(&editor, 5).await.is_ok());
    let refused = world.services.edits.checkpoint(&editor, 25).await;
    assert!(matches!(refused, Err(Error::CorruptDocument(_))), "{refused:?}");
}
