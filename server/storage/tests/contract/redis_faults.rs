//! Redis that dies, hangs, lies or is full: everything goes on, nothing waits longer than its limit, and
//! all recovers by itself.

use crate::{
    bus::{next, until_connected},
    fixtures::*,
    limits::{limits, wait_of},
    provider::TestStore,
    redis_server::RedisServer,
};
use bytes::Bytes;
use izanagi_domain::storage::{BusEvent, BusTopic, Stores};
use izanagi_shared::id::{SessionId, UserId};
use izanagi_storage::{RedisConfig, RedisPlace, StorageConfig, open};
use rstest::rstest;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// No call may take longer, whatever Redis does.
const NO_CALL_LONGER: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(30);

/// A fault, and its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Dead,
    Paused,
    Asleep,
    Full,
    WrongTypes,
}

impl Fault {
    fn begin(self, server: &mut RedisServer, sessions: &[SessionId]) {
        match self {
            Self::Dead => server.kill(),
            Self::Paused => assert!(server.command("CLIENT PAUSE 3000 ALL").starts_with("+OK")),
            Self::Asleep => drop(server.send("DEBUG SLEEP 3")),
            Self::Full => {
                assert!(
                    server.command("CONFIG SET maxmemory-policy noeviction").starts_with("+OK")
                );
                assert!(server.command("CONFIG SET maxmemory 1").starts_with("+OK"));
            }
            Self::WrongTypes => {
                for session in sessions {
                    let key = format!("izanagi:session:{session}");
                    assert!(server.command(&format!("DEL {key}")).starts_with(':'));
                    assert!(server.command(&format!("LPUSH {key} x")).starts_with(":1"));
                }
            }
        }
    }

    fn end(self, server: &mut RedisServer) {
        match self {
            Self::Dead => server.restart(),
            Self::Full => assert!(server.command("CONFIG SET maxmemory 0").starts_with("+OK")),
            // They end by themselves.
            Self::Paused | Self::Asleep | Self::WrongTypes => {}
        }
    }
}

/// Runs a call that must not wait for Redis.
async fn quickly<T>(call: impl Future<Output = T>) -> T {
    let started = Instant::now();
    let answer = timeout(PATIENCE, call).await.expect("the call hangs");
    assert!(started.elapsed() < NO_CALL_LONGER, "{:?}", started.elapsed());
    answer
}

async fn is_revoked(stores: &Stores, session: SessionId) -> bool {
    quickly(stores.revocations.is_revoked(session)).await.unwrap()
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn revocations_stay_right_through(
    #[values(Fault::Dead, Fault::Paused, Fault::Asleep, Fault::Full, Fault::WrongTypes)]
    fault: Fault,
) {
    let Some(mut server) = RedisServer::start() else { return };
    let store = TestStore::on_redis(server.place()).await;
    let [before, during, alive] = [(); 3].map(|()| SessionId(fresh_uuid()));
    store.revocations.revoke(before, at(1_000)).await.unwrap();
    for session in [during, alive] {
        assert!(!is_revoked(&store, session).await);
    }
    fault.begin(&mut server, &[before, during, alive]);
    quickly(store.revocations.revoke(during, at(1_000))).await.unwrap();
    for _ in 0..20 {
        assert!(is_revoked(&store, before).await);
        assert!(is_revoked(&store, during).await, "{fault:?} must not open what was closed");
        assert!(!is_revoked(&store, alive).await);
    }
    fault.end(&mut server);
    for _ in 0..20 {
        assert!(is_revoked(&store, before).await && is_revoked(&store, during).await);
        assert!(!is_revoked(&store, alive).await);
    }
    // It is used again.
    let last = SessionId(fresh_uuid());
    let started = Instant::now();
    loop {
        store.revocations.revoke(last, at(1_000)).await.unwrap();
        let told =
            timeout(PATIENCE, async { server.command(&format!("GET izanagi:session:{last}")) });
        if told.await.unwrap().contains("revoked:1000") {
            break;
        }
        assert!(started.elapsed() < PATIENCE, "{fault:?} never ends");
        tokio::task::yield_now().await;
    }
    store.close().await;
}

/// While Redis cannot count, each node does.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_and_cache_go_on_through(
    #[values(Fault::Dead, Fault::Paused, Fault::Asleep, Fault::Full)] fault: Fault,
) {
    let Some(mut server) = RedisServer::start() else { return };
    let store = TestStore::on_redis(server.place()).await;
    let (user, value) = (UserId(fresh_uuid()), Bytes::from_static(b"value"));
    let limits = limits(&store, PATIENCE * 100, 50);
    for _ in 0..10 {
        assert_eq!(quickly(wait_of(&limits, user)).await, None);
    }
    store.cache.put("key", value.clone(), PATIENCE).await;
    fault.begin(&mut server, &[]);
    let mut admitted = 10;
    for number in 0..100 {
        admitted += u32::from(quickly(wait_of(&limits, user)).await.is_none());
        quickly(store.cache.put("key", value.clone(), PATIENCE)).await;
        assert!(quickly(store.cache.get("key")).await.is_none_or(|found| found == value));
        quickly(store.cache.remove(&number.to_string())).await;
    }
    assert_eq!(admitted, 50, "the limit holds");
    fault.end(&mut server);
    let begun = Instant::now();
    while store.cache.get("key").await.as_ref() != Some(&value) {
        assert!(begun.elapsed() < PATIENCE, "{fault:?} never ends");
        store.cache.put("key", value.clone(), PATIENCE).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counters_and_cache_survive_values_of_others() {
    let Some(server) = RedisServer::start() else { return };
    let store = TestStore::on_redis(server.place()).await;
    let user = UserId(fresh_uuid());
    let counter = format!("izanagi:ratelimit:{user}:writes");
    for value in ["LPUSH {} x", "SET {} hello", "SET {} 9e99", "SET {} -1"] {
        server.command(&format!("DEL {counter}"));
        server.command(&value.replace("{}", &counter));
        let limits = limits(&store, Duration::from_secs(60), 3);
        assert!(wait_of(&limits, user).await.is_none_or(|wait| wait <= Duration::from_secs(60)));
    }
    server.command("LPUSH izanagi:key x");
    assert_eq!(store.cache.get("key").await, None);
    store.cache.put("key", Bytes::from_static(b"x"), PATIENCE).await;
    assert_eq!(store.cache.get("key").await, Some(Bytes::from_static(b"x")));
}

/// Every key goes by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_key_has_a_time_to_live() {
    let Some(server) = RedisServer::start() else { return };
    let store = TestStore::on_redis(server.place()).await;
    let session = SessionId(fresh_uuid());
    assert!(!is_revoked(&store, session).await);
    store.revocations.revoke(SessionId(fresh_uuid()), at(1_000)).await.unwrap();
    store.cache.put("key", Bytes::from_static(b"x"), PATIENCE).await;
    let limits = limits(&store, Duration::from_secs(60), 3);
    assert_eq!(wait_of(&limits, UserId(fresh_uuid())).await, None);
    let keyspace = server.command("INFO keyspace");
    assert!(keyspace.contains("keys=4,expires=4"), "{keyspace}");
    let alive = server.command(&format!("PTTL izanagi:session:{session}"));
    assert!(alive.trim_matches([':', '\r', '\n']).parse::<i64>().unwrap() <= 2_000, "{alive}");
    let clients = server.command("INFO clients");
    let connected = clients.lines().find_map(|line| line.strip_prefix("connected_clients:"));
    // The one that asks is among them.
    assert!(connected.unwrap().parse::<u32>().unwrap() <= 3, "{clients}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bus_recovers_from(
    #[values(Fault::Dead, Fault::Paused, Fault::Asleep, Fault::Full)] fault: Fault,
) {
    let Some(mut server) = RedisServer::start() else { return };
    let (here, there) =
        (TestStore::on_redis(server.place()).await, TestStore::on_redis(server.place()).await);
    until_connected(&*here.bus, &*there.bus).await;
    let mut own = here.bus.subscribe(BusTopic::Rights);
    fault.begin(&mut server, &[]);
    // Events of the own node do not need Redis, and nothing grows without a bound.
    for _ in 0..10_000 {
        let event = BusEvent::SessionEnded(SessionId(fresh_uuid()));
        here.bus.publish(event.clone());
        assert_eq!(own.try_recv(), Ok(event));
    }
    if fault == Fault::Dead {
        let mut events = there.bus.subscribe(BusTopic::Live);
        fault.end(&mut server);
        // After the gap, everyone is told.
        let told = timeout(PATIENCE, events.recv()).await.unwrap();
        assert_eq!(told, Ok(BusEvent::Lagged));
    } else {
        fault.end(&mut server);
    }
    until_connected(&*here.bus, &*there.bus).await;
    until_connected(&*there.bus, &*here.bus).await;
}

/// Who leaves with a node is told before it ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_queued_is_sent_before_the_bus_closes() {
    let Some(server) = RedisServer::start() else { return };
    let (here, there) =
        (TestStore::on_redis(server.place()).await, TestStore::on_redis(server.place()).await);
    until_connected(&*here.bus, &*there.bus).await;
    let mut events = there.bus.subscribe(BusTopic::Live);
    let document = izanagi_shared::id::DocumentId(fresh_uuid());
    for seq in 0..500 {
        here.bus.publish(BusEvent::DocumentEdited { document, seq });
    }
    quickly(here.close()).await;
    here.bus.publish(BusEvent::DocumentEdited { document, seq: 500 });
    for seq in 0..500 {
        assert_eq!(next(&mut events).await, BusEvent::DocumentEdited { document, seq });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn foreign_messages_are_ignored() {
    let Some(server) = RedisServer::start() else { return };
    let (here, there) =
        (TestStore::on_redis(server.place()).await, TestStore::on_redis(server.place()).await);
    until_connected(&*here.bus, &*there.bus).await;
    let mut events = there.bus.subscribe(BusTopic::Live);
    for _ in 0..1_000 {
        server.command("PUBLISH izanagi:bus hello");
    }
    let event =
        BusEvent::DocumentEdited { document: izanagi_shared::id::DocumentId(fresh_uuid()), seq: 1 };
    here.bus.publish(event.clone());
    assert_eq!(next(&mut events).await, event);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_prefix_is_another_bus_and_another_store() {
    let Some(server) = RedisServer::start() else { return };
    let here = TestStore::on_redis(server.place()).await;
    let other = RedisPlace { prefix: "other".to_owned(), ..server.place() };
    let there = TestStore::on_redis(other).await;
    let also_here = TestStore::on_redis(server.place()).await;
    until_connected(&*here.bus, &*also_here.bus).await;
    until_connected(&*there.bus, &*there.bus).await;
    let mut events = there.bus.subscribe(BusTopic::Rights);
    until_connected(&*here.bus, &*also_here.bus).await;
    while let Ok(event) = events.try_recv() {
        assert_eq!(event, BusEvent::Lagged);
    }
    let session = SessionId(fresh_uuid());
    here.revocations.revoke(session, at(1_000)).await.unwrap();
    assert!(is_revoked(&also_here, session).await, "its own database does not know it");
    assert!(!is_revoked(&there, session).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_with_a_dead_server_succeeds_and_connects_later() {
    let Some(mut server) = RedisServer::start() else { return };
    server.kill();
    let started = Instant::now();
    let (here, there) =
        (TestStore::on_redis(server.place()).await, TestStore::on_redis(server.place()).await);
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert!(!is_revoked(&here, SessionId(fresh_uuid())).await);
    server.restart();
    until_connected(&*here.bus, &*there.bus).await;
}

#[rstest]
#[case("redis://me:secret@127.0.0.1:port")]
#[case("rediss://me:secret@")]
#[case("mongodb://me:secret@127.0.0.1")]
#[tokio::test]
async fn a_malformed_place_refuses_the_start(#[case] url: &str) {
    let redis = RedisConfig { bus: Some(RedisPlace::new(url)), ..RedisConfig::default() };
    let config = StorageConfig { redis, ..StorageConfig::new("memory://") };
    let said = open(&config).await.unwrap_err().to_string();
    assert!(said.contains("bus") && !said.contains("secret"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_tls_is_unreachable_by_tls() {
    let Some(server) = RedisServer::start() else { return };
    let url = server.place().url.expose().replace("redis://", "rediss://");
    let store = TestStore::on_redis(RedisPlace::new(url)).await;
    assert!(!is_revoked(&store, SessionId(fresh_uuid())).await);
}

/// The usual case of a server of one's own: no public authority has signed its certificate.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_trusted_whose_authority_is_named() {
    let Some(server) = RedisServer::start_with_tls() else { return };
    let value = Bytes::from_static(b"value");
    let trusting = TestStore::on_redis(server.place_by_tls()).await;
    trusting.cache.put("key", value.clone(), PATIENCE).await;
    assert_eq!(trusting.cache.get("key").await, Some(value.clone()));
    until_connected(&*trusting.bus, &*trusting.bus).await;
    let url = server.place().url.expose().replace("redis://", "rediss://");
    let distrusting = TestStore::on_redis(RedisPlace::new(url)).await;
    distrusting.cache.put("key", value, PATIENCE).await;
    assert_eq!(distrusting.cache.get("key").await, None);
}
