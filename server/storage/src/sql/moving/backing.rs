//! A database of either kind. The stores work on the same type before and after a move.

use crate::sql::{
    PgDb, SqliteDb,
    database::{Database, Transaction},
    numbers::Numbers,
    row::Row,
    statement::Statement,
};
use futures::future::BoxFuture;
use izanagi_domain::storage::{Freshness, StoreResult};
use std::sync::Arc;

/// An open database.
#[derive(Clone)]
pub(crate) enum Backing {
    /// SQLite.
    Sqlite(Arc<SqliteDb>),
    /// PostgreSQL.
    Postgres(Arc<PgDb>),
}

/// Passes a call on to the database.
macro_rules! each {
    ($backing:expr, $db:ident => $call:expr) => {
        match $backing {
            Self::Sqlite($db) => $call,
            Self::Postgres($db) => $call,
        }
    };
}

impl Backing {
    /// Whether both are the same open database.
    pub(crate) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Sqlite(a), Self::Sqlite(b)) => Arc::ptr_eq(a, b),
            (Self::Postgres(a), Self::Postgres(b)) => Arc::ptr_eq(a, b),
            (Self::Sqlite(_), Self::Postgres(_)) | (Self::Postgres(_), Self::Sqlite(_)) => false,
        }
    }
}

impl Database for Backing {
    type Transaction = dyn AnyTransaction;

    async fn fetch(&self, freshness: Freshness, query: Statement) -> StoreResult<Vec<Row>> {
        each!(self, db => db.fetch(freshness, query).await)
    }

    async fn execute(&self, statement: Statement) -> StoreResult<u64> {
        each!(self, db => db.execute(statement).await)
    }

    async fn write<T, W>(&self, work: W) -> StoreResult<T>
    where
        T: Send + 'static,
        W: for<'t> Fn(&'t mut Self::Transaction) -> BoxFuture<'t, StoreResult<T>>
            + Send
            + Sync
            + 'static,
    {
        each!(self, db => db.write(move |transaction| work(transaction)).await)
    }

    async fn settled(&self, numbers: Numbers) -> StoreResult<u64> {
        each!(self, db => db.settled(numbers).await)
    }

    async fn execute_gated(
        &self,
        gate: Statement,
        statements: Vec<Statement>,
    ) -> StoreResult<Option<bool>> {
        each!(self, db => db.execute_gated(gate, statements).await)
    }

    async fn integrity(&self) -> StoreResult<Vec<String>> {
        each!(self, db => db.integrity().await)
    }

    async fn close(&self) {
        each!(self, db => db.close().await);
    }
}

/// A transaction of either kind.
pub(crate) trait AnyTransaction: Send {
    /// As [`Transaction::later`].
    fn queue(&mut self, statement: Statement);
    /// As [`Transaction::lock`].
    fn queue_lock(&mut self, query: Statement);
    /// As [`Transaction::exclude`].
    fn queue_exclude(&mut self, others: &str);
    /// As [`Transaction::fetch`].
    fn send_query(&mut self, statement: Statement) -> BoxFuture<'_, StoreResult<Vec<Row>>>;
    /// As [`Transaction::execute`].
    fn send(&mut self, statement: Statement) -> BoxFuture<'_, StoreResult<u64>>;
}

impl<T: Transaction> AnyTransaction for T {
    fn queue(&mut self, statement: Statement) {
        self.later(statement);
    }

    fn queue_lock(&mut self, query: Statement) {
        self.lock(query);
    }

    fn queue_exclude(&mut self, others: &str) {
        self.exclude(others);
    }

    fn send_query(&mut self, statement: Statement) -> BoxFuture<'_, StoreResult<Vec<Row>>> {
        Box::pin(self.fetch(statement))
    }

    fn send(&mut self, statement: Statement) -> BoxFuture<'_, StoreResult<u64>> {
        Box::pin(self.execute(statement))
    }
}

impl Transaction for dyn AnyTransaction {
    fn later(&mut self, statement: Statement) {
        self.queue(statement);
    }

    fn lock(&mut self, query: Statement) {
        self.queue_lock(query);
    }

    fn exclude(&mut self, others: &str) {
        self.queue_exclude(others);
    }

    async fn fetch(&mut self, statement: Statement) -> StoreResult<Vec<Row>> {
        self.send_query(statement).await
    }

    async fn execute(&mut self, statement: Statement) -> StoreResult<u64> {
        self.send(statement).await
    }
}
