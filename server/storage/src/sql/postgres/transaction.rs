//! The transaction that a write runs in.

use super::{
    connection::{Done, command, run},
    errors::{self, Consequence},
    pool::Lease,
    session::Session,
};
use crate::sql::{
    database::Transaction,
    row::Row,
    statement::{Statement, args},
};
use izanagi_domain::storage::{StoreError, StoreResult};
use std::sync::atomic::{AtomicBool, Ordering};

/// Explicit, because an administrator may have changed the default.
const CHARACTERISTICS: &str = "ISOLATION LEVEL READ COMMITTED";

/// Why a transaction failed.
#[derive(Debug)]
pub(super) struct Failure {
    /// What it means for the caller.
    pub(super) error: StoreError,
    /// Whether another attempt may succeed. Nothing was written.
    pub(super) retry: bool,
}

impl Failure {
    /// The failure of something that was not sent to be committed.
    pub(super) fn before_commit(error: &sqlx::Error) -> Self {
        let retry = errors::consequence(error) == Consequence::Retry;
        Self { error: errors::meaning(error), retry }
    }

    /// The failure of what commits.
    pub(super) fn of_commit(error: &sqlx::Error) -> Self {
        match errors::consequence(error) {
            Consequence::Lost => {
                Self { error: StoreError::Unknown(error.to_string()), retry: false }
            }
            Consequence::Retry | Consequence::Refused => Self::before_commit(error),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self { error, retry: false }
    }
}

/// An open transaction.
pub(crate) struct PgTransaction {
    connection: Lease,
    session: Session,
    queue: Vec<Statement>,
    /// The first failure of a statement. PostgreSQL then refuses all others.
    failed: Option<StoreError>,
    retry: bool,
    /// Whether the connection must be closed, because the server may still have it open.
    is_open: bool,
}

impl Transaction for PgTransaction {
    fn later(&mut self, statement: Statement) {
        self.queue.push(statement);
    }

    /// Does not hinder rows that refer to the locked ones.
    fn lock(&mut self, mut query: Statement) {
        query.push(" FOR NO KEY UPDATE");
        self.queue.push(query);
    }

    fn exclude(&mut self, others: &str) {
        let hash = blake3::hash(others.as_bytes());
        let [a, b, c, d, e, f, g, h, ..] = *hash.as_bytes();
        let key = i64::from_le_bytes([a, b, c, d, e, f, g, h]);
        self.queue.push(Statement::with("SELECT pg_advisory_xact_lock($1)", args![key]));
    }

    async fn fetch(&mut self, statement: Statement) -> StoreResult<Vec<Row>> {
        self.flush().await?;
        Ok(self.send(statement).await?.rows)
    }

    async fn execute(&mut self, statement: Statement) -> StoreResult<u64> {
        self.flush().await?;
        Ok(self.send(statement).await?.affected)
    }
}

impl PgTransaction {
    /// Begins a transaction.
    pub(super) async fn begin(mut connection: Lease, session: Session) -> sqlx::Result<Self> {
        let begin = command(&mut connection, session.begin(CHARACTERISTICS));
        if let Err(error) = session.briefly(begin).await {
            connection.discard();
            return Err(error);
        }
        Ok(Self {
            connection,
            session,
            queue: Vec::new(),
            failed: None,
            retry: false,
            is_open: true,
        })
    }

    async fn send(&mut self, statement: Statement) -> StoreResult<Done> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        match run(&mut self.connection, self.session, statement).await {
            Ok(done) => Ok(done),
            Err(error) => {
                let Failure { error, retry } = Failure::before_commit(&error);
                self.failed = Some(error.clone());
                self.retry = retry;
                Err(error)
            }
        }
    }

    /// Sends the queued statements.
    async fn flush(&mut self) -> StoreResult<()> {
        for statement in std::mem::take(&mut self.queue) {
            self.send(statement).await?;
        }
        Ok(())
    }

    /// Sends the queued statements and commits.
    pub(super) async fn commit(mut self, is_sent: &AtomicBool) -> Result<(), Failure> {
        // PostgreSQL answers the COMMIT of a failed transaction with a rollback, but without an error.
        let flushed = match &self.failed {
            Some(error) => Err(error.clone()),
            None => self.flush().await,
        };
        if let Err(error) = flushed {
            return Err(self.roll_back(error).await);
        }
        is_sent.store(true, Ordering::Release);
        let committed = self.session.within(command(&mut self.connection, "COMMIT")).await;
        is_sent.store(false, Ordering::Release);
        match committed {
            Ok(()) => {
                self.is_open = false;
                Ok(())
            }
            Err(error) => {
                self.is_open = errors::consequence(&error) == Consequence::Lost;
                Err(Failure::of_commit(&error))
            }
        }
    }

    /// Rolls back because of an error.
    pub(super) async fn roll_back(mut self, error: StoreError) -> Failure {
        let rolled_back = self.session.briefly(command(&mut self.connection, "ROLLBACK")).await;
        // Another attempt gets another connection: this one may have prepared statements that do not
        // fit the schema any more.
        self.is_open = rolled_back.is_err() || self.retry;
        Failure { error, retry: self.retry }
    }
}

impl Drop for PgTransaction {
    /// A transaction that was left open, because its work panicked or its connection broke, ends with
    /// its connection.
    fn drop(&mut self) {
        if self.is_open {
            self.connection.discard();
        }
    }
}
