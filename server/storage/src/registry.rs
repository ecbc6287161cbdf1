//! Opens the configured stores.

use crate::{
    config::{Place, StorageConfig},
    error::OpenError,
    lock, mongo,
    sql::{self, Database, SqliteDb, Statement},
};
use async_trait::async_trait;
use izanagi_domain::storage::{StoreResult, Stores};
use std::{fs::File, path::Path, sync::Arc};

/// Open stores.
pub struct Opened {
    /// The stores.
    pub stores: Stores,
    /// Their location, for the log; without secrets.
    pub description: String,
    /// What to close, in this order.
    backends: Vec<Arc<dyn Backend>>,
    /// The lock of the database file.
    _lock: Option<File>,
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
    if let Place::File(path) = &place {
        make_folder_of(path)?;
        if let Some(command) = config.exclusive {
            lock = Some(lock::take(path, command).await?);
        }
    }
    let database = SqliteDb::open(&place).await?;
    let mut opened = Opened {
        stores: sql::stores(&database, &config.clock, &config.ids),
        description: place.to_string(),
        backends: vec![database],
        _lock: lock,
    };
    if let Err(error) = open_others(config, &mut opened).await {
        opened.close().await;
        return Err(error);
    }
    Ok(opened)
}

/// Opens the stores that have a backend of their own. They close before the relational database.
async fn open_others(config: &StorageConfig, opened: &mut Opened) -> Result<(), OpenError> {
    if let Some(documents) = &config.documents {
        let database = mongo::open(documents, &*config.ids).await?;
        opened.description += &format!("; documents: {}", database.description());
        opened.stores.documents = database.clone();
        // Steps 2 to 4 of a commit are no longer one transaction.
        opened.stores.relational.atomic = None;
        opened.backends.insert(0, database);
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
        Place::File(_) | Place::Memory => open(config).await,
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
