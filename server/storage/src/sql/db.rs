//! A database as the stores see it: queries, and writes that are durable when they answer.

use super::{
    connection::{Connector, Role},
    errors, migrate,
    readers::Readers,
    row::Row,
    statement::Statement,
    transaction::Transaction,
    writer::Writer,
};
use crate::{config::Place, error::OpenError};
use futures::future::BoxFuture;
use izanagi_domain::storage::{StoreError, StoreResult};
use std::sync::Arc;
use tokio::sync::Mutex;

/// An open database.
pub(crate) struct Db {
    readers: Readers,
    writer: Writer,
}

impl Db {
    /// Opens the database and brings its schema up to date.
    pub(crate) async fn open(place: &Place) -> Result<Arc<Self>, OpenError> {
        let connector = Connector::new(place);
        let mut connection = connector.connect(Role::Writer).await.map_err(OpenError::database)?;
        migrate::run(&mut connection, &connector).await?;
        let connection = Arc::new(Mutex::new(Some(connection)));
        let readers = Readers::new(connector.clone(), Arc::clone(&connection));
        Ok(Arc::new(Self { readers, writer: Writer::start(connector, connection) }))
    }

    /// The rows that a query gives, all from one state of the database.
    pub(crate) async fn fetch(&self, query: Statement) -> StoreResult<Vec<Row>> {
        self.readers.fetch(query).await.map_err(|error| errors::meaning(&error))
    }

    /// The row that a query gives.
    ///
    /// # Errors
    /// `NotFound` when it gives none.
    pub(crate) async fn fetch_one(&self, query: Statement) -> StoreResult<Row> {
        self.fetch(query).await?.into_iter().next().ok_or(StoreError::NotFound)
    }

    /// Does some work in a transaction. It is done even if the caller goes away.
    ///
    /// # Errors
    /// `Unknown` when the end of the transaction was sent and no answer came; any other error
    /// means that nothing was written.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl for<'t> FnOnce(&'t mut Transaction) -> BoxFuture<'t, StoreResult<T>> + Send + 'static,
    ) -> StoreResult<T> {
        self.writer.write(Box::new(work)).await
    }

    /// Runs one statement; gives how many rows it changed.
    pub(crate) async fn execute(&self, statement: Statement) -> StoreResult<u64> {
        self.writer.execute(statement).await
    }

    /// What the database finds wrong with its own files.
    pub(crate) async fn integrity(&self) -> StoreResult<Vec<String>> {
        self.readers.integrity().await.map_err(|error| errors::meaning(&error))
    }

    /// Does what is queued, then ends every connection.
    pub(crate) async fn close(&self) {
        self.writer.close().await;
        self.readers.close().await;
    }
}
