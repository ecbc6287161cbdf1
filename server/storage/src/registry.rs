//! Opens the configured stores.

use crate::{
    config::{Place, StorageConfig},
    error::OpenError,
    lock, redis,
    routing::{self, Places, ShadowMarks},
    sql::{self, Database, PgDb, Presence, SqliteDb, Statement},
};
use async_trait::async_trait;
use izanagi_domain::storage::{StoreResult, Stores};
use parking_lot::Mutex;
use std::{fs::File, path::Path, sync::Arc};

/// Open stores.
pub struct Opened {
    /// The stores.
    pub stores: Stores,
    /// Their location, for the log; without secrets.
    pub description: String,
    /// What to close, in this order.
    backends: Vec<Arc<dyn Backend>>,
    /// The lock of the database. Dropped when the backends are closed, or with them.
    lock: Mutex<Option<Lock>>,
}

/// A lock that lasts as long as it exists.
pub(crate) enum Lock {
    /// Of a database file.
    File { _file: File },
    /// Of a database on a server.
    Server { _presence: Presence },
}

/// A connection to a server or a file that several stores may share.
#[async_trait]
pub(crate) trait Backend: Send + Sync {
    /// Completes pending writes and closes all connections.
    async fn close(&self);

    /// Runs a statement directly, to damage rows in tests; returns the number of changed rows.
    async fn tamper(&self, sql: &'static str) -> StoreResult<u64>;
}

#[async_trait]
impl<D: Database> Backend for D {
    async fn close(&self) {
        Database::close(self).await;
    }

    async fn tamper(&self, sql: &'static str) -> StoreResult<u64> {
        self.execute(Statement::new(sql)).await
    }
}

#[async_trait]
impl Backend for Places {
    async fn close(&self) {
        Self::close(self).await;
    }

    async fn tamper(&self, sql: &'static str) -> StoreResult<u64> {
        Self::tamper(self, sql).await
    }
}

impl Opened {
    /// Runs a statement directly on the database, to damage its rows in tests.
    ///
    /// # Errors
    /// As the database.
    pub async fn tamper(&self, sql: &'static str) -> StoreResult<u64> {
        let mut changed = 0;
        for backend in &self.backends {
            changed += backend.tamper(sql).await?;
        }
        Ok(changed)
    }

    /// Completes pending writes and closes all connections. Later calls return `Unavailable`.
    pub async fn close(&self) {
        for backend in &self.backends {
            backend.close().await;
        }
        drop(self.lock.lock().take());
    }
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("description", &self.description).finish_non_exhaustive()
    }
}

/// Opens the stores, creates what is missing and migrates the schema.
///
/// # Errors
/// The URL is unsupported, the storage is unavailable, or its schema is newer than this program.
pub async fn open(config: &StorageConfig) -> Result<Opened, OpenError> {
    let place = Place::parse(&config.url)?;
    let mut lock = None;
    let (stores, marks, backend): (_, _, Arc<dyn Backend>) = match &place {
        Place::Postgres(server) => {
            let (database, presence) =
                PgDb::open(server, &config.relational, config.exclusive).await?;
            lock = presence.map(|presence| Lock::Server { _presence: presence });
            let (stores, marks) = over(&database, config);
            (stores, marks, database)
        }
        Place::File(path) => {
            make_folder_of(path)?;
            if let Some(command) = config.exclusive {
                lock = Some(Lock::File { _file: lock::take(path, command).await? });
            }
            let database = SqliteDb::open(Some(path)).await?;
            let (stores, marks) = over(&database, config);
            (stores, marks, database)
        }
        Place::Memory => {
            let database = SqliteDb::open(None).await?;
            let (stores, marks) = over(&database, config);
            (stores, marks, database)
        }
    };
    let mut opened = Opened {
        stores,
        description: format!("users: {place}"),
        backends: vec![backend],
        lock: Mutex::new(lock),
    };
    if let Err(error) = open_others(config, place, marks, &mut opened).await {
        opened.close().await;
        return Err(error);
    }
    Ok(opened)
}

/// Creates the stores over the relational database, and the marks of records.
fn over<D: Database>(database: &Arc<D>, config: &StorageConfig) -> (Stores, Arc<dyn ShadowMarks>) {
    let stores = sql::stores(database, &config.clock, &config.ids, config.retention);
    (stores, sql::shadow_marks(database, &config.ids))
}

/// Opens the stores that may have a backend of their own. They close before the relational database.
async fn open_others(
    config: &StorageConfig,
    users: Place,
    marks: Arc<dyn ShadowMarks>,
    opened: &mut Opened,
) -> Result<(), OpenError> {
    let documents = routing::open(config, users, marks, &mut opened.stores).await?;
    opened.description += &format!("; documents: {}", documents.description);
    opened.backends.insert(0, documents.places);
    let outside = (&config.clock, &config.ids);
    let (stores, description) = (&mut opened.stores, &mut opened.description);
    let redis = redis::open(&config.redis, outside, stores, description).await?;
    for (store, place) in [
        ("revocations", &config.redis.revocations),
        ("bus", &config.redis.bus),
        ("limits", &config.redis.limits),
        ("cache", &config.redis.cache),
    ] {
        if place.is_none() {
            let here = if store == "revocations" { "users" } else { "process" };
            opened.description += &format!("; {store}: {here}");
        }
    }
    if let Some(redis) = redis {
        opened.backends.insert(0, Arc::new(redis));
    }
    Ok(())
}

/// Like [`open`], but never creates a database; for administration commands.
///
/// # Errors
/// Those of [`open`], or the database does not exist.
pub async fn open_existing(config: &StorageConfig) -> Result<Opened, OpenError> {
    match Place::parse(&config.url)? {
        Place::File(path) if !path.exists() => Err(OpenError::Missing { path }),
        Place::Postgres(place) if !PgDb::exists(&place, &config.relational).await? => {
            Err(OpenError::Missing { path: place.to_string().into() })
        }
        Place::File(_) | Place::Memory | Place::Postgres(_) => open(config).await,
    }
}

/// Migrates the schema and closes the storage.
///
/// # Errors
/// As [`open`].
pub async fn migrate(config: &StorageConfig) -> Result<(), OpenError> {
    open(config).await?.close().await;
    Ok(())
}

pub(crate) fn make_folder_of(file: &Path) -> Result<(), OpenError> {
    let Some(folder) = file.parent() else {
        return Ok(());
    };
    std::fs::create_dir_all(folder)
        .map_err(|cause| OpenError::Folder { path: folder.to_owned(), cause })
}
