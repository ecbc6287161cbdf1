//! Pools of connections.

use super::{
    PostgresPlace,
    connection::{Done, run, run_read_only},
    errors::{self, Consequence},
    session::{Prepared, Session, limited},
};
use crate::{
    error::OpenError,
    sql::{row::Row, statement::Statement},
};
use sqlx::{
    Connection as _, PgConnection, Postgres,
    pool::{PoolConnection, PoolOptions},
};
use std::{
    io,
    ops::{Deref, DerefMut},
    time::Duration,
};

/// How long a caller waits for a connection.
const WAIT: Duration = Duration::from_secs(5);
/// After this time a connection is replaced, so that changed settings and addresses take effect.
const LIFETIME: Duration = Duration::from_secs(60 * 60);
/// After this time without use a connection is closed.
const IDLE: Duration = Duration::from_secs(60);
/// A connection that was used more recently is not tested.
const FRESH: Duration = Duration::from_millis(500);
/// How long the server has to answer a test.
const TEST: Duration = Duration::from_secs(2);
/// Connections that stay open without use, so that the next caller need not wait for one; of a pool that
/// has many more.
const KEPT: u32 = 2;
/// How long closing waits for connections that are in use.
const CLOSE: Duration = Duration::from_secs(5);

/// A pool to one server.
pub(super) struct Pool {
    pool: sqlx::Pool<Postgres>,
    pub(super) session: Session,
}

/// A connection of a pool. It returns there when it is dropped.
pub(super) struct Lease {
    connection: PoolConnection<Postgres>,
    is_useless: bool,
}

impl Lease {
    /// Closes the connection instead of returning it.
    pub(super) fn discard(&mut self) {
        self.is_useless = true;
    }
}

impl Deref for Lease {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.is_useless {
            self.connection.close_on_drop();
            return;
        }
        // The driver tests the connection, for as long as that takes.
        let returning = self.connection.return_to_pool();
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            if tokio::time::timeout(TEST, returning).await.is_err() {
                tracing::debug!("a connection to PostgreSQL that did not answer was dropped");
            }
        });
    }
}

impl Pool {
    /// Creates a pool of `size` connections, and half as many more in a rush. Those that are not needed
    /// are closed after a while, except a few.
    pub(super) fn new(
        place: &PostgresPlace,
        size: u32,
        session: Session,
    ) -> Result<Self, OpenError> {
        let size = size.max(1);
        let pool = PoolOptions::new()
            .max_connections(size.saturating_add(size / 2))
            .min_connections(if size > 3 * KEPT { KEPT } else { 0 })
            .acquire_timeout(WAIT)
            .max_lifetime(LIFETIME)
            .idle_timeout(IDLE)
            .test_before_acquire(false)
            .before_acquire(|connection: &mut PgConnection, about| {
                Box::pin(async move {
                    if about.idle_for > FRESH {
                        limited(TEST, connection.ping()).await?;
                    }
                    Ok(true)
                })
            })
            .connect_lazy_with(place.options("pool", session)?);
        Ok(Self { pool, session })
    }

    /// Waits for a connection.
    pub(super) async fn acquire(&self) -> sqlx::Result<Lease> {
        let connection = self.pool.acquire().await?;
        Ok(Lease { connection, is_useless: false })
    }

    /// Returns the rows of a query. A connection that broke is replaced once.
    pub(super) async fn fetch(&self, query: Statement) -> sqlx::Result<Vec<Row>> {
        let first = self.fetch_once(query.clone()).await;
        match first.as_ref().map_err(errors::consequence) {
            Err(Consequence::Lost | Consequence::Retry) if !is_timeout(&first) => {
                self.fetch_once(query).await
            }
            _ => first,
        }
    }

    async fn fetch_once(&self, query: Statement) -> sqlx::Result<Vec<Row>> {
        let mut connection = self.acquire().await?;
        let result = self.fetch_on(&mut connection, query).await;
        result.map(|done| done.rows)
    }

    /// Runs a query on a connection of this pool.
    pub(super) async fn fetch_on(
        &self,
        connection: &mut Lease,
        query: Statement,
    ) -> sqlx::Result<Done> {
        let result = match self.session.prepared {
            Prepared::Kept(_) => run(connection, self.session, query).await,
            Prepared::Once => run_read_only(connection, self.session, query).await,
        };
        if result.as_ref().is_err_and(|error| errors::consequence(error) != Consequence::Refused) {
            connection.discard();
        }
        result
    }

    /// Closes the connections, those in use when they are returned. The driver would wait for them
    /// without end.
    pub(super) async fn close(&self) {
        if tokio::time::timeout(CLOSE, self.pool.close()).await.is_err() {
            tracing::warn!("connections to PostgreSQL were in use when the pool was closed");
        }
    }
}

/// Whether the wait for a connection timed out, or the pool is closed: trying again would not help.
fn is_timeout<T>(result: &sqlx::Result<T>) -> bool {
    match result {
        Err(sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed) => true,
        Err(sqlx::Error::Io(error)) => error.kind() == io::ErrorKind::TimedOut,
        _ => false,
    }
}
