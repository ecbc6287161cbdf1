//! What the stores require of a SQL database. Each database implements it with its own strategy:
//! SQLite with one writer and several readers, PostgreSQL with a pool.

use super::{numbers::Numbers, row::Row, statement::Statement};
use futures::future::BoxFuture;
use izanagi_domain::storage::{Freshness, StoreError, StoreResult};

/// An open database.
pub(crate) trait Database: Send + Sync + 'static {
    /// Its transaction type.
    type Transaction: Transaction + ?Sized + 'static;

    /// Returns the rows of a query, from one state of the database.
    fn fetch(
        &self,
        freshness: Freshness,
        query: Statement,
    ) -> impl Future<Output = StoreResult<Vec<Row>>> + Send;

    /// Runs one statement in a transaction; returns the number of changed rows.
    fn execute(&self, statement: Statement) -> impl Future<Output = StoreResult<u64>> + Send;

    /// Runs `work` in a transaction, to completion even if the caller is dropped. The database may
    /// rerun it after an attempt that wrote nothing.
    ///
    /// # Errors
    /// `Unknown` if the commit was sent but not answered; after any other error nothing was
    /// written.
    fn write<T, W>(&self, work: W) -> impl Future<Output = StoreResult<T>> + Send
    where
        T: Send + 'static,
        W: for<'t> Fn(&'t mut Self::Transaction) -> BoxFuture<'t, StoreResult<T>>
            + Send
            + Sync
            + 'static;

    /// Returns a number up to which no transaction that is still open has taken one: a reader may
    /// continue from there without missing any. Waits a little for those that are open.
    fn settled(&self, numbers: Numbers) -> impl Future<Output = StoreResult<u64>> + Send;

    /// Runs statements joined to one, which does nothing unless the query `gate` returns a row. The
    /// gate locks its row. Each INSERT and UPDATE has a `WHERE true`, where the condition goes.
    /// Returns whether it took effect; `None` if the database has no such statement.
    fn execute_gated(
        &self,
        gate: Statement,
        statements: Vec<Statement>,
    ) -> impl Future<Output = StoreResult<Option<bool>>> + Send;

    /// Returns the problems that the database finds in its own files.
    fn integrity(&self) -> impl Future<Output = StoreResult<Vec<String>>> + Send;

    /// Completes pending writes, then closes all connections.
    fn close(&self) -> impl Future<Output = ()> + Send;

    /// Returns the single row of a query.
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
    /// Queues a statement whose result is not needed. It is sent with the next awaited statement or
    /// with the end of the transaction, which fails if it fails.
    fn later(&mut self, statement: Statement);

    /// Locks the rows selected by this single-table query until the transaction ends. A no-op for
    /// databases with a single writer.
    fn lock(&mut self, query: Statement);

    /// Waits until no other transaction that calls this with an equal text is open. A no-op for
    /// databases with a single writer.
    fn exclude(&mut self, others: &str);

    /// Returns the rows of a statement.
    fn fetch(&mut self, statement: Statement)
    -> impl Future<Output = StoreResult<Vec<Row>>> + Send;

    /// Returns the first row of a statement, if any.
    fn fetch_optional(
        &mut self,
        statement: Statement,
    ) -> impl Future<Output = StoreResult<Option<Row>>> + Send {
        async move { Ok(self.fetch(statement).await?.into_iter().next()) }
    }

    /// Runs a statement; returns the number of changed rows.
    fn execute(&mut self, statement: Statement) -> impl Future<Output = StoreResult<u64>> + Send;
}
