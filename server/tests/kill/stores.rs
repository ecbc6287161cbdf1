//! Kills of the app and of each of its three servers in turn, while ten clients write: six by requests,
//! four over sockets in one document. Everything goes on by itself.

use crate::{
    Meter, all,
    binary::{Binary, Home},
    number,
    services::{Services, Victim},
    socket::Page,
    writer::{Account, Writer},
};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use rstest::rstest;
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// A sample; `make kill STORE=…` sets `KILL_ROUNDS`.
const ROUNDS: usize = 2;
const WRITERS: usize = 6;
const PAGES: usize = 4;
/// How long a store may take to start again and to be found by the app, on a busy machine.
const RECOVERY: Duration = Duration::from_secs(60);

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_writes_survive_the_kill_of(
    #[values(Victim::App, Victim::Postgres, Victim::Mongo, Victim::Redis)] victim: Victim,
) {
    if !victim.is_chosen() {
        return;
    }
    let Some(services) = Services::start() else { return };
    let home = Home::with(services.variables());
    let seed = rand::random();
    println!("{victim:?}: seed {seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let mut server = Some(Binary::start(&home).await);
    let url = server.as_ref().unwrap().url.clone();
    let account = Account::sign_up(&url).await;
    let document = account.create_document(&url, "Shared").await;
    let (meter, stop) = (Arc::new(Meter::default()), CancellationToken::new());
    let mut writers = Vec::new();
    for number in 0..WRITERS {
        let writer = Writer::new(&url, &account, number, rng.random()).await;
        let may_vanish = victim == Victim::App;
        let writing = writer.write_on(url.clone(), may_vanish, Arc::clone(&meter), stop.clone());
        writers.push(tokio::spawn(writing));
    }
    let mut pages = Vec::new();
    for number in 0..PAGES {
        let page = Page::open(&url, &account, &document, number, rng.random()).await;
        pages.push(tokio::spawn(page.type_on(url.clone(), Arc::clone(&meter), stop.clone())));
    }
    let rounds = number("KILL_ROUNDS", ROUNDS);
    let mut times = Vec::new();
    for _ in 0..rounds {
        progress(&meter, rng.random_range(20..200)).await;
        match victim {
            Victim::App => server.take().unwrap().kill().await,
            store => services.kill(store),
        }
        let down = Duration::from_millis(rng.random_range(0..1_500));
        sleep_until(Instant::now() + down).await;
        match victim {
            Victim::App => server = Some(Binary::start(&home).await),
            store => services.restart(store),
        }
        let begun = Instant::now();
        progress(&meter, 20).await;
        times.push(begun.elapsed());
    }
    progress(&meter, 100).await;
    let mut server = server.unwrap();
    assert!(server.is_alive());
    stop.cancel();
    let (mut writers, mut pages) = (all(writers).await, all(pages).await);
    for writer in &mut writers {
        writer.settle(&url).await;
        writer.check(&url).await;
    }
    for page in &mut pages {
        page.settle(&url).await;
    }
    let text = account.text(&url, &document).await;
    for page in &pages {
        page.check(&text);
    }
    times.sort_unstable();
    let answered = meter.answered.load(Ordering::SeqCst);
    println!(
        "{victim:?}: {rounds} kills, {answered} writes acknowledged; twenty more took {:?} (median), \
         {:?} (longest) once it ran again",
        times[times.len() / 2],
        times[times.len() - 1]
    );
    // Beside the server, then without it.
    Binary::fsck(&home).await;
    server.kill().await;
    Binary::fsck(&home).await;
}

/// Waits until this many further writes have been acknowledged.
async fn progress(meter: &Meter, further: usize) {
    let target = meter.answered.load(Ordering::SeqCst) + further;
    let reached = tokio::time::timeout(RECOVERY, meter.reaches(target)).await;
    assert!(reached.is_ok(), "nothing was acknowledged for {RECOVERY:?}");
}
