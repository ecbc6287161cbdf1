//! The single writer of a SQLite database. It runs all queued writes in one transaction, so that
//! they share one disk sync; the next group gathers while the current one commits. Each write has
//! its own savepoint, so that its failure does not affect the others, and gets its reply only after
//! the COMMIT. A dropped caller does not cancel its write.

use super::{
    connection::{BEGIN, Connector, Done, Failure, Role, Shared},
    errors,
    job::{Job, Single, Work, Write},
    transaction::SqliteTransaction,
};
use crate::sql::{database::Transaction as _, statement::Statement};
use futures::FutureExt as _;
use izanagi_domain::storage::{StoreError, StoreResult};
use std::{
    panic::AssertUnwindSafe,
    sync::atomic::{AtomicBool, Ordering},
};
use tokio::sync::{mpsc, oneshot};

/// Queue capacity; further callers wait.
const QUEUE: usize = 256;
/// Maximum number of writes per transaction.
const GROUP: usize = 64;

enum Message {
    Write(Box<dyn Job>),
    Close(oneshot::Sender<()>),
}

/// Handle to the writer.
pub(super) struct Writer(mpsc::Sender<Message>);

impl Writer {
    /// Starts the writer on a connection used by no other writer.
    pub(super) fn start(connector: Connector, connection: Shared) -> Self {
        let (sender, inbox) = mpsc::channel(QUEUE);
        let commit_sent = AtomicBool::new(false);
        tokio::spawn(Loop { connector, connection, inbox, commit_sent }.run());
        Self(sender)
    }

    /// Runs `work` in a transaction. Its result is durable on return.
    pub(super) async fn write<T: Send + 'static>(&self, work: Work<T>) -> StoreResult<T> {
        self.send(|caller| Box::new(Write::new(work, caller))).await
    }

    /// Runs one statement in a transaction; returns the number of changed rows.
    pub(super) async fn execute(&self, statement: Statement) -> StoreResult<u64> {
        self.send(|caller| Box::new(Single::new(statement, caller))).await
    }

    async fn send<T>(
        &self,
        job: impl FnOnce(oneshot::Sender<StoreResult<T>>) -> Box<dyn Job>,
    ) -> StoreResult<T> {
        let (caller, answer) = oneshot::channel();
        self.0.send(Message::Write(job(caller))).await.map_err(|_| closed())?;
        answer.await.unwrap_or_else(|_| Err(StoreError::Unknown("the writer stopped".to_owned())))
    }

    /// Completes queued writes and ends.
    pub(super) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.0.send(Message::Close(done)).await.is_ok() {
            drop(closed.await);
        }
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("the database is closed".to_owned())
}

struct Loop {
    connector: Connector,
    connection: Shared,
    inbox: mpsc::Receiver<Message>,
    /// Whether the COMMIT of the current group may have reached the database.
    commit_sent: AtomicBool,
}

impl Loop {
    async fn run(mut self) {
        let mut messages = Vec::new();
        let mut closing = None;
        while closing.is_none() && self.inbox.recv_many(&mut messages, GROUP).await > 0 {
            let mut jobs = Vec::new();
            for message in messages.drain(..) {
                match message {
                    Message::Write(job) if closing.is_none() => jobs.push(job),
                    Message::Write(job) => refuse(job),
                    Message::Close(done) => closing = Some(done),
                }
            }
            self.commit_sent.store(false, Ordering::Relaxed);
            // A bug in one group must not stop the writer. Its connection is discarded.
            if AssertUnwindSafe(self.group(&mut jobs)).catch_unwind().await.is_err() {
                self.interrupted(&mut jobs);
            }
            jobs.into_iter().for_each(|job| job.answer());
        }
        self.inbox.close();
        while let Some(message) = self.inbox.recv().await {
            if let Message::Write(job) = message {
                refuse(job);
            }
        }
        let connection = self.connection.lock().await.take();
        if let Some(connection) = connection
            && let Err(error) = connection.close().await
        {
            tracing::warn!(%error, "the database did not close cleanly");
        }
        if let Some(done) = closing {
            // The caller may be gone.
            let _ = done.send(());
        }
    }

    /// Fails every job of a group that panicked, according to what is known of its outcome.
    fn interrupted(&self, jobs: &mut [Box<dyn Job>]) {
        tracing::error!("the writer panicked in a group of {} writes and continues", jobs.len());
        let why = "the writer panicked".to_owned();
        let error = match self.commit_sent.load(Ordering::Relaxed) {
            true => StoreError::Unknown(why),
            false => StoreError::Unavailable(why),
        };
        jobs.iter_mut().for_each(|job| job.fail(error.clone()));
    }

    /// Runs the jobs in one transaction and sets their results.
    async fn group(&self, jobs: &mut [Box<dyn Job>]) {
        if jobs.is_empty() {
            return;
        }
        let mut place = self.connection.lock().await;
        let connection = match place.take() {
            Some(connection) => Ok(connection),
            None => self.connector.connect_again(Role::Writer).await,
        };
        match connection {
            Ok(connection) => {
                let mut transaction = SqliteTransaction::new(connection);
                let healthy = self.work(&mut transaction, jobs).await;
                // A database in memory is lost with its connection, so keep it in any case.
                if healthy || self.connector.is_single() {
                    *place = Some(transaction.into_connection());
                }
            }
            Err(error) => {
                let error = errors::meaning(&error);
                jobs.iter_mut().for_each(|job| job.fail(error.clone()));
            }
        }
        drop(place);
    }

    /// Returns whether the connection is in a known state afterwards.
    async fn work(&self, transaction: &mut SqliteTransaction, jobs: &mut [Box<dyn Job>]) -> bool {
        transaction.later(Statement::new(BEGIN));
        if let [job] = jobs {
            return self.alone(transaction, &mut **job).await;
        }
        let mut kept = Vec::with_capacity(jobs.len());
        for job in jobs.iter_mut() {
            match self.beside_others(transaction, &mut **job).await {
                Ok(keep) => kept.push(keep),
                Err(error) => return self.give_up(transaction, jobs, &kept, &error).await,
            }
        }
        match self.commit(transaction).await {
            Ok(_) => true,
            Err(error) => self.give_up(transaction, jobs, &kept, &error).await,
        }
    }

    /// Ends a transaction that cannot be committed; jobs that failed earlier keep their error.
    async fn give_up(
        &self,
        transaction: &mut SqliteTransaction,
        jobs: &mut [Box<dyn Job>],
        kept: &[bool],
        error: &StoreError,
    ) -> bool {
        for (index, job) in jobs.iter_mut().enumerate() {
            if kept.get(index) != Some(&false) {
                job.fail(error.clone());
            }
        }
        self.roll_back(transaction).await
    }

    /// A single job needs no savepoint, and its last statements are sent with the COMMIT.
    async fn alone(&self, transaction: &mut SqliteTransaction, job: &mut dyn Job) -> bool {
        transaction.mark();
        if !job.run(transaction).await {
            return !transaction.abandon() || self.roll_back(transaction).await;
        }
        match self.commit(transaction).await {
            Ok(done) => {
                job.settle(&done);
                true
            }
            Err(error) => {
                job.fail(error);
                self.roll_back(transaction).await
            }
        }
    }

    /// Returns whether to keep the job; an error ends the whole transaction.
    async fn beside_others(
        &self,
        transaction: &mut SqliteTransaction,
        job: &mut dyn Job,
    ) -> StoreResult<bool> {
        // Earlier queued statements (BEGIN or RELEASE) must not count as a failure of this job.
        transaction.flush().await.map_err(|failure| ended(&failure))?;
        transaction.mark();
        transaction.later(Statement::new("SAVEPOINT job"));
        if job.run(transaction).await {
            transaction.later(Statement::new("RELEASE job"));
            let statements = transaction.queued();
            match transaction.flush().await {
                Ok(done) => {
                    job.settle(&done);
                    return Ok(true);
                }
                Err(failure) if failure.completed + 1 == statements => job.fail(ended(&failure)),
                Err(failure) => job.fail(errors::meaning(&failure.error)),
            }
        }
        if transaction.abandon() {
            transaction.later(Statement::new("ROLLBACK TO job"));
            transaction.later(Statement::new("RELEASE job"));
            transaction.flush().await.map_err(|failure| ended(&failure))?;
        }
        Ok(false)
    }

    /// Sends the queued statements and the COMMIT; returns their results.
    async fn commit(&self, transaction: &mut SqliteTransaction) -> StoreResult<Vec<Done>> {
        transaction.later(Statement::new("COMMIT"));
        let statements = transaction.queued();
        self.commit_sent.store(true, Ordering::Relaxed);
        let Failure { completed, error } = match transaction.flush().await {
            Ok(done) => return Ok(done),
            Err(failure) => failure,
        };
        if !errors::is_lost(&error) && completed + 1 < statements {
            return Err(errors::meaning(&error));
        }
        if errors::refused_commit(&error) {
            return Err(StoreError::Unavailable(error.to_string()));
        }
        Err(StoreError::Unknown(error.to_string()))
    }

    /// Returns whether the connection is certainly outside a transaction.
    async fn roll_back(&self, transaction: &mut SqliteTransaction) -> bool {
        transaction.abandon();
        transaction.later(Statement::new("ROLLBACK"));
        transaction.flush().await.is_ok()
    }
}

/// Maps the failure of the writer's own statements before the COMMIT. SQLite rolls back by itself
/// when the disk is full or fails, and then reports an unknown savepoint like a wrong statement,
/// although the stored data is intact.
fn ended(failure: &Failure) -> StoreError {
    StoreError::Unavailable(format!("the transaction has ended: {}", failure.error))
}

fn refuse(mut job: Box<dyn Job>) {
    job.fail(closed());
    job.answer();
}

#[cfg(test)]
mod tests;
