//! Memory of quiet rooms (PRODUCT, figures). Alone in its binary, because it measures the process.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use support::World;

/// Resident memory of this process in bytes (`VmRSS`, proc(5)).
fn resident() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<i64>().unwrap() * 1_024
}

#[tokio::test]
async fn a_quiet_document_takes_little_more_than_its_text() {
    const HALF: usize = 300;
    let world = World::new().await;
    let text = "Fifty. ".repeat(50_000 / 7);
    let mut ids = Vec::new();
    for _ in 0..2 * HALF {
        ids.push(world.create(&text).await);
    }
    // The first half pays for what is allocated once.
    let mut after = Vec::new();
    for half in ids.chunks(HALF) {
        for id in half {
            drop(world.replica(*id).await);
        }
        after.push(resident());
    }
    let bytes = (after[1] - after[0]) / i64::try_from(HALF).unwrap();
    assert!(bytes < 60_000, "{bytes} bytes a document");
}
