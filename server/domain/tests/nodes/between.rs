//! Two nodes over one database, and what is between them.

#![allow(clippy::significant_drop_tightening, reason = "the lock is held for a short method")]

use super::support::{Plan, World};
use izanagi_domain::{
    accounts::Network,
    documents::LiveConnection,
    storage::{Bus, BusEvent, BusTopic, LocalBus, Stores},
};
use izanagi_shared::id::{DocumentId, UserId};
use izanagi_storage::{Opened, RedisConfig, RedisPlace, StorageConfig};
use parking_lot::Mutex;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::broadcast;
use uuid::Uuid;

/// What is between the nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Between {
    OneBus,
    NoBus,
    BadBus,
    /// The bus of each node goes through a Redis server.
    Redis,
}

/// A bus that loses every third event, delivers every second one twice, and every fifth one late.
#[derive(Default)]
struct BadBus {
    inner: LocalBus,
    state: Mutex<(u64, Vec<BusEvent>)>,
}

impl Bus for BadBus {
    fn publish(&self, event: BusEvent) {
        let mut state = self.state.lock();
        let (count, late) = &mut *state;
        *count += 1;
        if count.is_multiple_of(3) {
            return;
        }
        if count.is_multiple_of(5) {
            late.push(event);
            return;
        }
        if count.is_multiple_of(2) {
            self.inner.publish(event.clone());
        }
        self.inner.publish(event);
        if late.len() > 2 {
            late.drain(..).rev().for_each(|event| self.inner.publish(event));
        }
    }

    fn subscribe(&self, topic: BusTopic) -> broadcast::Receiver<BusEvent> {
        self.inner.subscribe(topic)
    }
}

/// The bus of a node over Redis; `None` without a server.
async fn redis_bus(prefix: &str) -> Option<Opened> {
    let Ok(url) = std::env::var("TEST_REDIS_URL") else {
        let required = std::env::var("REQUIRE_SERVICES").is_ok_and(|value| value == "1");
        assert!(!required, "TEST_REDIS_URL is not set, and REQUIRE_SERVICES=1 requires it");
        eprintln!("skipped: TEST_REDIS_URL is not set; “scripts/services run -- …” sets it");
        return None;
    };
    let place = RedisPlace { url: url.into(), prefix: prefix.to_owned() };
    let redis = RedisConfig { bus: Some(place), ..RedisConfig::default() };
    let config = StorageConfig { redis, ..StorageConfig::new("memory://") };
    Some(izanagi_storage::open(&config).await.unwrap())
}

/// Waits until events that are published on one bus are heard on the other.
async fn until_connected(from: &Arc<dyn Bus>, to: &Arc<dyn Bus>) {
    let mut events = to.subscribe(BusTopic::Rights);
    let begun = Instant::now();
    let probe = BusEvent::UserChanged(UserId(Uuid::now_v7()));
    while begun.elapsed() < Duration::from_secs(20) {
        from.publish(probe.clone());
        let heard = tokio::time::timeout(Duration::from_millis(50), events.recv()).await;
        if heard.is_ok_and(|event| event == Ok(probe.clone())) {
            return;
        }
    }
    panic!("the nodes do not hear each other");
}

/// Two nodes, and a document of Ada's.
pub(crate) struct Nodes {
    pub(crate) here: World,
    pub(crate) there: World,
    pub(crate) id: DocumentId,
    _redis: Option<[Opened; 2]>,
}

impl Nodes {
    pub(crate) async fn new(between: Between, text: &str) -> Self {
        Self::try_new(between, text).await.unwrap()
    }

    /// `None` if there is no Redis.
    pub(crate) async fn try_new(between: Between, text: &str) -> Option<Self> {
        let mut redis = None;
        let buses: [Arc<dyn Bus>; 2] = match between {
            Between::NoBus => [Arc::new(LocalBus::default()), Arc::new(LocalBus::default())],
            Between::OneBus => {
                let bus = Arc::new(LocalBus::default());
                [Arc::clone(&bus) as _, bus]
            }
            Between::BadBus => {
                let bus = Arc::new(BadBus::default());
                [Arc::clone(&bus) as _, bus]
            }
            Between::Redis => {
                let prefix = format!("test:{}", Uuid::now_v7());
                let opened = [redis_bus(&prefix).await?, redis_bus(&prefix).await?];
                let buses = opened.each_ref().map(|opened| Arc::clone(&opened.stores.bus));
                until_connected(&buses[0], &buses[1]).await;
                until_connected(&buses[1], &buses[0]).await;
                redis = Some(opened);
                buses
            }
        };
        let [one, other] = buses;
        let wrap = Box::new(|stores| Stores { bus: one, ..stores });
        let here = World::with(Plan { wrap, ..Plan::default() }).await;
        let there = World::beside(&here, |stores| Stores { bus: other, ..stores });
        let id = here.create(text).await;
        Some(Self { here, there, id, _redis: redis })
    }

    pub(crate) fn both(&self) -> [&World; 2] {
        [&self.here, &self.there]
    }

    pub(crate) async fn connect(&self, world: &World) -> LiveConnection {
        let ada = world.ada.into();
        world.services.documents.connect(&ada, self.id, Network::None).await.unwrap()
    }
}
