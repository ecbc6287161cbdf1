//! Background jobs: demotion, promotion to snapshots, erasure and garbage collection, with
//! concurrent workers and unreadable records.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

#[path = "support/gate.rs"]
mod gate;

use gate::{Trap, gated};
use izanagi_domain::{
    fsck::{FaultKind, Repair},
    jobs::LEASE,
    storage::{DetailsChange, Freshness, NewIntent, NewRecord, RecordIndex, RecordPath, Topic},
    versions::INTENT_LIFETIME,
};
use izanagi_shared::{
    id::{CommitId, DocumentId},
    wire::StoredAs,
};
use support::World;
use uuid::Uuid;

/// Returns a text long enough to be stored in chunks.
fn long(end: &str) -> String {
    format!("{}{end}", "0123456789abcde\n".repeat(4 * 1024 * 1024 / 16 + 9))
}

/// Creates a document with three versions.
async fn a_document(world: &World, text: impl Fn(&str) -> String) -> DocumentId {
    let id = world.create(&text("0")).await;
    for end in ["1", "2", "3"] {
        world.write(id, &text(end)).await;
        world.commit(id, end).await.unwrap();
    }
    id
}

async fn path(world: &World, id: DocumentId, number: u64) -> RecordPath {
    RecordPath::content(
        id,
        world.stores.relational.versions.get(Freshness::Fresh, id, number).await.unwrap().commit_id,
    )
}

async fn stored_as(world: &World, id: DocumentId, number: u64) -> StoredAs {
    let reader = world.reader(id).await;
    world.services.versions.get(&reader, number).await.unwrap().stored_as
}

async fn chunks(world: &World, id: DocumentId, number: u64) -> usize {
    let commit =
        world.stores.relational.versions.get(Freshness::Fresh, id, number).await.unwrap().commit_id;
    let chunks = RecordPath::chunks_of(id, commit);
    world
        .stores
        .documents
        .paths(RecordIndex::CollectionId, &chunks, None, 100, true)
        .await
        .unwrap()
        .len()
}

async fn name(world: &World, id: DocumentId, number: u64) {
    let editor = world.editor(id).await;
    world.services.versions.name(&editor, number, Some("release")).await.unwrap();
}

#[tokio::test]
async fn naming_during_demotion_keeps_a_version() {
    let (world, gate) = gated().await;
    let id = a_document(&world, long).await;
    gate.set(Trap::HoldPurge);
    let jobs = world.services.jobs.clone();
    let slow = tokio::spawn(async move { jobs.work_off().await });
    gate.arrived().await;
    let other = World::over(&world).await;
    name(&other, id, 2).await;
    other.services.jobs.work_off().await.unwrap();
    assert_eq!(stored_as(&other, id, 2).await, StoredAs::Snapshot);
    gate.open();
    slow.await.unwrap().unwrap();
    let fresh = World::over(&world).await;
    assert_eq!(fresh.content(id, 2).await, long("2"));
    // The slow worker noticed the new name before it finished.
    assert_eq!(stored_as(&fresh, id, 2).await, StoredAs::Snapshot);
    fresh.fsck_is_clean().await;
}

#[tokio::test]
async fn fsck_restores_a_chunk_removed_late() {
    let world = World::new().await;
    let id = a_document(&world, long).await;
    world.services.jobs.work_off().await.unwrap();
    name(&world, id, 2).await;
    world.services.jobs.work_off().await.unwrap();
    assert_eq!(chunks(&world, id, 2).await, 2);
    let commit =
        world.stores.relational.versions.get(Freshness::Fresh, id, 2).await.unwrap().commit_id;
    world.stores.documents.purge(&RecordPath::chunk(id, commit, 0)).await.unwrap();
    let world = world.restart().await;
    assert_eq!(world.content(id, 2).await, long("2"));
    let report = world.services.fsck.run(Repair::Lossless).await.unwrap();
    let kinds: Vec<_> = report.faults.iter().map(|fault| fault.kind).collect();
    assert_eq!(kinds, [FaultKind::Keyframe], "{report:#?}");
    assert_eq!(chunks(&world, id, 2).await, 2);
    world.fsck_is_clean().await;
}

#[tokio::test]
async fn removes_chunks_left_behind_by_a_crash() {
    let (world, gate) = gated().await;
    let id = a_document(&world, long).await;
    gate.set(Trap::HoldPurge);
    let jobs = world.services.jobs.clone();
    let killed = tokio::spawn(async move { jobs.work_off().await });
    gate.arrived().await;
    killed.abort();
    assert!(killed.await.unwrap_err().is_cancelled());
    let world = world.restart().await;
    assert_eq!(chunks(&world, id, 2).await, 2);
    world.fsck_is_clean().await;
    // The killed worker still has its lease.
    world.services.jobs.work_off().await.unwrap();
    assert_eq!(chunks(&world, id, 2).await, 2);
    world.clock.advance(LEASE);
    world.services.jobs.work_off().await.unwrap();
    assert_eq!(chunks(&world, id, 2).await, 0);
    assert_eq!(world.content(id, 2).await, long("2"));
    world.fsck_is_clean().await;
}

#[tokio::test]
async fn resumes_an_interrupted_erasure() {
    let (world, gate) = gated().await;
    let id = a_document(&world, long).await;
    let first =
        world.stores.relational.versions.get(Freshness::Fresh, id, 1).await.unwrap().commit_id;
    let trashed = DetailsChange { trashed: Some(true), ..DetailsChange::default() };
    let now = world.reader(id).await.row().updated_at;
    world.stores.relational.catalog.change(id, world.ada.user.into(), &trashed, now).await.unwrap();
    world.stores.relational.catalog.purge(id, now).await.unwrap();
    gate.set(Trap::KeepAt(RecordPath::chunk(id, first, 1)));
    world.services.jobs.work_off().await.unwrap();
    let contents = RecordPath::contents_of(id);
    let left = world
        .stores
        .documents
        .paths(RecordIndex::CollectionId, &contents, None, 10, true)
        .await
        .unwrap();
    assert_eq!(left, [RecordPath::content(id, first)]);
    let world = world.restart().await;
    world.clock.advance(LEASE);
    world.services.jobs.work_off().await.unwrap();
    for collection in [contents, RecordPath::chunks_of(id, first)] {
        assert_eq!(
            world
                .stores
                .documents
                .paths(RecordIndex::CollectionId, &collection, None, 10, true)
                .await,
            Ok(vec![])
        );
    }
}

#[tokio::test]
async fn a_panicking_job_does_not_stop_the_rest() {
    let (world, gate) = gated().await;
    let small = |end: &str| format!("{}{end}", "the same line\n".repeat(20));
    let (panicking, sound) = (a_document(&world, small).await, a_document(&world, small).await);
    gate.set(Trap::PanicAt(path(&world, panicking, 2).await));
    world.services.jobs.work_off().await.unwrap();
    assert_eq!(stored_as(&world, sound, 2).await, StoredAs::Delta);
    assert_eq!(stored_as(&world, panicking, 2).await, StoredAs::Snapshot);
    gate.set(None);
    world.clock.advance(LEASE);
    world.services.jobs.work_off().await.unwrap();
    assert_eq!(stored_as(&world, panicking, 2).await, StoredAs::Delta);
    world.fsck_is_clean().await;
}

#[tokio::test]
async fn shutdown_does_not_wait_for_the_backlog() {
    let (world, gate) = gated().await;
    let small = |end: &str| format!("{}{end}", "the same line\n".repeat(20));
    for _ in 0..3 {
        a_document(&world, small).await;
    }
    gate.set(Trap::HoldUpdate);
    world.services.start();
    gate.arrived().await;
    let mut down = Box::pin(world.services.shut_down());
    assert!(futures::poll!(&mut down).is_pending());
    gate.open();
    down.await;
    let left = world.stores.relational.outbox.pending(10).await.unwrap();
    let demotions = left.iter().filter(|item| item.topic == Topic::Demote);
    assert_eq!(demotions.count(), 4, "{left:?}");
    // The leases are returned, so that the next start need not wait for them to lapse.
    let world = world.restart().await;
    world.services.jobs.work_off().await.unwrap();
    let left = world.stores.relational.outbox.pending(10).await.unwrap();
    assert!(left.iter().all(|item| item.topic.period().is_some()), "{left:?}");
}

#[tokio::test]
async fn a_failed_erasure_does_not_stop_the_rest() {
    let (world, gate) = gated().await;
    let id = world.create("text").await;
    let now = world.reader(id).await.row().updated_at;
    let mut paths = Vec::new();
    for key in 1..=3 {
        let commit_id = CommitId(Uuid::now_v7());
        let intent = NewIntent {
            commit_id,
            document_id: id,
            base_commit: None,
            request_key: [key; 32],
            expires_at: now,
            at: now,
        };
        world.stores.relational.intents.open(&intent).await.unwrap();
        let path = RecordPath::content(id, commit_id);
        let record = NewRecord { path: path.clone(), data: izanagi_domain::storage::Data::new() };
        world.stores.documents.create(&record, now).await.unwrap();
        paths.push(path);
    }
    world.clock.advance(INTENT_LIFETIME);
    gate.set(Trap::KeepAt(paths[0].clone()));
    assert!(world.services.versions.collect_garbage().await.is_err());
    let left = world
        .stores
        .documents
        .paths(RecordIndex::CollectionId, paths[0].collection(), None, 10, true)
        .await
        .unwrap();
    assert_eq!(left, paths[..1]);
    gate.set(None);
    assert_eq!(world.services.versions.collect_garbage().await.unwrap(), 1);
    world.fsck_is_clean().await;
}

#[tokio::test]
async fn fsck_continues_after_a_corrupt_record() {
    let (world, gate) = gated().await;
    let small = |end: &str| format!("{}{end}", "the same line\n".repeat(20));
    let (damaged, other) = (a_document(&world, small).await, a_document(&world, small).await);
    gate.set(Trap::CorruptAt(path(&world, damaged, 1).await));
    let missing = path(&world, other, 1).await;
    world.stores.documents.purge(&missing).await.unwrap();
    let report = world.services.fsck.run(Repair::Lossless).await.unwrap();
    let found: Vec<_> = report.faults.iter().map(|fault| (fault.document, fault.kind)).collect();
    let expected = [damaged, other].map(|id| (Some(id), FaultKind::Content));
    assert_eq!(found, expected, "{report:#?}");
    assert_eq!((report.documents, report.versions), (2, 6));
}
