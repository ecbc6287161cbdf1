//! A network that swallows what is sent, and says nothing.

use crate::{
    pg_faults::{Kind, scene, sweep, write},
    pg_proxy::{Cut, Proxy, SILENCE},
    pg_server::PgDatabase,
};
use izanagi_domain::storage::StoreError;
use izanagi_storage::open;
use rstest::rstest;
use std::time::{Duration, Instant};

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_on_a_silent_network_ends_and_tells_its_true_outcome(
    #[values(Kind::Statement, Kind::Commit, Kind::CommitWithContent)] kind: Kind,
) {
    let Some(database) = PgDatabase::migrated().await else { return };
    let proxy = Proxy::start(database, Cut::Silent).await;
    let opened = open(&proxy.config(1)).await.unwrap();
    let scene = scene(&opened).await;
    for _ in 0..5 {
        if sweep(&proxy, &scene, kind, Cut::Silent).await > 0 {
            opened.close().await;
            proxy.stop().await;
            return;
        }
    }
    panic!("{kind:?}: no outcome was ever unknown");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_on_a_silent_network_ends_and_leaves_a_pool_that_works() {
    let Some(database) = PgDatabase::migrated().await else { return };
    let proxy = Proxy::start(database, Cut::Silent).await;
    let opened = open(&proxy.config(1)).await.unwrap();
    let scene = scene(&opened).await;
    let read = || scene.stores.relational.catalog.get(scene.document);
    let mut refused = 0;
    for _ in 0..4 {
        // At once, so that the pool does not test the connection, and the query is what gets lost.
        read().await.unwrap();
        proxy.arm(0);
        let begun = Instant::now();
        match read().await {
            Ok(_) => {}
            Err(StoreError::Unavailable(_)) => refused += 1,
            Err(error) => panic!("{error:?}"),
        }
        assert!(begun.elapsed() < SILENCE * 10, "{:?}", begun.elapsed());
        assert!(proxy.disarm());
    }
    assert!(refused > 0);
    read().await.unwrap();
    opened.close().await;
    proxy.stop().await;
}

/// The write has its usual limit, which is longer than a shutdown may take.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_network_does_not_keep_the_database_from_closing() {
    let Some(database) = PgDatabase::migrated().await else { return };
    let proxy = Proxy::start(database, Cut::Silent).await;
    let mut config = proxy.config(1);
    config.relational.statement_timeout = Duration::from_secs(60 * 60);
    let opened = open(&config).await.unwrap();
    let scene = scene(&opened).await;
    let write = write(&scene, Kind::Statement).await;
    // A connection that was just used is not tested: usually, the write is what gets lost.
    scene.stores.relational.catalog.get(scene.document).await.unwrap();
    proxy.arm(0);
    let writing = tokio::spawn((write.run)());
    while !proxy.is_silent() {
        tokio::task::yield_now().await;
    }
    let begun = Instant::now();
    opened.close().await;
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    writing.abort();
}
