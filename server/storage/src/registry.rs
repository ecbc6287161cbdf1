//! Opens the configured stores.

use crate::{
    config::{Place, StorageConfig},
    error::OpenError,
    redis,
    relocation::{self, Locks, OpenDatabase, RelationalMover},
    routing::{self, Places, ShadowMarks},
    sql::{self, Database, PgDb, Statement, moving::Switch},
};
use async_trait::async_trait;
use izanagi_domain::storage::{StoreResult, Stores};
use std::sync::Arc;

/// Open stores.
pub struct Opened {
    /// The stores.
    pub stores: Stores,
    /// Their location, for the log; without secrets.
    pub description: String,
    /// What to close, in this order.
    backends: Vec<Arc<dyn Backend>>,
    /// The locks of databases. Dropped when the backends are closed, or with them.
    locks: Locks,
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
    let OpenDatabase { backing, lock, description, place } = relocation::open(config).await?;
    let locks = Locks::default();
    locks.lock().extend(lock.map(|lock| (place.clone(), lock)));
    let database = Switch::new(backing);
    let (mut stores, marks) = over(&database, config);
    // What is in memory has nowhere to go.
    if place != Place::Memory {
        let (switch, moves) = (Arc::clone(&database), Arc::clone(&stores.relational.moves));
        let mover = RelationalMover::new(config, switch, moves, Arc::clone(&locks));
        stores.movers.push(Arc::new(mover));
    }
    let description = format!("users: {description}");
    let mut opened = Opened { stores, description, backends: vec![database], locks };
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
