//! Pools of connections.

use super::{
    PostgresPlace,
    connection::{Done, Prepared, command, run},
    errors::{self, Consequence},
};
use crate::{
    error::OpenError,
    sql::{row::Row, statement::Statement},
};
use sqlx::{
    Connection as _, PgConnection, Postgres,
    pool::{PoolConnection, PoolOptions},
};
use std::time::Duration;

/// How long a caller waits for a connection.
const WAIT: Duration = Duration::from_secs(5);
/// After this time a connection is replaced, so that changed settings and addresses take effect.
const LIFETIME: Duration = Duration::from_secs(60 * 60);
/// After this time without use a connection is closed.
const IDLE: Duration = Duration::from_secs(60);
/// A connection that was used more recently is not tested.
const FRESH: Duration = Duration::from_millis(500);

/// A pool to one server.
pub(super) struct Pool {
    pool: sqlx::Pool<Postgres>,
    pub(super) prepared: Prepared,
}

impl Pool {
    /// Creates a pool of `size` connections, and half as many more in a rush.
    pub(super) fn new(place: &PostgresPlace, size: u32) -> Result<Self, OpenError> {
        let size = size.max(1);
        let pool = PoolOptions::new()
            .max_connections(size.saturating_add(size / 2))
            .acquire_timeout(WAIT)
            .max_lifetime(LIFETIME)
            .idle_timeout(IDLE)
            .test_before_acquire(false)
            .before_acquire(|connection: &mut PgConnection, about| {
                Box::pin(async move {
                    if about.idle_for > FRESH {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect_lazy_with(place.options("pool")?);
        Ok(Self { pool, prepared: place.prepared() })
    }

    /// Waits for a connection.
    pub(super) async fn acquire(&self) -> sqlx::Result<PoolConnection<Postgres>> {
        self.pool.acquire().await
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
        let result = match self.prepared {
            Prepared::Kept => run(&mut connection, Prepared::Kept, query).await,
            Prepared::Once => in_transaction(&mut connection, query).await,
        };
        if result.as_ref().is_err_and(|error| errors::consequence(error) != Consequence::Refused) {
            connection.close_on_drop();
        }
        result.map(|done| done.rows)
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }
}

fn is_timeout<T>(result: &sqlx::Result<T>) -> bool {
    matches!(result, Err(sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed))
}

/// The driver prepares a statement in one exchange and runs it in another. Only within a transaction does
/// a pooler send both to the same connection of the server.
async fn in_transaction(connection: &mut PgConnection, query: Statement) -> sqlx::Result<Done> {
    command(connection, "BEGIN READ ONLY; SET LOCAL statement_timeout = '30s'").await?;
    let result = run(connection, Prepared::Once, query).await;
    command(connection, if result.is_ok() { "COMMIT" } else { "ROLLBACK" }).await?;
    result
}
