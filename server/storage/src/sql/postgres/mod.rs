//! PostgreSQL: a pool, and a transaction for each write. Driver types stay in this folder.

mod checks;
mod connection;
mod doctor;
mod errors;
mod gated;
mod moving;
mod options;
mod pool;
mod presence;
mod render;
mod replicas;
mod schema;
mod session;
mod settled;
mod transaction;
mod writes;

use super::{database::Database, numbers::Numbers, row::Row, statement::Statement};
use crate::{config::RelationalOptions, error::OpenError};
use futures::future::BoxFuture;
use izanagi_domain::storage::{Freshness, StoreError, StoreResult};
use pool::Pool;
use replicas::Replicas;
use session::Session;
use settled::Settled;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
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
    /// Whether a command that needs the database alone is no longer alone.
    lost: Arc<AtomicBool>,
}

/// What the tasks use.
struct Shared {
    primary: Pool,
    replicas: Replicas,
    settled: Settled,
    /// The server past a pooler.
    direct: PostgresPlace,
}

/// How long closing waits for what was begun. What is still without an answer then has an unknown
/// outcome, and nobody who asks.
const CLOSE: Duration = Duration::from_secs(10);

impl PgDb {
    /// Opens the database, migrates its schema and, for a command that needs it, takes a lock.
    pub(crate) async fn open(
        place: &PostgresPlace,
        options: &RelationalOptions,
        user: Option<&'static str>,
    ) -> Result<(Arc<Self>, Option<Presence>), OpenError> {
        // What belongs to a connection does not work through a pooler in transaction mode.
        let direct = options.direct.as_ref();
        let direct = direct.map(|url| PostgresPlace::parse(url.expose())).transpose()?;
        let direct = direct.unwrap_or_else(|| place.clone());
        let timeout = options.statement_timeout;
        let session = Session::new(direct.prepared(), timeout).unhurried();
        let mut connection = connection::connect(&direct, "start", session).await?;
        checks::server(&mut connection, session, options.accept_data_loss).await?;
        let lost = Arc::default();
        if schema::needs_database_alone(&mut connection, session).await? {
            // Programs that run know the former schema. They take the lock before they look at it.
            let _alone = presence::take(&direct, session, "migrate", &Arc::default()).await?;
            schema::migrate(&mut connection, session).await?;
        }
        let presence = match user {
            Some(user) => Some(presence::take(&direct, session, user, &lost).await?),
            None => None,
        };
        schema::migrate(&mut connection, session).await?;
        schema::raise_numbers(&mut connection, session).await?;
        connection::close(connection).await;
        Ok((Self::over(place, options, direct, lost)?, presence))
    }

    /// Opens the database without looking at its schema or at what the server promises.
    pub(crate) async fn open_as_it_is(place: &PostgresPlace) -> Result<Arc<Self>, OpenError> {
        let options = RelationalOptions { pool: 1, ..RelationalOptions::default() };
        let session = Session::new(place.prepared(), options.statement_timeout);
        // Says clearly what is wrong with the server, if something is.
        connection::close(connection::connect(place, "start", session).await?).await;
        Self::over(place, &options, place.clone(), Arc::default())
    }

    /// Takes the lock of a database without opening it, for `user`: `serve` together with others,
    /// everything else alone.
    pub(crate) async fn lock(
        place: &PostgresPlace,
        user: &'static str,
    ) -> Result<Presence, OpenError> {
        let session = Session::new(place.prepared(), RelationalOptions::STATEMENT_TIMEOUT);
        presence::take(place, session.unhurried(), user, &Arc::default()).await
    }

    /// Returns the number of processes that hold the lock of the database.
    pub(crate) async fn users(&self) -> StoreResult<u64> {
        let query = Statement::new(presence::COUNT);
        self.fetch_one(Freshness::Fresh, query).await?.get("holders")
    }

    fn over(
        place: &PostgresPlace,
        options: &RelationalOptions,
        direct: PostgresPlace,
        lost: Arc<AtomicBool>,
    ) -> Result<Arc<Self>, OpenError> {
        let replicas = options.replicas.iter().map(|url| PostgresPlace::parse(url.expose()));
        let replicas: Vec<_> = replicas.collect::<Result<_, _>>()?;
        let session = Session::new(place.prepared(), options.statement_timeout);
        let shared = Shared {
            primary: Pool::new(place, options.pool, session)?,
            replicas: Replicas::new(&replicas, options.pool)?,
            settled: Settled::default(),
            direct,
        };
        let tasks = TaskTracker::new();
        Ok(Arc::new(Self { shared: Arc::new(shared), tasks, lost }))
    }

    /// Whether the database has a schema of this program.
    pub(crate) async fn exists(
        place: &PostgresPlace,
        options: &RelationalOptions,
    ) -> Result<bool, OpenError> {
        let session = Session::new(place.prepared(), options.statement_timeout);
        let mut connection = connection::connect(place, "start", session).await?;
        let exists = schema::exists(&mut connection, session).await?;
        connection::close(connection).await;
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
        if self.lost.load(Ordering::Acquire) {
            let why = "the lock of the database was lost, and another process may use it";
            return Err(StoreError::Unavailable(why.to_owned()));
        }
        self.tasks.spawn(work).await.unwrap_or_else(|error| {
            let why = format!("a task of the database ended early: {error}");
            Err(match is_sent.load(Ordering::Acquire) {
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
                && let Some(rows) = shared.replicas.fetch(&shared.primary, &query).await
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
            let place = &shared.direct;
            // The checks read whole tables.
            let session = Session::new(place.prepared(), Duration::ZERO).unhurried();
            let connection = connection::connect(place, "fsck", session).await;
            let mut connection =
                connection.map_err(|error| StoreError::Unavailable(error.to_string()))?;
            let found = checks::integrity(&mut connection, session).await;
            connection::close(connection).await;
            found.map_err(|error| errors::meaning(&error))?
        })
        .await
    }

    async fn close(&self) {
        self.tasks.close();
        if tokio::time::timeout(CLOSE, self.tasks.wait()).await.is_err() {
            tracing::warn!("PostgreSQL has not answered everything that was begun");
        }
        self.shared.replicas.close().await;
        self.shared.primary.close().await;
    }
}

#[cfg(test)]
mod tests;
