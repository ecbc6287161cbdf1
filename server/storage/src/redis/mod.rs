//! Redis: copies, hints and counters, never the truth. With Redis dead everything goes on, slower.

mod backoff;
mod bus;
mod cache;
mod config;
mod connection;
mod counters;
mod doctor;
mod envelope;
mod revocations;

pub use config::{RedisConfig, RedisPlace};
pub(crate) use doctor::examine;

use crate::{error::OpenError, registry::Backend, url::StoreUrl};
use async_trait::async_trait;
use bus::RedisBus;
use cache::RedisCache;
use connection::Connection;
use counters::RedisCounters;
use izanagi_domain::storage::{Clock, Ids, StoreResult, Stores};
use revocations::RedisRevocations;
use std::{
    collections::HashMap,
    sync::{Arc, atomic::AtomicI64},
};

/// What is open in Redis.
pub(crate) struct RedisBackend {
    connections: Vec<Arc<Connection>>,
    bus: Option<Arc<RedisBus>>,
}

/// Puts the configured stores in place of those in `stores`; describes them in `description`. A server
/// that cannot be reached is no error: the stores go on without it, and it is connected later.
///
/// # Errors
/// A URL or prefix is invalid.
pub(crate) async fn open(
    config: &RedisConfig,
    (clock, ids): (&Arc<dyn Clock>, &Arc<dyn Ids>),
    stores: &mut Stores,
    description: &mut String,
) -> Result<Option<RedisBackend>, OpenError> {
    let RedisConfig { revocations, bus, limits, cache } = config;
    let mut opener = Opener { ids, connections: HashMap::new(), description };
    // All settings are checked before anything is connected.
    let all = [("revocations", revocations), ("bus", bus), ("limits", limits), ("cache", cache)];
    for (setting, place) in all {
        place.as_ref().map(|place| place.client(setting)).transpose()?;
    }
    if let Some(place) = revocations {
        stores.revocations = Arc::new(RedisRevocations {
            redis: opener.connect("revocations", place).await?,
            place: place.clone(),
            truth: Arc::clone(&stores.revocations),
            clock: Arc::clone(clock),
            forgotten: AtomicI64::new(i64::MIN),
        });
    }
    let mut opened_bus = None;
    if let Some(place) = bus {
        let connection = opener.connect("bus", place).await?;
        let bus = RedisBus::start(connection, place.client("bus")?, place, ids);
        stores.bus = Arc::clone(&bus) as _;
        opened_bus = Some(bus);
    }
    if let Some(place) = limits {
        let redis = opener.connect("limits", place).await?;
        stores.counters = Some(Arc::new(RedisCounters { redis, place: place.clone() }));
    }
    if let Some(place) = cache {
        let redis = opener.connect("cache", place).await?;
        stores.cache = Arc::new(RedisCache { redis, place: place.clone() });
    }
    let connections: Vec<_> = opener.connections.into_values().collect();
    Ok((!connections.is_empty()).then_some(RedisBackend { connections, bus: opened_bus }))
}

/// Opens each server once, however many stores it has.
struct Opener<'a> {
    ids: &'a Arc<dyn Ids>,
    connections: HashMap<StoreUrl, Arc<Connection>>,
    description: &'a mut String,
}

impl Opener<'_> {
    async fn connect(
        &mut self,
        setting: &'static str,
        place: &RedisPlace,
    ) -> Result<Arc<Connection>, OpenError> {
        let client = place.client(setting)?;
        let address = RedisPlace::address(&client);
        let connection = match self.connections.get(&place.url) {
            Some(connection) => Arc::clone(connection),
            None => {
                let connection = Connection::start(client, Arc::clone(self.ids)).await;
                self.connections.insert(place.url.clone(), Arc::clone(&connection));
                connection
            }
        };
        let state = if connection.is_up() { "" } else { ", which does not answer" };
        if !connection.is_up() {
            tracing::warn!(setting, %address, "Redis does not answer; starting without it, slower, until it does");
        }
        let prefix = &place.prefix;
        self.description.push_str(&format!("; {setting}: Redis {address} ({prefix}){state}"));
        Ok(connection)
    }
}

#[async_trait]
impl Backend for RedisBackend {
    async fn close(&self) {
        if let Some(bus) = &self.bus {
            bus.close().await;
        }
        self.connections.iter().for_each(|connection| connection.close());
    }

    /// There are no rows.
    async fn tamper(&self, _: &'static str) -> StoreResult<u64> {
        Ok(0)
    }
}
