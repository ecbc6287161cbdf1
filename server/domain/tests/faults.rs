//! Fault injection (DESIGN §4): every store call in edit, snapshot, commit, demotion, restore and
//! garbage collection × every kind of fault. After each run every acknowledged edit and version is
//! readable, correct and not duplicated, the caller knows the true outcome, and `fsck` is clean.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

#[path = "faults/story.rs"]
mod story;

use izanagi_domain::storage::Stores;
use izanagi_storage::faulty::{Class, Fault, Injector, wrap};
use rstest::rstest;
use std::{sync::Arc, time::Duration};
use story::Story;
use support::{Plan, World};

/// Longer than the delay of any job that is not parked.
const LONG: Duration = Duration::from_secs(6 * 60);

/// Whether contents and versions are committed in one transaction or in the steps of DESIGN §5.
#[derive(Debug, Clone, Copy)]
enum Commit {
    Atomic,
    InSteps,
}

async fn world(injector: &Arc<Injector>, commit: Commit) -> World {
    let injector = Arc::clone(injector);
    let wrap = move |stores: Stores| {
        let mut stores = wrap(stores, &injector);
        if matches!(commit, Commit::InSteps) {
            stores.relational.atomic = None;
        }
        stores
    };
    World::with(Plan { wrap: Box::new(wrap), ..Plan::default() }).await
}

/// Runs the story with one injected fault as far as it goes, then restarts and runs the rest.
/// Returns whether the fault fired.
async fn run_story(injector: &Arc<Injector>, commit: Commit) -> bool {
    let world = world(injector, commit).await;
    let mut story = Story::begin(&world).await;
    story.go_on(&world, Some(injector)).await;
    let fired = injector.fired().is_some();
    injector.revive();
    injector.release().await;
    let world = world.restart().await;
    story.go_on(&world, None).await;
    story.check(&world).await;
    // Whatever happened to the runner, no job was lost and none is left.
    world.clock.advance(LONG);
    world.services.jobs.work_off().await.unwrap();
    assert_eq!(world.stores.relational.outbox.pending(1).await.unwrap(), []);
    // A worker that cannot see the newer version has nothing to do.
    let is_stale = injector.faults().iter().any(|(_, fault)| *fault == Fault::StaleRead);
    assert!(is_stale || story.is_compacted(&world).await);
    world.fsck_is_clean().await;
    fired
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn survives_every_fault_in_every_call(
    #[values(Commit::Atomic, Commit::InSteps)] commit: Commit,
    #[values(
        Fault::ErrorBefore,
        Fault::LostReply,
        Fault::LateEffect,
        Fault::Hang,
        Fault::Repeat,
        Fault::PartialBatch,
        Fault::StaleRead,
        Fault::CorruptByte,
        Fault::KillBefore,
        Fault::KillAfter
    )]
    fault: Fault,
) {
    let quiet = Injector::quiet();
    run_story(&quiet, commit).await;
    let calls = quiet.calls();
    assert!(calls.len() > 40, "the story makes only {} store calls", calls.len());
    let mut fired = 0;
    for call in calls.iter().filter(|call| fault.fits(call.class)) {
        println!("{fault:?} at {call:?}");
        fired += usize::from(run_story(&Injector::nth(call.index, fault), commit).await);
    }
    // Reads that had nothing to corrupt or no older value to return do not count, but some must
    // fire.
    let least = if fault.fits(Class::Write) { 20 } else { 3 };
    assert!(fired >= least, "{fault:?} fired only {fired} times");
}

/// With `FAULT_SEEDS`, a campaign of so many runs; `make faults` sets it.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn survives_many_faults_in_one_run(
    #[values(Commit::Atomic, Commit::InSteps)] commit: Commit,
) {
    let seeds = std::env::var("FAULT_SEEDS").map_or(8, |seeds| seeds.parse().unwrap());
    let faults = [
        Fault::ErrorBefore,
        Fault::LostReply,
        Fault::LateEffect,
        Fault::Repeat,
        Fault::PartialBatch,
        Fault::CorruptByte,
    ];
    let mut fired = 0;
    for seed in 1..=seeds {
        println!("seed {seed}");
        fired += u64::from(run_story(&Injector::seeded_among(seed, 0.05, &faults), commit).await);
    }
    assert!(fired * 10 >= seeds * 8, "faults fired in only {fired} of {seeds} runs");
}
