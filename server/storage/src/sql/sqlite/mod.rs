//! SQLite: a single writer task and several reader connections. Driver types stay in this folder.

mod connection;
mod doctor;
mod errors;
mod job;
mod migrate;
mod moving;
mod readers;
mod render;
mod schema;
mod transaction;
mod writer;

use super::{database::Database, numbers::Numbers, row::Row, statement::Statement};
use crate::error::OpenError;
use connection::{Connector, Role};
use futures::future::BoxFuture;
use izanagi_domain::storage::{Freshness, StoreResult};
use readers::Readers;
use std::{path::Path, sync::Arc};
use tokio::sync::Mutex;
use transaction::SqliteTransaction;
use writer::Writer;

pub(crate) use moving::Moving;

/// An open SQLite database.
pub(crate) struct SqliteDb {
    readers: Readers,
    writer: Writer,
}

impl SqliteDb {
    /// Opens a file, or a new database in memory, and migrates its schema.
    pub(crate) async fn open(file: Option<&Path>) -> Result<Arc<Self>, OpenError> {
        let connector = Connector::new(file);
        let mut connection = connector.connect(Role::Writer).await.map_err(OpenError::database)?;
        migrate::run(&mut connection).await?;
        Ok(Self::over(connector, connection))
    }

    /// Opens a file without looking at its schema, and without checking references.
    pub(crate) async fn open_unchecked(file: &Path) -> Result<Arc<Self>, OpenError> {
        let connector = Connector::new(Some(file)).unchecked();
        let connection = connector.connect(Role::Writer).await.map_err(OpenError::database)?;
        Ok(Self::over(connector, connection))
    }

    fn over(connector: Connector, connection: connection::Connection) -> Arc<Self> {
        let connection = Arc::new(Mutex::new(Some(connection)));
        let readers = Readers::new(connector.clone(), Arc::clone(&connection));
        Arc::new(Self { readers, writer: Writer::start(connector, connection) })
    }
}

impl Database for SqliteDb {
    type Transaction = SqliteTransaction;

    /// There are no replicas, so every read is fresh.
    async fn fetch(&self, _: Freshness, query: Statement) -> StoreResult<Vec<Row>> {
        self.readers.fetch(query).await.map_err(|error| errors::meaning(&error))
    }

    async fn execute(&self, statement: Statement) -> StoreResult<u64> {
        self.writer.execute(statement).await
    }

    async fn write<T, W>(&self, work: W) -> StoreResult<T>
    where
        T: Send + 'static,
        W: for<'t> Fn(&'t mut SqliteTransaction) -> BoxFuture<'t, StoreResult<T>>
            + Send
            + Sync
            + 'static,
    {
        self.writer.write(Box::new(work)).await
    }

    /// With one writer, numbers are committed in their order.
    async fn settled(&self, _: Numbers) -> StoreResult<u64> {
        Ok(u64::MAX)
    }

    /// Its WITH takes queries only.
    async fn execute_gated(&self, _: Statement, _: Vec<Statement>) -> StoreResult<Option<bool>> {
        Ok(None)
    }

    async fn integrity(&self) -> StoreResult<Vec<String>> {
        self.readers.integrity().await.map_err(|error| errors::meaning(&error))
    }

    async fn close(&self) {
        self.writer.close().await;
        self.readers.close().await;
    }
}
