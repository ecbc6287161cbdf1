//! The transaction that a write job runs in.

use super::{
    connection::{Connection, Done, Failure},
    errors,
};
use crate::sql::{database::Transaction, row::Row, statement::Statement};
use izanagi_domain::storage::StoreResult;

/// An open transaction. Dropping it has no effect; the writer begins and ends it.
pub(crate) struct SqliteTransaction {
    connection: Connection,
    queue: Vec<Statement>,
    /// Whether a statement was sent since the last mark.
    sent: bool,
}

impl Transaction for SqliteTransaction {
    fn later(&mut self, statement: Statement) {
        self.queue.push(statement);
    }

    /// A no-op: the transaction holds the only write lock.
    fn lock(&mut self, _: Statement) {}

    /// A no-op, for the same reason.
    fn exclude(&mut self, _: &str) {}

    async fn fetch(&mut self, statement: Statement) -> StoreResult<Vec<Row>> {
        Ok(self.send(statement).await?.rows)
    }

    async fn execute(&mut self, statement: Statement) -> StoreResult<u64> {
        Ok(self.send(statement).await?.affected)
    }
}

impl SqliteTransaction {
    pub(super) fn new(connection: Connection) -> Self {
        Self { connection, queue: Vec::new(), sent: false }
    }

    /// Sends a statement after the queued ones; returns its result.
    async fn send(&mut self, statement: Statement) -> StoreResult<Done> {
        self.queue.push(statement);
        let done = self.flush().await.map_err(|failure| errors::meaning(&failure.error))?;
        Ok(done.into_iter().next_back().unwrap_or_default())
    }

    /// Returns the number of queued statements.
    pub(super) fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Sends the queued statements.
    pub(super) async fn flush(&mut self) -> Result<Vec<Done>, Failure> {
        if self.queue.is_empty() {
            return Ok(Vec::new());
        }
        let script = std::mem::take(&mut self.queue);
        self.sent = true;
        self.connection.run(script).await
    }

    /// Sets the mark for [`Self::abandon`].
    pub(super) fn mark(&mut self) {
        self.sent = false;
    }

    /// Drops queued statements; returns whether any statement was sent since the mark.
    pub(super) fn abandon(&mut self) -> bool {
        self.queue.clear();
        self.sent
    }

    /// Returns the connection.
    pub(super) fn into_connection(self) -> Connection {
        self.connection
    }
}
