//! The end of a process that follows a move.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use async_trait::async_trait;
use izanagi_domain::storage::{MovedStore, NewMove, StoreMove, StoreMover, StoreResult};
use izanagi_shared::rules::Secret;
use parking_lot::Mutex;
use std::{sync::Arc, time::Duration};
use support::{Plan, World};
use tokio_util::sync::CancellationToken;

/// Rooms write until they are drained: what follows the move must not end before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_ends_follows_until_nobody_writes() {
    let events = Arc::new(Mutex::new(Vec::new()));
    let recorder = Arc::new(Recorder(Arc::clone(&events)));
    let plan = Plan {
        wrap: Box::new(move |mut stores| {
            stores.movers.push(recorder.clone());
            stores
        }),
        ..Plan::default()
    };
    let world = World::with(plan).await;
    let (core, written) = (world.services.core.clone(), Arc::clone(&events));
    world.services.core.tasks.spawn(async move {
        core.stop.cancelled().await;
        tokio::time::sleep_until(tokio::time::Instant::now() + Duration::from_millis(300)).await;
        written.lock().push("written");
    });
    world.close().await;
    assert_eq!(*events.lock(), ["written", "left"]);
}

/// Notes when it is told to leave.
struct Recorder(Arc<Mutex<Vec<&'static str>>>);

#[async_trait]
impl StoreMover for Recorder {
    fn store(&self) -> MovedStore {
        MovedStore::Documents
    }

    async fn prepare(&self, _: &Secret, _: bool) -> Result<NewMove, String> {
        Err("it only notes".to_owned())
    }

    async fn check_forget(&self, _: &StoreMove) -> Result<(), String> {
        Ok(())
    }

    async fn carry_on(&self) -> StoreResult<()> {
        Ok(())
    }

    async fn follow(&self, stop: CancellationToken) {
        stop.cancelled().await;
        self.0.lock().push("left");
    }
}
