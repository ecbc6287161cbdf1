//! Group commit: the updates of all rooms that are ready go to the log together, in one
//! transaction (DESIGN §6). Nothing waits for company: while one transaction is being written, the
//! next gathers by itself, so a lone typist pays no delay and a crowd shares the disk.

use crate::storage::{Appended, Batch, BatchOutcome, LiveLog, StoreError, StoreResult};
use futures::FutureExt as _;
use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tokio::sync::{mpsc, oneshot};

/// The most batches in one transaction.
const MAX_BATCHES: usize = 256;

struct Job {
    batch: Batch,
    reply: oneshot::Sender<StoreResult<Vec<Appended>>>,
}

/// The way to the log, shared by all rooms.
#[derive(Clone)]
pub(super) struct LogWriter(mpsc::Sender<Job>);

impl LogWriter {
    /// Starts the writer. It ends with the last handle to it; whoever waits for the rooms to end
    /// has waited for everything that was sent here.
    pub(super) fn start(log: Arc<dyn LiveLog>, timeout: Duration) -> Self {
        let (sender, jobs) = mpsc::channel(MAX_BATCHES);
        tokio::spawn(write_groups(log, timeout, jobs));
        Self(sender)
    }

    /// Appends the updates of one document; durable when it answers.
    pub(super) async fn append(&self, batch: Batch) -> StoreResult<Vec<Appended>> {
        let (reply, answer) = oneshot::channel();
        let job = Job { batch, reply };
        self.0
            .send(job)
            .await
            .map_err(|_| StoreError::Unavailable("the log writer has stopped".to_owned()))?;
        answer
            .await
            .unwrap_or_else(|_| Err(StoreError::Unknown("the log writer stopped".to_owned())))
    }
}

async fn write_groups(log: Arc<dyn LiveLog>, timeout: Duration, mut jobs: mpsc::Receiver<Job>) {
    let mut group = Vec::new();
    while jobs.recv_many(&mut group, MAX_BATCHES).await > 0 {
        let (batches, replies): (Vec<Batch>, Vec<_>) =
            group.drain(..).map(|job| (job.batch, job.reply)).unzip();
        // A log that panics must not end all writing; what it had done by then, nobody knows.
        let append = AssertUnwindSafe(async { log.append(&batches).await }).catch_unwind();
        let answer = match tokio::time::timeout(timeout, append).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(StoreError::Unknown("the log panicked".to_owned())),
            Err(_) => Err(StoreError::Unknown("no answer".to_owned())),
        };
        match answer {
            Ok(results) => {
                for (reply, result) in replies.into_iter().zip(results) {
                    drop(reply.send(result.and_then(BatchOutcome::into_appended)));
                }
            }
            Err(error) => {
                for reply in replies {
                    drop(reply.send(Err(error.clone())));
                }
            }
        }
    }
}
