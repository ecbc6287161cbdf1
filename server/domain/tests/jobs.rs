//! The job runner: leases, retries, parking, and periodic jobs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

#[path = "support/gate.rs"]
mod gate;

use gate::{Trap, gated};
use izanagi_domain::{
    fsck::{FaultKind, Repair},
    jobs::{LEASE, PARKED_AFTER},
    storage::{
        Claim, Clock as _, DetailsChange, Freshness, OutboxItem, RecordIndex, RecordPath, Topic,
    },
};
use izanagi_shared::id::DocumentId;
use std::time::Duration;
use support::World;
use uuid::Uuid;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// Creates a document with three versions; the second can become a delta.
async fn a_document(world: &World) -> DocumentId {
    let text = "the same line\n".repeat(20);
    let id = world.create(&text).await;
    for end in ["1", "2", "3"] {
        world.write(id, &format!("{text}{end}")).await;
        world.commit(id, end).await.unwrap();
    }
    id
}

async fn is_delta(world: &World, id: DocumentId) -> bool {
    world.stores.relational.versions.get(Freshness::Fresh, id, 2).await.unwrap().is_delta
}

async fn record(world: &World, id: DocumentId) -> RecordPath {
    let version = world.stores.relational.versions.get(Freshness::Fresh, id, 2).await.unwrap();
    RecordPath::content(id, version.commit_id)
}

async fn jobs(world: &World) -> Vec<OutboxItem> {
    world.stores.relational.outbox.pending(100).await.unwrap()
}

async fn purge(world: &World, id: DocumentId) {
    let trashed = DetailsChange { trashed: Some(true), ..DetailsChange::default() };
    let now = world.clock.now();
    world.stores.relational.catalog.change(id, world.ada.user.into(), &trashed, now).await.unwrap();
    world.stores.relational.catalog.purge(id, now).await.unwrap();
}

#[tokio::test]
async fn two_workers_never_run_one_job_at_once() {
    let (world, gate) = gated().await;
    let id = a_document(&world).await;
    gate.set(Trap::HoldUpdate);
    let slow = world.services.jobs.clone();
    let slow = tokio::spawn(async move { slow.work_off().await });
    gate.arrived().await;
    let other = World::over(&world).await;
    other.services.jobs.work_off().await.unwrap();
    assert!(!is_delta(&world, id).await, "the job is leased");
    // The lease lapses, as if the worker had been suspended; then the worker continues.
    world.clock.advance(LEASE);
    other.services.jobs.work_off().await.unwrap();
    assert!(is_delta(&world, id).await);
    gate.open();
    slow.await.unwrap().unwrap();
    assert_eq!(jobs(&world).await, []);
    world.fsck_is_clean().await;
}

#[tokio::test]
async fn the_jobs_of_a_crashed_worker_run_when_its_lease_lapses() {
    let world = World::new().await;
    let id = a_document(&world).await;
    let now = world.clock.now();
    let (worker, until) = (Uuid::now_v7(), now.plus(LEASE));
    let horizon = now.plus(HOUR);
    let claim = Claim { topic: Topic::Demote, worker, limit: 10, now, until, horizon };
    assert_eq!(world.stores.relational.outbox.claim(&claim).await.unwrap().len(), 2);
    world.services.jobs.work_off().await.unwrap();
    assert!(!is_delta(&world, id).await);
    world.clock.advance(LEASE);
    world.services.jobs.work_off().await.unwrap();
    assert!(is_delta(&world, id).await);
    assert_eq!(jobs(&world).await, []);
}

#[tokio::test]
async fn a_failing_job_is_retried_ever_later_and_then_parked() {
    let (world, gate) = gated().await;
    let id = a_document(&world).await;
    gate.set(Trap::CorruptAt(record(&world, id).await));
    let mut delays = Vec::new();
    for attempt in 1..=PARKED_AFTER {
        world.services.jobs.work_off().await.unwrap();
        let left = jobs(&world).await;
        let [job] = left.as_slice() else { panic!("{left:?}") };
        assert_eq!((job.attempts, job.is_parked), (attempt, attempt == PARKED_AFTER));
        let delay = job.run_at.since(world.clock.now());
        delays.push(delay.as_secs() + 1);
        // Nothing runs before it is due.
        world.services.jobs.work_off().await.unwrap();
        assert_eq!(jobs(&world).await, left);
        world.clock.advance(delay + Duration::from_millis(1));
    }
    assert_eq!(delays, [5, 10, 20, 40, 80, 160, 300, 300, 300, 3600]);
    let report = world.services.fsck.run(Repair::No).await.unwrap();
    assert!(report.faults.iter().any(|fault| fault.kind == FaultKind::Job), "{report:?}");
    // A parked job is not lost.
    gate.set(None);
    world.services.jobs.work_off().await.unwrap();
    assert!(is_delta(&world, id).await);
    world.fsck_is_clean().await;
}

#[tokio::test]
async fn a_slow_topic_does_not_stop_another() {
    let (world, gate) = gated().await;
    let (slow, erased) = (a_document(&world).await, a_document(&world).await);
    gate.set(Trap::HoldUpdate);
    world.services.start();
    gate.arrived().await;
    purge(&world, erased).await;
    let contents = RecordPath::contents_of(erased);
    let left = async || {
        let documents = &world.stores.documents;
        documents.paths(RecordIndex::CollectionId, &contents, None, 9, true).await.unwrap()
    };
    world.services.core.wake.up(Topic::Erase);
    while !left().await.is_empty() {
        tokio::task::yield_now().await;
    }
    assert!(!is_delta(&world, slow).await);
    gate.open();
    world.services.shut_down().await;
}

#[tokio::test]
async fn a_commit_wakes_the_worker() {
    let world = World::new().await;
    world.services.start();
    let id = a_document(&world).await;
    // Polling alone would take longer.
    let compacted = async {
        while !is_delta(&world, id).await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(4), compacted).await.unwrap();
    world.services.shut_down().await;
}

#[tokio::test]
async fn periodic_jobs_are_rescheduled_after_each_run() {
    let world = World::new().await;
    let other = World::over(&world).await;
    world.services.start();
    other.services.start();
    let periodic = async || -> Vec<OutboxItem> {
        jobs(&world).await.into_iter().filter(|job| job.topic.period().is_some()).collect()
    };
    let has_run = |found: &[OutboxItem]| {
        let collect = found.iter().find(|job| job.topic == Topic::Collect);
        collect.is_some_and(|job| job.attempts == 0 && job.run_at > world.clock.now())
    };
    while !(periodic().await.len() == 2 && has_run(&periodic().await)) {
        tokio::task::yield_now().await;
    }
    world.services.shut_down().await;
    other.services.shut_down().await;
    let found = periodic().await;
    assert_eq!(found.len(), 2, "each topic has one row, whatever the number of nodes: {found:?}");
    let collect = found.iter().find(|job| job.topic == Topic::Collect).unwrap();
    let wait = collect.run_at.since(world.clock.now());
    assert!(wait > Duration::from_secs(50) && wait <= Duration::from_secs(60), "{wait:?}");
    world.clock.advance(25 * HOUR);
    let world = world.restart().await;
    world.services.jobs.work_off().await.unwrap();
    for job in jobs(&world).await {
        assert!(job.run_at > world.clock.now(), "{job:?}");
    }
}

/// Begins the only job of a topic this often without an end, as a process that dies of it.
async fn die_of(world: &World, topic: Topic, times: u32) {
    let outbox = &world.stores.relational.outbox;
    for _ in 0..times {
        let now = world.clock.now();
        let (worker, horizon) = (Uuid::now_v7(), now.plus(HOUR));
        let claim = Claim { topic, worker, limit: 1, now, until: now, horizon };
        let items = outbox.claim(&claim).await.unwrap();
        outbox.begin(items[0].id, worker).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_job_that_ends_the_process_is_parked() {
    let world = World::new().await;
    let deadly = a_document(&world).await;
    purge(&world, deadly).await;
    world.stores.relational.outbox.make_due(Topic::Erase, world.clock.now()).await.unwrap();
    die_of(&world, Topic::Erase, PARKED_AFTER).await;
    assert_eq!(world.services.jobs.work_off().await.unwrap(), 1);
    let left = jobs(&world).await;
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!((left[0].attempts, left[0].is_parked), (PARKED_AFTER, true));
    // It is still tried, but rarely.
    assert_eq!(world.services.jobs.work_off().await.unwrap(), 0);
    assert_eq!(jobs(&world).await, left);
    let report = world.services.fsck.run(Repair::Lossless).await.unwrap();
    assert_eq!(report.repaired, ["made 1 postponed jobs due"]);
    assert_eq!(world.services.jobs.work_off().await.unwrap(), 0);
    assert_eq!(jobs(&world).await, []);
}

#[tokio::test]
async fn a_worker_keeps_its_leases_during_many_slow_jobs() {
    let (world, gate) = gated().await;
    for _ in 0..5 {
        a_document(&world).await;
    }
    gate.set(Trap::HoldUpdate);
    let slow = world.services.jobs.clone();
    let slow = tokio::spawn(async move { slow.work_off().await });
    let other = World::over(&world).await;
    for left in (0..5).rev() {
        gate.arrived().await;
        world.clock.advance(Duration::from_secs(19));
        let before = jobs(&world).await;
        assert_eq!(other.services.jobs.work_off().await.unwrap(), 0);
        assert_eq!(jobs(&world).await, before, "the other node has run a leased job");
        assert!(before.iter().filter(|job| job.attempts > 0).count() <= 1, "{before:?}");
        gate.set((left > 0).then_some(Trap::HoldUpdate));
        gate.open();
    }
    assert_eq!(slow.await.unwrap().unwrap(), 0);
    assert_eq!(jobs(&world).await, []);
}

#[tokio::test]
async fn a_worker_leaves_what_another_has_taken_over() {
    let (world, gate) = gated().await;
    let (first, _) = (a_document(&world).await, a_document(&world).await);
    gate.set(Trap::HoldUpdate);
    let slow = world.services.jobs.clone();
    let slow = tokio::spawn(async move { slow.work_off().await });
    gate.arrived().await;
    world.clock.advance(LEASE);
    let now = world.clock.now();
    let (worker, until, horizon) = (Uuid::now_v7(), now.plus(LEASE), now.plus(HOUR));
    let claim = Claim { topic: Topic::Demote, worker, limit: 10, now, until, horizon };
    let taken = world.stores.relational.outbox.claim(&claim).await.unwrap();
    gate.open();
    assert_eq!(slow.await.unwrap().unwrap(), 0);
    let left = jobs(&world).await;
    assert_eq!(left.len(), taken.len(), "only the holder settles a job");
    let begun = |job: &OutboxItem| job.attempts > 0 && !job.key.starts_with(&first.to_string());
    assert!(!left.iter().any(begun), "{left:?}");
}

#[tokio::test]
async fn a_job_that_hangs_is_retried() {
    let (world, gate) = gated().await;
    a_document(&world).await;
    gate.set(Trap::HoldUpdate);
    let slow = world.services.jobs.clone();
    let slow = tokio::spawn(async move { slow.work_off().await });
    gate.arrived().await;
    // With nothing else to do, the runtime now advances to the next timer.
    tokio::time::pause();
    assert_eq!(slow.await.unwrap().unwrap(), 1);
    tokio::time::resume();
    let left = jobs(&world).await;
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!((left[0].attempts, left[0].is_parked), (1, false));
    assert!(left[0].run_at > world.clock.now());
}

#[tokio::test]
async fn a_success_clears_the_attempts_of_a_periodic_job() {
    let world = World::new().await;
    let outbox = &world.stores.relational.outbox;
    outbox.ensure(Topic::Collect, Topic::PERIODIC_KEY, world.clock.now()).await.unwrap();
    die_of(&world, Topic::Collect, PARKED_AFTER - 1).await;
    world.services.jobs.work_off().await.unwrap();
    let left = jobs(&world).await;
    assert_eq!((left[0].attempts, left[0].is_parked), (0, false));
    assert_eq!(left.len(), 1);
}

#[tokio::test]
async fn a_damaged_document_does_not_keep_retention_failing() {
    let world = World::new().await;
    let (damaged, sound) = (world.create("damaged").await, world.create("sound").await);
    for id in [damaged, sound] {
        world.write(id, "changed").await;
    }
    let damage = "UPDATE document_updates SET delta = zeroblob(9) \
                  WHERE document_id = (SELECT min(document_id) FROM document_updates)";
    assert_eq!(world.tamper(damage).await, 1);
    // As after a crash.
    let world = World::over(&world).await;
    world.clock.advance(25 * HOUR);
    assert_eq!(world.services.jobs.run_now().await.unwrap(), 0);
    let upkeep = &world.stores.relational.upkeep;
    let left = upkeep.with_old_updates(world.clock.now(), None, 10).await.unwrap();
    assert_eq!(left, [damaged]);
}
