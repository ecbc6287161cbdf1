//! Convergence of live editing (DESIGN §6): pages with the real `SyncEngine`, clients of the JSON
//! protocol and plain Yjs clients edit one document through real `Connection`s, while connections
//! drop, stall and reconnect, and the server restarts. In the end every replica has the same text, in
//! which each word stands once.
//!
//! A story is made from a seed. `SIMULATE_SEEDS=n` runs that many (`make simulate SEEDS=n`),
//! `SIMULATE_SEED=n` replays one.

mod client;
mod json_client;
mod page;
mod random;
mod room;
mod world;
mod yjs_client;

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::atomic::{AtomicU64, Ordering},
    thread,
};
use world::World;

const DEFAULT_SEEDS: u64 = 2_000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn replicas_converge_whatever_happens() {
    if let Some(seed) = number("SIMULATE_SEED") {
        return World::new(seed).run();
    }
    let seeds = number("SIMULATE_SEEDS").unwrap_or(DEFAULT_SEEDS);
    let next = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds {
                        return;
                    }
                    let story = catch_unwind(AssertUnwindSafe(|| World::new(seed).run()));
                    if let Err(panic) = story {
                        eprintln!(
                            "replay: SIMULATE_SEED={seed} cargo test -p izanagi-shared --test simulation"
                        );
                        resume_unwind(panic);
                    }
                }
            });
        }
    });
}
