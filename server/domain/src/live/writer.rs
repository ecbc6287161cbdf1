//! Group commit: pending updates of all rooms are appended to the log in one transaction (DESIGN
//! §6). There is no batching delay: the next group gathers while the current one is being written,
//! so a single editor waits for nothing and many editors share a disk sync.

use crate::storage::{Batch, BatchOutcome, LiveLog, StoreError, StoreResult};
use futures::FutureExt as _;
use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tokio::sync::{mpsc, oneshot};

/// Maximum number of batches in a transaction.
const MAX_BATCHES: usize = 256;

struct Job {
    batch: Batch,
    reply: oneshot::Sender<StoreResult<BatchOutcome>>,
}

/// Handle to the log writer, shared by all rooms.
#[derive(Clone)]
pub(super) struct LogWriter(mpsc::Sender<Job>);

impl LogWriter {
    /// Starts the writer. It ends when the last handle is dropped, after completing all appends.
    pub(super) fn start(log: Arc<dyn LiveLog>, timeout: Duration) -> Self {
        let (sender, jobs) = mpsc::channel(MAX_BATCHES);
        tokio::spawn(write_groups(log, timeout, jobs));
        Self(sender)
    }

    /// Appends the updates of one document. If they are appended, they are durable on return.
    pub(super) async fn append(&self, batch: Batch) -> StoreResult<BatchOutcome> {
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
        // A panic in the log must not stop the writer; the outcome of that append is unknown.
        let append = AssertUnwindSafe(async { log.append(&batches).await }).catch_unwind();
        let answer = match tokio::time::timeout(timeout, append).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(StoreError::Unknown("the log panicked".to_owned())),
            Err(_) => Err(StoreError::Unknown("no answer".to_owned())),
        };
        match answer {
            Ok(results) => {
                for (reply, result) in replies.into_iter().zip(results) {
                    drop(reply.send(result));
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
