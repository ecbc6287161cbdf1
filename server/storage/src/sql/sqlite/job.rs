//! Write jobs and their replies.

use super::{connection::Done, transaction::SqliteTransaction};
use crate::sql::{database::Transaction as _, statement::Statement};
use futures::{FutureExt as _, future::BoxFuture};
use izanagi_domain::storage::{StoreError, StoreResult};
use std::panic::AssertUnwindSafe;
use tokio::sync::oneshot;

/// A write job, independent of its result type.
pub(super) trait Job: Send {
    /// Runs the job inside a transaction; returns whether to keep its changes.
    fn run<'a>(&'a mut self, transaction: &'a mut SqliteTransaction) -> BoxFuture<'a, bool>;
    /// Receives the results of statements that were left for the end of the job.
    fn settle(&mut self, done: &[Done]);
    /// The job failed, or its outcome is unknown.
    fn fail(&mut self, error: StoreError);
    /// Replies to the caller, if it still waits.
    fn answer(self: Box<Self>);
}

/// What a job does.
pub(super) type Work<T> =
    Box<dyn for<'t> FnOnce(&'t mut SqliteTransaction) -> BoxFuture<'t, StoreResult<T>> + Send>;

/// A write with a result of type `T`.
pub(super) struct Write<T> {
    work: Option<Work<T>>,
    result: StoreResult<T>,
    caller: oneshot::Sender<StoreResult<T>>,
}

impl<T> Write<T> {
    pub(super) fn new(work: Work<T>, caller: oneshot::Sender<StoreResult<T>>) -> Self {
        let result = Err(StoreError::Unavailable("not begun".to_owned()));
        Self { work: Some(work), result, caller }
    }
}

impl<T: Send> Job for Write<T> {
    fn run<'a>(&'a mut self, transaction: &'a mut SqliteTransaction) -> BoxFuture<'a, bool> {
        async move {
            if let Some(work) = self.work.take() {
                // A panicking job must not stop the writer.
                let result = AssertUnwindSafe(work(transaction)).catch_unwind().await;
                let panicked = |_| Err(StoreError::Unavailable("a write panicked".to_owned()));
                self.result = result.unwrap_or_else(panicked);
            }
            self.result.is_ok()
        }
        .boxed()
    }

    fn settle(&mut self, _: &[Done]) {}

    fn fail(&mut self, error: StoreError) {
        self.result = Err(error);
    }

    fn answer(self: Box<Self>) {
        // The caller may be gone; the work is done anyway.
        drop(self.caller.send(self.result));
    }
}

/// A write of one statement that returns the number of changed rows. It is sent together with the
/// beginning and the end of its transaction.
pub(super) struct Single {
    statement: Option<Statement>,
    result: StoreResult<u64>,
    caller: oneshot::Sender<StoreResult<u64>>,
}

impl Single {
    pub(super) fn new(statement: Statement, caller: oneshot::Sender<StoreResult<u64>>) -> Self {
        Self { statement: Some(statement), result: Ok(0), caller }
    }
}

impl Job for Single {
    fn run<'a>(&'a mut self, transaction: &'a mut SqliteTransaction) -> BoxFuture<'a, bool> {
        let statement = self.statement.take();
        statement.into_iter().for_each(|statement| transaction.later(statement));
        std::future::ready(true).boxed()
    }

    /// Its result is between those of the beginning and the end.
    fn settle(&mut self, done: &[Done]) {
        let own = match done {
            [_, own, _] => Ok(own.affected),
            _ => Err(StoreError::Unknown("a result is missing".to_owned())),
        };
        self.result = own;
    }

    fn fail(&mut self, error: StoreError) {
        self.result = Err(error);
    }

    fn answer(self: Box<Self>) {
        drop(self.caller.send(self.result));
    }
}
