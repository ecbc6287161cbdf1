//! Read-only connections. For a file, readers see the newest committed state while the writer
//! continues. In memory there is only one connection, so readers wait for the writer.
//!
//! A read is a single statement, so it is consistent without a transaction, and a cancelled caller
//! cannot leave a transaction open. sqlx's pool is not used because it pings every returned
//! connection, which for SQLite is a second round trip to another thread.

use super::{
    connection::{Connection, Connector, Failure, Role, Shared},
    errors,
};
use crate::sql::{row::Row, statement::Statement};
use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::Semaphore;

/// Maximum number of concurrent reads.
const READERS: u32 = 4;

/// The readers.
pub(super) enum Readers {
    /// Several connections to a file.
    Pool(Box<Pool>),
    /// Shares the writer's connection.
    Shared(Shared),
}

/// Connections opened on demand and kept.
pub(super) struct Pool {
    connector: Connector,
    turns: Semaphore,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    /// Creates readers of the database that the writer opened as `connection`.
    pub(super) fn new(connector: Connector, connection: Shared) -> Self {
        if connector.is_single() {
            return Self::Shared(connection);
        }
        let (turns, idle) = (Semaphore::new(READERS as usize), Mutex::default());
        Self::Pool(Box::new(Pool { connector, turns, idle }))
    }

    /// Returns the rows of a query.
    pub(super) async fn fetch(&self, query: Statement) -> sqlx::Result<Vec<Row>> {
        self.with_connection(|connection| {
            Box::pin(async move {
                let done = connection.run(vec![query]).await;
                let done = done.map_err(|Failure { error, .. }| error)?;
                Ok(done.into_iter().flat_map(|done| done.rows).collect())
            })
        })
        .await
    }

    /// Returns the problems that the database finds in its own files.
    pub(super) async fn integrity(&self) -> sqlx::Result<Vec<String>> {
        self.with_connection(|connection| Box::pin(connection.integrity())).await
    }

    /// Closes the connections once they are free.
    pub(super) async fn close(&self) {
        if let Self::Pool(pool) = self {
            pool.close().await;
        }
    }

    async fn with_connection<T>(
        &self,
        read: impl for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, sqlx::Result<T>>,
    ) -> sqlx::Result<T> {
        match self {
            Self::Pool(pool) => pool.with_connection(read).await,
            Self::Shared(connection) => {
                let mut place = connection.lock().await;
                read(place.as_mut().ok_or(sqlx::Error::PoolClosed)?).await
            }
        }
    }
}

impl Pool {
    /// A cancelled caller drops its connection, so that no other caller gets it in mid-read.
    async fn with_connection<T>(
        &self,
        read: impl for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, sqlx::Result<T>>,
    ) -> sqlx::Result<T> {
        let _turn = self.turns.acquire().await.map_err(|_| sqlx::Error::PoolClosed)?;
        let waiting = self.idle.lock().pop();
        let mut connection = match waiting {
            Some(connection) => connection,
            None => self.connector.connect(Role::Reader).await?,
        };
        let result = read(&mut connection).await;
        if !result.as_ref().is_err_and(errors::is_lost) {
            self.idle.lock().push(connection);
        }
        result
    }

    async fn close(&self) {
        let all = self.turns.acquire_many(READERS).await;
        self.turns.close();
        drop(all);
        let connections = std::mem::take(&mut *self.idle.lock());
        for connection in connections {
            if let Err(error) = connection.close().await {
                tracing::warn!(%error, "a reader did not close cleanly");
            }
        }
    }
}
