//! PostgreSQL: a pool, and a transaction for each write. Driver types stay in this folder.

mod checks;
mod connection;
mod errors;
mod gated;
mod moving;
mod options;
mod pool;
pub(crate) mod presence;
mod render;
mod replicas;
mod schema;
mod settled;
mod transaction;
mod writes;

use super::{database::Database, numbers::Numbers, row::Row, statement::Statement};
use crate::{config::RelationalOptions, error::OpenError};
use futures::future::BoxFuture;
use izanagi_domain::storage::{Freshness, StoreError, StoreResult};
use pool::Pool;
use replicas::Replicas;
use settled::Settled;
use sqlx::{ConnectOptions as _, Connection as _};
use std::sync::{Arc, atomic::AtomicBool};
use tokio_util::task::TaskTracker;
use transaction::PgTransaction;
use writes::Writes;

pub(crate) use moving::Moving;
pub(crate) use options::PostgresPlace;
pub(crate) use presence::Presence;

/// An open PostgreSQL database.
pub(crate) struct PgDb {
    shared: Arc<Shared>,
    /// Work that goes on although its caller may be gone.
    tasks: TaskTracker,
}

/// What the tasks use.
struct Shared {
    primary: Pool,
    replicas: Replicas,
    settled: Settled,
}

impl PgDb {
    /// Opens the database, migrates its schema and, for a command that needs it, takes a lock.
    pub(crate) async fn open(
        place: &PostgresPlace,
        options: &RelationalOptions,
        user: Option<&'static str>,
    ) -> Result<(Arc<Self>, Option<Presence>), OpenError> {
        // What belongs to a connection does not work through a pooler in transaction mode.
        let direct =
            options.direct.as_ref().map(|url| PostgresPlace::parse(url.expose())).transpose()?;
        let direct = direct.as_ref().unwrap_or(place);
        let mut connection =
            direct.options("start")?.connect().await.map_err(OpenError::database)?;
        checks::server(&mut connection, options.accept_data_loss).await?;
        let presence = match user {
            Some(user) => Some(presence::take(direct, user).await?),
            None => None,
        };
        schema::migrate(&mut connection).await?;
        schema::raise_numbers(&mut connection).await?;
        connection.close().await.map_err(OpenError::database)?;
        Ok((Self::over(place, options)?, presence))
    }

    /// Opens the database without looking at its schema or at what the server promises.
    pub(crate) fn open_as_it_is(place: &PostgresPlace) -> Result<Arc<Self>, OpenError> {
        Self::over(place, &RelationalOptions { pool: 1, ..RelationalOptions::default() })
    }

    fn over(place: &PostgresPlace, options: &RelationalOptions) -> Result<Arc<Self>, OpenError> {
        let replicas = options.replicas.iter().map(|url| PostgresPlace::parse(url.expose()));
        let replicas: Vec<_> = replicas.collect::<Result<_, _>>()?;
        let shared = Shared {
            primary: Pool::new(place, options.pool)?,
            replicas: Replicas::new(&replicas, options.pool)?,
            settled: Settled::default(),
        };
        let tasks = TaskTracker::new();
        Ok(Arc::new(Self { shared: Arc::new(shared), tasks }))
    }

    /// Whether the database has a schema of this program.
    pub(crate) async fn exists(place: &PostgresPlace) -> Result<bool, OpenError> {
        let mut connection =
            place.options("start")?.connect().await.map_err(OpenError::database)?;
        let exists = schema::exists(&mut connection).await?;
        connection.close().await.map_err(OpenError::database)?;
        Ok(exists)
    }

    /// Runs work in a task of its own, so that no caller who goes away leaves a connection in the
    /// middle of an exchange. If it panics, `is_sent` says whether it may have been committed.
    async fn complete<T: Send + 'static>(
        &self,
        is_sent: Arc<AtomicBool>,
        work: impl Future<Output = StoreResult<T>> + Send + 'static,
    ) -> StoreResult<T> {
        if self.tasks.is_closed() {
            return Err(StoreError::Unavailable("the database is closed".to_owned()));
        }
        self.tasks.spawn(work).await.unwrap_or_else(|error| {
            let why = format!("a task of the database ended early: {error}");
            Err(match is_sent.load(std::sync::atomic::Ordering::Acquire) {
                true => StoreError::Unknown(why),
                false => StoreError::Unavailable(why),
            })
        })
    }
}

impl Database for PgDb {
    type Transaction = PgTransaction;

    async fn fetch(&self, freshness: Freshness, query: Statement) -> StoreResult<Vec<Row>> {
        let shared = Arc::clone(&self.shared);
        self.complete(Arc::default(), async move {
            if freshness == Freshness::Stale
                && let Some(rows) = shared.replicas.fetch(&query).await
            {
                return Ok(rows);
            }
            shared.primary.fetch(query).await.map_err(|error| errors::meaning(&error))
        })
        .await
    }

    async fn execute(&self, statement: Statement) -> StoreResult<u64> {
        let writes = Writes::new(&self.shared);
        self.complete(writes.is_sent(), async move { writes.execute(statement).await }).await
    }

    async fn write<T, W>(&self, work: W) -> StoreResult<T>
    where
        T: Send + 'static,
        W: for<'t> Fn(&'t mut PgTransaction) -> BoxFuture<'t, StoreResult<T>>
            + Send
            + Sync
            + 'static,
    {
        let writes = Writes::new(&self.shared);
        self.complete(writes.is_sent(), async move { writes.write(work).await }).await
    }

    async fn settled(&self, numbers: Numbers) -> StoreResult<u64> {
        let shared = Arc::clone(&self.shared);
        self.complete(Arc::default(), async move {
            let settled = shared.settled.read(&shared.primary, numbers).await;
            settled.map_err(|error| errors::meaning(&error))
        })
        .await
    }

    async fn execute_gated(
        &self,
        gate: Statement,
        statements: Vec<Statement>,
    ) -> StoreResult<Option<bool>> {
        match gated::gated(&gate, &statements) {
            Some(statement) => self.execute(statement).await.map(|changed| Some(changed > 0)),
            None => Ok(None),
        }
    }

    async fn integrity(&self) -> StoreResult<Vec<String>> {
        let shared = Arc::clone(&self.shared);
        self.complete(Arc::default(), async move {
            let connection = shared.primary.acquire().await;
            let mut connection = connection.map_err(|error| errors::meaning(&error))?;
            let found = checks::integrity(&mut connection).await;
            found.map_err(|error| errors::meaning(&error))
        })
        .await
    }

    async fn close(&self) {
        self.tasks.close();
        self.tasks.wait().await;
        self.shared.replicas.close().await;
        self.shared.primary.close().await;
    }
}

#[cfg(test)]
mod tests;
