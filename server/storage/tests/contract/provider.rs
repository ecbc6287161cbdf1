//! The providers under test, each with fresh stores.

use crate::services;
use izanagi_domain::storage::{Clock, Stores, SystemIds};
use izanagi_shared::time::Timestamp;
use izanagi_storage::{Opened, RedisConfig, RedisPlace, StorageConfig, open};
use std::{
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use uuid::Uuid;

/// The kind of stores.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Provider {
    /// SQLite in a file.
    SqliteFile,
    /// SQLite in memory.
    SqliteMemory,
}

/// A clock that only advances when set.
#[derive(Debug, Default)]
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn set(&self, at: Timestamp) {
        self.0.store(at.as_micros(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }

    fn uptime(&self) -> Duration {
        Duration::from_micros(self.0.load(Ordering::SeqCst).try_into().unwrap())
    }
}

/// Open stores, with resources that must live as long as they do.
pub(crate) struct TestStore {
    opened: Opened,
    config: StorageConfig,
    pub(crate) clock: Arc<TestClock>,
    _folder: Option<TempDir>,
}

impl Provider {
    pub(crate) async fn open(self) -> TestStore {
        let folder = tempfile::tempdir().unwrap();
        let url = match self {
            Self::SqliteFile => format!("sqlite://{}/izanagi.db", folder.path().display()),
            Self::SqliteMemory => "memory://".to_owned(),
        };
        TestStore::open(&url, Some(folder)).await
    }
}

impl TestStore {
    pub(crate) async fn open(url: &str, folder: Option<TempDir>) -> Self {
        let clock = Arc::new(TestClock::default());
        let config = StorageConfig {
            clock: clock.clone(),
            ids: Arc::new(SystemIds),
            ..StorageConfig::new(url)
        };
        Self { opened: open(&config).await.unwrap(), config, clock, _folder: folder }
    }

    /// SQLite in memory, and in Redis what can be there, under a prefix of its own. `None` without a
    /// server.
    pub(crate) async fn with_redis() -> Option<Self> {
        let url = services::url("TEST_REDIS_URL")?;
        let prefix = format!("test:{}", Uuid::now_v7());
        Some(Self::on_redis(RedisPlace { url, prefix }).await)
    }

    pub(crate) async fn on_redis(place: RedisPlace) -> Self {
        let clock = Arc::new(TestClock::default());
        let config = StorageConfig {
            clock: clock.clone(),
            redis: RedisConfig::all(&place),
            ..StorageConfig::new("memory://")
        };
        Self { opened: open(&config).await.unwrap(), config, clock, _folder: None }
    }

    /// What another node has: the same bus and Redis, if they are outside the process.
    pub(crate) async fn another_node(&self) -> Option<Opened> {
        self.config.redis.bus.as_ref()?;
        Some(open(&self.config).await.unwrap())
    }

    pub(crate) async fn close(&self) {
        self.opened.close().await;
    }

    /// Returns the same stores, for another task.
    pub(crate) fn stores(&self) -> Stores {
        self.opened.stores.clone()
    }
}

impl Deref for TestStore {
    type Target = Stores;

    fn deref(&self) -> &Stores {
        &self.opened.stores
    }
}
