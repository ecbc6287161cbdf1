//! What a write job works with: statements inside the writer's transaction.

use super::{
    connection::{Connection, Done, Failure},
    errors,
    row::Row,
    statement::Statement,
};
use izanagi_domain::storage::{StoreError, StoreResult};

/// An open transaction. Dropping it does nothing: beginning and ending it is the writer's work.
pub(crate) struct Transaction {
    connection: Connection,
    queue: Vec<Statement>,
    /// Whether anything was sent since the last mark.
    sent: bool,
}

impl Transaction {
    pub(super) fn new(connection: Connection) -> Self {
        Self { connection, queue: Vec::new(), sent: false }
    }

    /// Adds a statement whose result nobody waits for. It is sent along with the next one, or
    /// with the end of the job; its failure is then the job's.
    pub(crate) fn later(&mut self, statement: Statement) {
        self.queue.push(statement);
    }

    /// The rows that a statement gives.
    pub(crate) async fn fetch(&mut self, statement: Statement) -> StoreResult<Vec<Row>> {
        Ok(self.fetch_all(vec![statement]).await?.into_iter().flatten().collect())
    }

    /// The row that a statement gives, if it gives one.
    pub(crate) async fn fetch_optional(
        &mut self,
        statement: Statement,
    ) -> StoreResult<Option<Row>> {
        Ok(self.fetch(statement).await?.into_iter().next())
    }

    /// The rows that each of these gives.
    pub(crate) async fn fetch_each<const N: usize>(
        &mut self,
        statements: [Statement; N],
    ) -> StoreResult<[Vec<Row>; N]> {
        let rows = self.fetch_all(statements.into()).await?;
        rows.try_into().map_err(|_| StoreError::Corrupt("a result is missing".to_owned()))
    }

    /// The rows that each of these gives.
    pub(crate) async fn fetch_all(
        &mut self,
        statements: Vec<Statement>,
    ) -> StoreResult<Vec<Vec<Row>>> {
        let done = self.send(statements).await?;
        Ok(done.into_iter().map(|done| done.rows).collect())
    }

    /// How many rows a statement changed.
    pub(crate) async fn execute(&mut self, statement: Statement) -> StoreResult<u64> {
        Ok(self.send(vec![statement]).await?.iter().map(|done| done.affected).sum())
    }

    /// Sends these, after what is queued; gives what these did.
    async fn send(&mut self, wanted: Vec<Statement>) -> StoreResult<Vec<Done>> {
        let before = self.queue.len();
        self.queue.extend(wanted);
        let mut done = self.flush().await.map_err(|failure| errors::meaning(&failure.error))?;
        Ok(done.split_off(before))
    }

    /// How many statements wait to be sent.
    pub(super) fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Sends what is queued.
    pub(super) async fn flush(&mut self) -> Result<Vec<Done>, Failure> {
        if self.queue.is_empty() {
            return Ok(Vec::new());
        }
        let script = std::mem::take(&mut self.queue);
        self.sent = true;
        self.connection.run(script).await
    }

    /// Begins to watch whether anything is sent.
    pub(super) fn mark(&mut self) {
        self.sent = false;
    }

    /// Drops what is queued; says whether anything was sent since the mark.
    pub(super) fn abandon(&mut self) -> bool {
        self.queue.clear();
        self.sent
    }

    /// The connection.
    pub(super) fn into_connection(self) -> Connection {
        self.connection
    }
}
