//! Background jobs (DESIGN §3): every job is an item of the outbox, and every topic has one worker
//! per process. A worker leases items, so that no two nodes run one at once and the items of a
//! crashed node become available again. Periodic jobs are items that are never removed.

mod moving;
mod retention;
mod wake;
mod worker;

pub use wake::Wake;
pub use worker::{LEASE, PARKED_AFTER};

use crate::{
    core::Core,
    error::{Error, Result},
    storage::{MovedStore, OutboxItem, Topic},
    versions::Versions,
};
use izanagi_shared::id::DocumentId;
use retention::FirstError;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use worker::Worker;

/// The job runner.
#[derive(Debug, Clone)]
pub struct Jobs {
    core: Core,
    versions: Versions,
    keep_edits: Duration,
}

impl Jobs {
    /// Creates the runner. `keep_edits` is the retention of edit history.
    #[must_use]
    pub const fn new(core: Core, versions: Versions, keep_edits: Duration) -> Self {
        Self { core, versions, keep_edits }
    }

    /// Starts the workers.
    pub(crate) fn start(&self) {
        for topic in Topic::ALL {
            let worker = Worker::new(self.clone(), topic);
            self.core.tasks.spawn(worker.serve(self.core.stop.clone()));
        }
    }

    /// Runs everything that is due. A failing job is postponed and does not stop the others. Returns
    /// the number of failed jobs.
    ///
    /// # Errors
    /// The outbox cannot be read or written. The remaining topics still run.
    pub async fn work_off(&self) -> Result<u64> {
        let (mut failed, mut failure) = (0, FirstError::default());
        for topic in Topic::ALL {
            let worker = Worker::new(self.clone(), topic);
            match worker.work_off(&CancellationToken::new()).await {
                Ok(more) => failed += more,
                Err(error) => failure.note(Err::<(), _>(error)),
            }
        }
        failure.0.map_or(Ok(failed), Err)
    }

    /// Runs everything that is due, and the periodic jobs in any case. Returns the number of failed
    /// jobs. Jobs that another process is running are left to it.
    ///
    /// # Errors
    /// As [`Self::work_off`].
    pub async fn run_now(&self) -> Result<u64> {
        for topic in Topic::ALL.into_iter().filter(|topic| topic.period().is_some()) {
            Worker::new(self.clone(), topic).schedule().await?;
            let now = self.core.clock.now();
            self.core.stores.relational.outbox.make_due(topic, now).await?;
        }
        self.work_off().await
    }

    /// Runs one job. It may be dropped anywhere and run again.
    async fn run(&self, item: &OutboxItem) -> Result<()> {
        let unreadable = || Error::internal(format!("unreadable key {}", item.key));
        match item.topic {
            Topic::Demote => {
                let (document, number) = version(&item.key).ok_or_else(unreadable)?;
                self.versions.demote(document, number).await
            }
            Topic::MakeWhole => {
                let (document, number) = version(&item.key).ok_or_else(unreadable)?;
                self.versions.make_whole(document, number).await
            }
            Topic::Erase => {
                let document = item.key.parse().map_err(|_| unreadable())?;
                self.versions.erase(document).await
            }
            Topic::Collect => self.collect().await.map(drop),
            Topic::Forget => self.forget().await,
            Topic::Move => {
                let store = MovedStore::parse(&item.key).ok_or_else(unreadable)?;
                self.carry_on_moving(store).await
            }
        }
    }
}

/// Parses the key `{document}/{number}`.
fn version(key: &str) -> Option<(DocumentId, u64)> {
    let (document, number) = key.split_once('/')?;
    Some((document.parse().ok()?, number.parse().ok()?))
}
