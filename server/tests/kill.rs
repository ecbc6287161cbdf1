//! Durability test (PRODUCT, the promise): the real binary, or a server that it uses, is killed with
//! `SIGKILL` at random moments while clients write. Every acknowledged write must be present exactly once afterwards.
//!
//! The test process keeps the ledger of acknowledged writes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "kill/binary.rs"]
mod binary;
#[path = "kill/moving.rs"]
mod moving;
#[path = "kill/services.rs"]
mod services;
#[path = "kill/socket.rs"]
mod socket;
#[path = "kill/stores.rs"]
mod stores;
#[path = "kill/writer.rs"]
mod writer;

use binary::{Binary, Home};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use socket::Page;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio::task::JoinHandle;
use writer::{Account, Writer};

/// A sample; `make kill` sets `KILL_ROUNDS` and `KILL_WRITERS` for a campaign.
const KILLS: usize = 50;
const WRITERS: usize = 4;
/// The same of the writers over sockets, which are as many as in a campaign.
const SOCKET_KILLS: usize = 10;

/// Returns a number from the environment.
fn number(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |value| value.parse().unwrap())
}

/// Counters shared by the writers and the killer.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    /// Requests sent but not answered.
    in_flight: AtomicUsize,
    /// Requests answered since the last start.
    answered: AtomicUsize,
    /// Notified on every response.
    answered_one: tokio::sync::Notify,
}

impl Meter {
    /// Completes when this many requests have been answered.
    async fn reaches(&self, target: usize) {
        while self.answered.load(Ordering::SeqCst) < target {
            self.answered_one.notified().await;
        }
    }
}

/// Waits for all writers, and returns them.
async fn all<T>(tasks: Vec<JoinHandle<T>>) -> Vec<T> {
    let mut ended = Vec::with_capacity(tasks.len());
    for task in tasks {
        ended.push(task.await.unwrap());
    }
    ended
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_writes_survive_sigkill() {
    let (kills, writing) = (number("KILL_ROUNDS", KILLS), number("KILL_WRITERS", WRITERS));
    let home = Home::new();
    let seed = rand::random();
    println!("seed {seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let mut server = Binary::start(&home).await;
    let account = Account::sign_up(&server.url).await;
    let mut writers = Vec::new();
    for number in 0..writing {
        writers.push(Writer::new(&server.url, &account, number, rng.random()).await);
    }
    let mut killed_in_flight = 0;
    for _ in 0..kills {
        let meter = Arc::new(Meter::default());
        let write = |writer: Writer| {
            tokio::spawn(writer.write_until_killed(server.url.clone(), Arc::clone(&meter)))
        };
        let tasks: Vec<_> = writers.into_iter().map(write).collect();
        meter.reaches(rng.random_range(1..60)).await;
        killed_in_flight += usize::from(meter.in_flight.load(Ordering::SeqCst) > 0);
        server.kill().await;
        writers = all(tasks).await;
        server = Binary::start(&home).await;
    }
    println!("{killed_in_flight} of {kills} kills with a request in flight");
    assert!(killed_in_flight * 100 >= kills * 80);
    for writer in &mut writers {
        writer.settle(&server.url).await;
        writer.check(&server.url).await;
    }
    server.kill().await;
    Binary::fsck(&home).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn edits_acknowledged_over_sockets_survive_sigkill() {
    let (kills, writing) = (number("KILL_ROUNDS", SOCKET_KILLS), number("KILL_WRITERS", 10));
    let home = Home::new();
    let seed = rand::random();
    println!("seed {seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let mut server = Binary::start(&home).await;
    let account = Account::sign_up(&server.url).await;
    let document = account.create_document(&server.url, "Shared").await;
    let mut pages = Vec::new();
    for number in 0..writing {
        pages.push(Page::open(&server.url, &account, &document, number, rng.random()).await);
    }
    for _ in 0..kills {
        let meter = Arc::new(Meter::default());
        let write = |page: Page| {
            tokio::spawn(page.type_until_killed(server.url.clone(), Arc::clone(&meter)))
        };
        let tasks: Vec<_> = pages.into_iter().map(write).collect();
        meter.reaches(rng.random_range(1..200)).await;
        server.kill().await;
        pages = all(tasks).await;
        server = Binary::start(&home).await;
    }
    for page in &mut pages {
        page.settle(&server.url).await;
    }
    let text = account.text(&server.url, &document).await;
    for page in &pages {
        page.check(&text);
    }
    server.kill().await;
    Binary::fsck(&home).await;
}
