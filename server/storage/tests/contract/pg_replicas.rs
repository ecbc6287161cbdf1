//! Reads that a replica may answer.

use crate::{
    fixtures::*,
    pg_proxy::{Cut, Proxy},
    pg_replica::Pair,
    pg_server::PgDatabase,
};
use izanagi_shared::id::UserId;
use izanagi_storage::{Opened, RelationalOptions, StorageConfig, StoreUrl, open};
use std::time::{Duration, Instant};

/// Words of the query for people, which need not be fresh.
const PEOPLE: &str = "FROM users";
/// Longer than a replica is left alone that was behind, and less than one that did not answer.
const SOON: Duration = Duration::from_secs(8);

async fn opened(pair: &Pair, replicas: Vec<String>) -> Opened {
    let replicas = replicas.into_iter().map(StoreUrl::from).collect();
    let relational = RelationalOptions { replicas, ..RelationalOptions::default() };
    let config = StorageConfig { relational, ..StorageConfig::new(pair.primary().url()) };
    open(&config).await.unwrap()
}

async fn knows(opened: &Opened, user: UserId) -> bool {
    !opened.stores.relational.users.people(&[user]).await.unwrap().is_empty()
}

/// Reads until the replica has answered; every answer must be right.
async fn until_the_replica_answers(pair: &Pair, opened: &Opened, user: UserId) {
    let (before, begun) = (pair.asked(PEOPLE), Instant::now());
    while pair.asked(PEOPLE) == before {
        assert!(knows(opened, user).await);
        assert!(begun.elapsed() < SOON, "the replica is not asked");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_never_answers_with_less_than_anybody_has_seen() {
    let Some(pair) = Pair::start() else { return };
    // The one writes, the other reads.
    let writer = opened(&pair, Vec::new()).await;
    let reader = opened(&pair, vec![pair.replica().url()]).await;
    let first = a_user(&writer.stores).await;
    until_the_replica_answers(&pair, &reader, first).await;

    pair.replica().run("SELECT pg_wal_replay_pause()").await;
    let asked = pair.asked(PEOPLE);
    for _ in 0..5 {
        let next = a_user(&writer.stores).await;
        assert!(knows(&reader, next).await, "another node's write is missing");
    }
    assert_eq!(pair.asked(PEOPLE), asked, "it is behind");
    pair.replica().run("SELECT pg_wal_replay_resume()").await;
    until_the_replica_answers(&pair, &reader, first).await;

    // Many readers beside a writer.
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let (reader, writer) = (reader.stores.clone(), writer.stores.clone());
            tokio::spawn(async move {
                for _ in 0..25 {
                    let next = a_user(&writer).await;
                    let people = reader.relational.users.people(&[next]).await.unwrap();
                    assert_eq!(people.len(), 1);
                }
            })
        })
        .collect();
    for reader in readers {
        reader.await.unwrap();
    }
    writer.close().await;
    reader.close().await;
}

/// A query fails on the replica with a code, as if replaying the log were in its way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_that_meets_the_replay_is_answered_by_the_primary_and_the_next_by_the_replica() {
    let Some(pair) = Pair::start() else { return };
    let opened = opened(&pair, vec![pair.replica().url()]).await;
    let user = a_user(&opened.stores).await;
    pair.primary()
        .run(
            "CREATE TABLE interruptions (code text); \
             CREATE FUNCTION is_undisturbed() RETURNS boolean LANGUAGE plpgsql AS $$ \
             DECLARE given text; BEGIN \
             SELECT code INTO given FROM interruptions; \
             IF given IS NOT NULL AND pg_is_in_recovery() THEN \
             RAISE EXCEPTION 'canceling statement due to conflict with recovery' \
             USING ERRCODE = given; END IF; RETURN true; END $$; \
             ALTER TABLE users RENAME TO people; \
             CREATE VIEW users AS SELECT * FROM people WHERE is_undisturbed()",
        )
        .await;
    until_the_replica_answers(&pair, &opened, user).await;
    for code in ["40001", "40P01"] {
        pair.primary().run(&format!("INSERT INTO interruptions VALUES ('{code}')")).await;
        let asked = pair.asked("conflict with recovery");
        for _ in 0..5 {
            assert!(knows(&opened, user).await, "{code}");
        }
        assert!(pair.asked("conflict with recovery") >= asked + 5, "it was turned off");
        pair.primary().run("DELETE FROM interruptions").await;
        until_the_replica_answers(&pair, &opened, user).await;
    }
    opened.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_primary_answers_for_a_silent_replica() {
    let Some(pair) = Pair::start() else { return };
    let proxy = Proxy::start(pair.replica(), Cut::Silent).await;
    let opened = opened(&pair, vec![proxy.url()]).await;
    let user = a_user(&opened.stores).await;
    until_the_replica_answers(&pair, &opened, user).await;
    for messages in 0..3 {
        proxy.arm(messages);
        let begun = Instant::now();
        while !proxy.is_silent() {
            let asked = Instant::now();
            assert!(knows(&opened, user).await);
            assert!(asked.elapsed() < SOON, "{:?}", asked.elapsed());
            assert!(begun.elapsed() < Duration::from_secs(60), "the replica is not asked again");
            tokio::task::yield_now().await;
        }
    }
    proxy.disarm();
    opened.close().await;
}

/// The primary of another cluster, or a replica that was promoted, replays nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_no_replica_answers_nothing() {
    let Some(database) = PgDatabase::migrated().await else { return };
    let Some(other) = PgDatabase::migrated().await else { return };
    let replicas = vec![other.url().into()];
    let relational = RelationalOptions { replicas, ..RelationalOptions::default() };
    let opened =
        open(&StorageConfig { relational, ..StorageConfig::new(database.url()) }).await.unwrap();
    let user = a_user(&opened.stores).await;
    for _ in 0..5 {
        assert!(knows(&opened, user).await, "the other server has no such row");
    }
    opened.close().await;
    database.recycle().await;
    other.recycle().await;
}

/// A replica that cannot be reached is replaced by the primary.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_replica_the_primary_answers() {
    let Some(database) = PgDatabase::migrated().await else { return };
    let replicas = vec![format!("{}_gone", database.url()).into()];
    let relational = RelationalOptions { replicas, ..RelationalOptions::default() };
    let opened =
        open(&StorageConfig { relational, ..StorageConfig::new(database.url()) }).await.unwrap();
    let user = a_user(&opened.stores).await;
    assert!(knows(&opened, user).await);
    opened.close().await;
    database.recycle().await;
}
