//! Opens the configured stores.

use crate::{
    config::{Place, RelationalOptions, StorageConfig},
    documents,
    error::OpenError,
    lock, redis,
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
    /// The locks of the databases. Dropped when the backends are closed, or with them.
    locks: Mutex<Vec<Lock>>,
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
        self.locks.lock().clear();
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
    let (database, lock) = open_sql(&place, &config.relational, config.exclusive).await?;
    let (stores, backend): (_, Arc<dyn Backend>) = match database {
        SqlDatabase::Postgres(database) => (over(&database, config), database),
        SqlDatabase::Sqlite(database) => (over(&database, config), database),
    };
    let mut opened = Opened {
        stores,
        description: format!("users: {place}"),
        backends: vec![backend],
        locks: Mutex::new(lock.into_iter().collect()),
    };
    if let Err(error) = open_others(config, &mut opened).await {
        opened.close().await;
        return Err(error);
    }
    Ok(opened)
}

/// An open SQL database.
pub(crate) enum SqlDatabase {
    Postgres(Arc<PgDb>),
    Sqlite(Arc<SqliteDb>),
}

/// Opens a SQL database, creates what is missing, and takes its lock if `exclusive` needs it.
pub(crate) async fn open_sql(
    place: &Place,
    options: &RelationalOptions,
    exclusive: Option<&'static str>,
) -> Result<(SqlDatabase, Option<Lock>), OpenError> {
    match place {
        Place::Postgres(server) => {
            let (database, presence) = PgDb::open(server, options, exclusive).await?;
            let lock = presence.map(|presence| Lock::Server { _presence: presence });
            Ok((SqlDatabase::Postgres(database), lock))
        }
        Place::File(path) => {
            make_folder_of(path)?;
            let lock = match exclusive {
                Some(command) => Some(Lock::File { _file: lock::take(path, command).await? }),
                None => None,
            };
            Ok((SqlDatabase::Sqlite(SqliteDb::open(Some(path)).await?), lock))
        }
        Place::Memory => Ok((SqlDatabase::Sqlite(SqliteDb::open(None).await?), None)),
    }
}

/// Creates the stores over the relational database.
fn over<D: Database>(database: &Arc<D>, config: &StorageConfig) -> Stores {
    sql::stores(database, &config.clock, &config.ids, config.retention)
}

/// Opens the stores that may have a backend of their own. They close before the relational database.
async fn open_others(config: &StorageConfig, opened: &mut Opened) -> Result<(), OpenError> {
    let mut description = "users".to_owned();
    if let Some(own) = &config.documents {
        let documents = documents::open(config, own).await?;
        description = documents.description;
        opened.stores.documents = documents.store;
        // Steps 2 to 4 of a commit are no longer one transaction.
        opened.stores.relational.atomic = None;
        opened.backends.insert(0, documents.backend);
        opened.locks.get_mut().extend(documents.lock);
    }
    opened.description += &format!("; documents: {description}");
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
    require(&Place::parse(&config.url)?, &config.relational).await?;
    if let Some(own) = &config.documents
        && !own.url.is_mongodb()
    {
        require(&Place::parse(&own.url)?, &config.relational.for_documents()).await?;
    }
    open(config).await
}

async fn require(place: &Place, options: &RelationalOptions) -> Result<(), OpenError> {
    match place {
        Place::File(path) if !path.exists() => Err(OpenError::Missing { path: path.clone() }),
        Place::Postgres(server) if !PgDb::exists(server, options).await? => {
            Err(OpenError::Missing { path: server.to_string().into() })
        }
        Place::File(_) | Place::Memory | Place::Postgres(_) => Ok(()),
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

fn make_folder_of(file: &Path) -> Result<(), OpenError> {
    let Some(folder) = file.parent() else {
        return Ok(());
    };
    std::fs::create_dir_all(folder)
        .map_err(|cause| OpenError::Folder { path: folder.to_owned(), cause })
}
