//! What the stores need from a SQL database. Each kind of database implements it with its own
//! strategy: SQLite with one writer and several readers, PostgreSQL with a pool.

use super::{row::Row, statement::Statement};
use futures::future::BoxFuture;
use izanagi_domain::storage::{Freshness, StoreError, StoreResult};

/// An open database.
pub(crate) trait Database: Send + Sync + 'static {
    /// Its transactions.
    type Transaction: Transaction + 'static;

    /// The rows of a query, all from one state of the database.
    fn fetch(
        &self,
        freshness: Freshness,
        query: Statement,
    ) -> impl Future<Output = StoreResult<Vec<Row>>> + Send;

    /// Runs one statement in a transaction; returns how many rows it changed.
    fn execute(&self, statement: Statement) -> impl Future<Output = StoreResult<u64>> + Send;

    /// Runs `work` in a transaction, to its end even if the caller goes away. A database may run it
    /// again from the start, after an attempt of which nothing was written.
    ///
    /// # Errors
    /// `Unknown` if the end of the transaction was sent and no answer came; any other error means
    /// that nothing was written.
    fn write<T, W>(&self, work: W) -> impl Future<Output = StoreResult<T>> + Send
    where
        T: Send + 'static,
        W: for<'t> Fn(&'t mut Self::Transaction) -> BoxFuture<'t, StoreResult<T>>
            + Send
            + Sync
            + 'static;

    /// Damage that the database finds in its own files.
    fn integrity(&self) -> impl Future<Output = StoreResult<Vec<String>>> + Send;

    /// Completes the writes that have begun, then closes every connection.
    fn close(&self) -> impl Future<Output = ()> + Send;

    /// The one row of a query.
    ///
    /// # Errors
    /// `NotFound` if there is none.
    fn fetch_one(
        &self,
        freshness: Freshness,
        query: Statement,
    ) -> impl Future<Output = StoreResult<Row>> + Send {
        async move { self.fetch(freshness, query).await?.into_iter().next().ok_or(StoreError::NotFound) }
    }

    /// Runs statements in one transaction.
    fn execute_all(
        &self,
        statements: Vec<Statement>,
    ) -> impl Future<Output = StoreResult<()>> + Send {
        self.write(move |transaction| {
            statements.iter().for_each(|statement| transaction.later(statement.clone()));
            Box::pin(std::future::ready(Ok(())))
        })
    }

    /// Runs one statement with RETURNING in a transaction; returns its rows.
    fn execute_returning(
        &self,
        statement: Statement,
    ) -> impl Future<Output = StoreResult<Vec<Row>>> + Send {
        self.write(move |transaction| Box::pin(transaction.fetch(statement.clone())))
    }
}

/// An open transaction. The database begins and ends it.
pub(crate) trait Transaction: Send {
    /// Adds a statement whose result is not needed. It is sent with the next one that is awaited, or
    /// with the end of the transaction, which fails if it fails.
    fn later(&mut self, statement: Statement);

    /// Locks the rows that this query finds in its one table until the transaction ends. Nothing to
    /// do where there is only one writer.
    fn lock(&mut self, query: Statement);

    /// The rows of a statement.
    fn fetch(&mut self, statement: Statement)
    -> impl Future<Output = StoreResult<Vec<Row>>> + Send;

    /// The first row of a statement, if there is one.
    fn fetch_optional(
        &mut self,
        statement: Statement,
    ) -> impl Future<Output = StoreResult<Option<Row>>> + Send {
        async move { Ok(self.fetch(statement).await?.into_iter().next()) }
    }

    /// Runs a statement; returns how many rows it changed.
    fn execute(&mut self, statement: Statement) -> impl Future<Output = StoreResult<u64>> + Send;
}
