//! The providers under test, each with fresh stores.

use crate::{pg_server::PgDatabase, services};
use izanagi_domain::storage::{Clock, Differences, Stores, SystemIds};
use izanagi_shared::time::Timestamp;
use izanagi_storage::{
    DocumentsConfig, DocumentsRouting, Opened, Reads, RedisConfig, RedisPlace, StorageConfig, open,
};
use mongodb::{Client, Database};
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
    /// Records in MongoDB, everything else in SQLite in memory.
    Mongo,
    /// PostgreSQL, if there is a server.
    Postgres,
    /// Records in a SQLite file and, as a copy, in the SQLite database of everything else.
    Routed,
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
    pub(crate) mongo: Option<TestMongo>,
    _folder: Option<TempDir>,
    database: Option<PgDatabase>,
}

impl Provider {
    /// Opens fresh stores; `None` if their server is missing.
    pub(crate) async fn open(self) -> Option<TestStore> {
        let folder = tempfile::tempdir().unwrap();
        let url = match self {
            Self::SqliteFile => format!("sqlite://{}/izanagi.db", folder.path().display()),
            Self::SqliteMemory | Self::Mongo => "memory://".to_owned(),
            Self::Routed => return Some(TestStore::routed(folder).await),
            Self::Postgres => {
                let database = PgDatabase::migrated().await?;
                let store = TestStore::open(&database.url(), None).await;
                return Some(TestStore { database: Some(database), ..store });
            }
        };
        let mongo = match self {
            Self::Mongo => Some(TestMongo::new(&services::url("TEST_MONGODB_URL")?)),
            _ => None,
        };
        Some(TestStore::open_with(&url, Some(folder), mongo).await)
    }
}

/// A database of a MongoDB server that belongs to one test.
pub(crate) struct TestMongo {
    url: String,
    /// Further options for the store's URL.
    options: String,
    database: String,
}

impl TestMongo {
    /// Chooses a name for the database.
    pub(crate) fn new(url: &str) -> Self {
        let database = format!("izanagi_test_{}", Uuid::now_v7().simple());
        Self { url: url.to_owned(), options: String::new(), database }
    }

    /// Appends options to the URL.
    pub(crate) fn with_options(self, options: &str) -> Self {
        Self { options: format!("&{options}"), ..self }
    }

    /// The configuration of a document store in it.
    pub(crate) fn config(&self) -> DocumentsConfig {
        let database = Some(self.database.clone());
        DocumentsConfig {
            database,
            ..DocumentsConfig::new(format!("{}{}", self.url, self.options))
        }
    }

    /// Connects to the database directly.
    pub(crate) async fn connect(&self) -> Database {
        Client::with_uri_str(&self.url).await.unwrap().database(&self.database)
    }
}

impl TestStore {
    pub(crate) async fn open(url: &str, folder: Option<TempDir>) -> Self {
        Self::open_with(url, folder, None).await
    }

    /// Opens records in this database.
    pub(crate) async fn open_mongo(mongo: TestMongo) -> Self {
        Self::open_with("memory://", None, Some(mongo)).await
    }

    async fn routed(folder: TempDir) -> Self {
        let clock = Arc::new(TestClock::default());
        let at = |name: &str| format!("sqlite://{}/{name}.db", folder.path().display());
        let config = StorageConfig {
            clock: clock.clone(),
            documents: Some(DocumentsConfig::new(at("documents"))),
            routing: DocumentsRouting::DualWrite {
                own_first: true,
                reads: Reads::Both,
                mirrors: true,
            },
            ..StorageConfig::new(at("izanagi"))
        };
        let opened = open(&config).await.unwrap();
        Self { opened, config, clock, mongo: None, _folder: Some(folder), database: None }
    }

    async fn open_with(url: &str, folder: Option<TempDir>, mongo: Option<TestMongo>) -> Self {
        let clock = Arc::new(TestClock::default());
        let config = StorageConfig {
            clock: clock.clone(),
            ids: Arc::new(SystemIds),
            documents: mongo.as_ref().map(TestMongo::config),
            ..StorageConfig::new(url)
        };
        let opened = open(&config).await.unwrap();
        Self { opened, config, clock, mongo, _folder: folder, database: None }
    }

    /// SQLite in memory, and in Redis what can be there, under a prefix of its own. `None` without a
    /// server.
    pub(crate) async fn with_redis() -> Option<Self> {
        let url = services::url("TEST_REDIS_URL")?;
        let prefix = format!("test:{}", Uuid::now_v7());
        Some(Self::on_redis(RedisPlace { url: url.into(), prefix }).await)
    }

    pub(crate) async fn on_redis(place: RedisPlace) -> Self {
        let clock = Arc::new(TestClock::default());
        let config = StorageConfig {
            clock: clock.clone(),
            redis: RedisConfig::all(&place),
            ..StorageConfig::new("memory://")
        };
        let opened = open(&config).await.unwrap();
        Self { opened, config, clock, mongo: None, _folder: None, database: None }
    }

    /// What another node has: the same bus and Redis, if they are outside the process.
    pub(crate) async fn another_node(&self) -> Option<Opened> {
        self.config.redis.bus.as_ref()?;
        Some(open(&self.config).await.unwrap())
    }

    /// Opens the records again, as after a restart; `None` for a store in memory.
    pub(crate) async fn reopen(&self) -> Option<Opened> {
        if self.config.url.expose() == "memory://" && self.config.documents.is_none() {
            return None;
        }
        self.stores().documents.close().await;
        Some(open(&self.config).await.unwrap())
    }

    /// The URL of the relational database.
    pub(crate) fn url(&self) -> &str {
        self.config.url.expose()
    }

    /// Closes stores in two places that a test has made different.
    pub(crate) async fn close_differing(&self) {
        self.opened.close().await;
    }

    pub(crate) async fn close(&self) {
        if self.config.routing != DocumentsRouting::Single {
            let routing = self.opened.stores.routing.as_ref().unwrap();
            assert_eq!(routing.pending().await.unwrap_or_default(), 0);
            if let Ok(differences) = routing.compare(false).await {
                assert_eq!(differences, Some(Differences::default()));
            }
            assert_eq!(routing.counters().differences, 0);
        }
        self.opened.close().await;
        if let Some(mongo) = &self.mongo {
            mongo.connect().await.drop().await.unwrap();
        }
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
