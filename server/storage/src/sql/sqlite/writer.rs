//! The one writer of a SQLite database. It takes whatever writes have queued up and does them in
//! one transaction, so that they share one sync of the disk: while a group is being committed the
//! next one gathers by itself. Each write has a savepoint of its own, so that its failure does not
//! harm its neighbours, and learns its result only after the COMMIT. A caller that goes away does
//! not stop its write.

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

/// How many writes may wait. More wait outside.
const QUEUE: usize = 256;
/// How many writes share a transaction at most.
const GROUP: usize = 64;

enum Message {
    Write(Box<dyn Job>),
    Close(oneshot::Sender<()>),
}

/// The way to the writer.
pub(super) struct Writer(mpsc::Sender<Message>);

impl Writer {
    /// Starts the writer on a connection that it alone writes on.
    pub(super) fn start(connector: Connector, connection: Shared) -> Self {
        let (sender, inbox) = mpsc::channel(QUEUE);
        let commit_sent = AtomicBool::new(false);
        tokio::spawn(Loop { connector, connection, inbox, commit_sent }.run());
        Self(sender)
    }

    /// Does the work in a transaction. What it gives is durable.
    pub(super) async fn write<T: Send + 'static>(&self, work: Work<T>) -> StoreResult<T> {
        self.send(|caller| Box::new(Write::new(work, caller))).await
    }

    /// Runs one statement in a transaction; gives how many rows it changed.
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

    /// Does what is queued and ends.
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
    /// Whether the COMMIT of the group at hand may have reached the database.
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
            // A bug in one group must not end all writing. Its connection goes with it.
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
            // Nobody may be waiting any more.
            let _ = done.send(());
        }
    }

    /// Leaves each job of a group that panicked with what is known of it.
    fn interrupted(&self, jobs: &mut [Box<dyn Job>]) {
        tracing::error!("the writer panicked in a group of {} writes and goes on", jobs.len());
        let why = "the writer panicked".to_owned();
        let error = match self.commit_sent.load(Ordering::Relaxed) {
            true => StoreError::Unknown(why),
            false => StoreError::Unavailable(why),
        };
        jobs.iter_mut().for_each(|job| job.fail(error.clone()));
    }

    /// Does the jobs in one transaction and leaves each with its result.
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
                // A database in memory is its connection, whatever happened to it.
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

    /// Says whether the connection is in a known state afterwards.
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

    /// Ends a transaction that cannot be committed; jobs that had failed before keep their reason.
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

    /// A job that is alone needs no savepoint, and its last statements travel with the COMMIT.
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

    /// Says whether the job is to be kept; an error is the end of the whole transaction.
    async fn beside_others(
        &self,
        transaction: &mut SqliteTransaction,
        job: &mut dyn Job,
    ) -> StoreResult<bool> {
        // What was queued before, a BEGIN or RELEASE, is not this job's to fail with.
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

    /// Sends what is queued and the COMMIT; gives what they did.
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

    /// Says whether the connection is certainly outside a transaction now.
    async fn roll_back(&self, transaction: &mut SqliteTransaction) -> bool {
        transaction.abandon();
        transaction.later(Statement::new("ROLLBACK"));
        transaction.flush().await.is_ok()
    }
}

/// What it means that one of the writer's own statements before the COMMIT fails. SQLite ends a
/// transaction by itself when the disk is full or fails, and then knows no savepoint any more: its
/// words are those of a wrong statement, but nothing is wrong with what is stored.
fn ended(failure: &Failure) -> StoreError {
    StoreError::Unavailable(format!("the transaction has ended: {}", failure.error))
}

fn refuse(mut job: Box<dyn Job>) {
    job.fail(closed());
    job.answer();
}

#[cfg(test)]
mod tests;
