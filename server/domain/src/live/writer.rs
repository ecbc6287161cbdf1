//! Group commit: pending updates of all rooms are appended to the log in one transaction (DESIGN
//! §6). The next group gathers while the current one is being written, so many editors share a disk
//! sync. While several documents are edited, a group gathers a little longer ([`Pace`]), because most of
//! what an update costs is its transaction. A single editor does not wait.

use crate::storage::{Batch, BatchOutcome, LiveLog, StoreError, StoreResult};
use futures::FutureExt as _;
use izanagi_shared::id::DocumentId;
use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep},
};

/// Maximum number of batches in a transaction.
const MAX_BATCHES: usize = 256;
/// Time between two transactions, as long as that lets several updates share one.
const APART: Duration = Duration::from_millis(4);
/// Most groups that do not wait after waiting has gathered nothing.
const MOST_UNPACED: u32 = 256;

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
    let (mut group, mut pace) = (Vec::new(), Pace::default());
    while jobs.recv_many(&mut group, MAX_BATCHES).await > 0 {
        let document = group.iter().map(|job: &Job| job.batch.document_id).max();
        if let Some(wait) = pace.wait(document, group.len()) {
            sleep(wait).await;
            let before = group.len();
            while group.len() < MAX_BATCHES
                && let Ok(job) = jobs.try_recv()
            {
                group.push(job);
            }
            pace.gathered(group.len() - before);
        }
        pace.begin(document);
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

/// Decides how long a group gathers.
#[derive(Debug, Default)]
struct Pace {
    /// When the last transaction began.
    begun: Option<Instant>,
    /// A document of the last group.
    document: Option<DocumentId>,
    /// Groups that do not wait.
    unpaced: u32,
    /// How many did not wait the last time.
    last_unpaced: u32,
}

impl Pace {
    /// How long a group of this many batches waits; `document` is one of its documents.
    fn wait(&mut self, document: Option<DocumentId>, batches: usize) -> Option<Duration> {
        let wait = APART.checked_sub(self.begun?.elapsed()).filter(|wait| !wait.is_zero())?;
        // The updates of one document follow each other.
        if batches == 1 && document == self.document {
            return None;
        }
        if self.unpaced > 0 {
            self.unpaced -= 1;
            return None;
        }
        Some(wait)
    }

    /// Notes how many batches have come while a group waited.
    fn gathered(&mut self, batches: usize) {
        self.last_unpaced = match batches {
            0 => (self.last_unpaced * 2).clamp(1, MOST_UNPACED),
            _ => 0,
        };
        self.unpaced = self.last_unpaced;
    }

    fn begin(&mut self, document: Option<DocumentId>) {
        (self.begun, self.document) = (Some(Instant::now()), document);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;
    use uuid::Uuid;

    const MILLISECOND: Duration = Duration::from_millis(1);

    fn document(number: u128) -> Option<DocumentId> {
        Some(DocumentId(Uuid::from_u128(number)))
    }

    #[tokio::test(start_paused = true)]
    async fn a_single_editor_and_rare_edits_do_not_wait() {
        let mut pace = Pace::default();
        for _ in 0..100 {
            assert_eq!(pace.wait(document(1), 1), None);
            pace.begin(document(1));
            advance(MILLISECOND).await;
        }
        for number in 0..100 {
            advance(APART).await;
            assert_eq!(pace.wait(document(number), 1), None);
            pace.begin(document(number));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn many_documents_share_transactions_that_are_apart() {
        let mut pace = Pace::default();
        assert_eq!(pace.wait(document(0), 1), None);
        pace.begin(document(0));
        for number in 1..100 {
            advance(MILLISECOND).await;
            assert_eq!(pace.wait(document(number), 1), Some(APART - MILLISECOND));
            advance(APART - MILLISECOND).await;
            pace.gathered(3);
            pace.begin(document(number));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_that_gathers_nothing_becomes_rare() {
        let mut pace = Pace::default();
        let mut waits = 0;
        for number in 0..10_000 {
            if pace.wait(document(number), 2).is_some() {
                waits += 1;
                pace.gathered(0);
            }
            pace.begin(document(number));
        }
        assert!((10..60).contains(&waits), "{waits}");
    }
}
