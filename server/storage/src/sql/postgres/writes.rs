//! Writes: each a transaction, repeated after a conflict with another one.

use super::{
    Shared,
    connection::run,
    errors::{self, Consequence},
    session::Prepared,
    transaction::{Failure, PgTransaction},
};
use crate::sql::{database::Transaction as _, statement::Statement};
use futures::{FutureExt as _, future::BoxFuture};
use izanagi_domain::storage::{StoreError, StoreResult};
use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

/// How often a write is tried, and the pause after the first attempt.
const ATTEMPTS: u32 = 6;
const PAUSE: Duration = Duration::from_millis(4);

/// The attempts of one write.
pub(super) struct Writes {
    shared: Arc<Shared>,
    /// Whether something that commits may have reached the server.
    is_sent: Arc<AtomicBool>,
}

impl Writes {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        Self { shared: Arc::clone(shared), is_sent: Arc::default() }
    }

    /// Whether something that commits may have reached the server.
    pub(super) fn is_sent(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.is_sent)
    }

    /// Runs one statement; returns the number of changed rows.
    pub(super) async fn execute(&self, statement: Statement) -> StoreResult<u64> {
        if self.shared.primary.session.prepared == Prepared::Once {
            return self
                .write(move |transaction| transaction.execute(statement.clone()).boxed())
                .await;
        }
        self.repeat(|| self.execute_once(statement.clone())).await
    }

    /// Runs `work` in a transaction.
    pub(super) async fn write<T, W>(&self, work: W) -> StoreResult<T>
    where
        W: for<'t> Fn(&'t mut PgTransaction) -> BoxFuture<'t, StoreResult<T>> + Send + Sync,
    {
        self.repeat(|| self.write_once(&work)).await
    }

    async fn repeat<T, F: Future<Output = Result<T, Failure>>>(
        &self,
        attempt: impl Fn() -> F,
    ) -> StoreResult<T> {
        for number in 0.. {
            match attempt().await {
                Ok(value) => return Ok(value),
                Err(Failure { retry: true, error }) if number + 1 < ATTEMPTS => {
                    tracing::debug!(%error, number, "a write is repeated");
                    tokio::time::sleep(pause(number)).await;
                }
                Err(Failure { error, retry }) => {
                    return Err(match error {
                        // It met others until the end: nothing is wrong with what it wrote.
                        StoreError::Conflict(_) if retry => {
                            StoreError::Unavailable("the write met others too often".to_owned())
                        }
                        error => error,
                    });
                }
            }
        }
        Err(StoreError::Unavailable("no attempt".to_owned()))
    }

    /// One statement is a transaction by itself.
    async fn execute_once(&self, statement: Statement) -> Result<u64, Failure> {
        let shared = &self.shared;
        let connection = shared.primary.acquire().await;
        let mut connection = connection.map_err(|error| Failure::before_commit(&error))?;
        self.is_sent.store(true, Ordering::Release);
        let result = run(&mut connection, shared.primary.session, statement).await;
        self.is_sent.store(false, Ordering::Release);
        match result {
            Ok(done) => Ok(done.affected),
            Err(error) => {
                if errors::consequence(&error) != Consequence::Refused {
                    connection.discard();
                }
                Err(Failure::of_commit(&error))
            }
        }
    }

    async fn write_once<T, W>(&self, work: &W) -> Result<T, Failure>
    where
        W: for<'t> Fn(&'t mut PgTransaction) -> BoxFuture<'t, StoreResult<T>> + Send + Sync,
    {
        let mut transaction = self.begin().await?;
        // A panic must not leave the transaction open for the next user of the connection.
        let worked = AssertUnwindSafe(work(&mut transaction)).catch_unwind().await;
        let panicked = |_| Err(StoreError::Unavailable("a write panicked".to_owned()));
        match worked.unwrap_or_else(panicked) {
            Ok(value) => {
                transaction.commit(&self.is_sent).await?;
                Ok(value)
            }
            Err(error) => Err(transaction.roll_back(error).await),
        }
    }

    /// Begins a transaction. A connection that broke while it was idle is replaced.
    async fn begin(&self) -> Result<PgTransaction, Failure> {
        let primary = &self.shared.primary;
        let mut result = Ok(());
        for _ in 0..3 {
            let connection = primary.acquire().await;
            let connection = connection.map_err(|error| Failure::before_commit(&error))?;
            match PgTransaction::begin(connection, primary.session).await {
                Ok(transaction) => return Ok(transaction),
                Err(error) => result = Err(Failure::before_commit(&error)),
            }
        }
        result.and(Err(StoreError::Unavailable("no transaction".to_owned()).into()))
    }
}

/// Doubles with each attempt, and differs between those that met.
fn pause(number: u32) -> Duration {
    static TURN: AtomicU32 = AtomicU32::new(0);
    let turn = TURN.fetch_add(1, Ordering::Relaxed) % 8;
    PAUSE * 2_u32.saturating_pow(number) + PAUSE * turn / 8
}
