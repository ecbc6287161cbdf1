//! The providers under test, each with fresh stores.

use crate::pg_server::PgDatabase;
use izanagi_domain::storage::{Clock, Stores, SystemIds};
use izanagi_shared::time::Timestamp;
use izanagi_storage::{Opened, StorageConfig, open};
use std::{
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;

/// The kind of stores.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Provider {
    /// SQLite in a file.
    SqliteFile,
    /// SQLite in memory.
    SqliteMemory,
    /// PostgreSQL, if there is a server.
    Postgres,
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
    pub(crate) clock: Arc<TestClock>,
    _folder: Option<TempDir>,
    database: Option<PgDatabase>,
}

impl Provider {
    /// Opens new stores. `None` if they need a server and there is none.
    pub(crate) async fn open(self) -> Option<TestStore> {
        let folder = tempfile::tempdir().unwrap();
        let url = match self {
            Self::SqliteFile => format!("sqlite://{}/izanagi.db", folder.path().display()),
            Self::SqliteMemory => "memory://".to_owned(),
            Self::Postgres => {
                let database = PgDatabase::migrated().await?;
                let store = TestStore::open(&database.url(), None).await;
                return Some(TestStore { database: Some(database), ..store });
            }
        };
        Some(TestStore::open(&url, Some(folder)).await)
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
        let opened = open(&config).await.unwrap();
        Self { opened, clock, _folder: folder, database: None }
    }

    pub(crate) async fn close(&self) {
        self.opened.close().await;
        if let Some(database) = &self.database {
            database.recycle().await;
        }
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
