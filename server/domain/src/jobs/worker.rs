//! The worker of one topic.

use super::Jobs;
use crate::{
    contained::contained,
    error::{Error, Result},
    patience::patiently,
    storage::{Claim, OutboxItem, Settlement, Topic},
};
use izanagi_shared::time::Timestamp;
use std::time::Duration;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Duration of a lease.
pub const LEASE: Duration = Duration::from_secs(60);
/// Number of failures after which an item is parked.
pub const PARKED_AFTER: u32 = 10;

/// Interval at which leases are extended.
const HEARTBEAT: Duration = Duration::from_secs(20);
/// Items per claim.
const BATCH: u32 = 32;
/// Polling interval, and the delay after the first failure of an item. The delay doubles with each
/// further failure,
const POLL: Duration = Duration::from_secs(5);
/// up to this one.
const LONGEST_DELAY: Duration = Duration::from_secs(5 * 60);
/// Delay between attempts of a parked item.
const PARKED_DELAY: Duration = Duration::from_secs(60 * 60);
/// Time that a running job has to end at shutdown. Afterwards it is dropped and run again later.
const GRACE: Duration = Duration::from_secs(2);

/// Runs the jobs of a topic, one after the other.
pub(super) struct Worker {
    jobs: Jobs,
    topic: Topic,
    id: Uuid,
}

/// How a run ended.
enum Ended {
    Finished(Result<()>),
    /// The lease could not be extended; another worker may have taken over.
    Lapsed,
    /// The process is shutting down.
    Stopped,
}

impl Worker {
    pub(super) fn new(jobs: Jobs, topic: Topic) -> Self {
        let id = jobs.core.ids.uuid();
        Self { jobs, topic, id }
    }

    /// Runs the jobs of the topic until `stop`.
    pub(super) async fn serve(self, stop: CancellationToken) {
        let topic = self.topic.as_str();
        let mut is_scheduled = self.topic.period().is_none();
        loop {
            let round = async {
                if !is_scheduled {
                    self.schedule().await?;
                }
                is_scheduled = true;
                self.work_off(&stop).await
            };
            // A hanging store must not delay the shutdown.
            let ended = tokio::select! {
                ended = contained(round) => ended,
                () = after(&stop, GRACE * 2) => return,
            };
            if let Err(error) = ended {
                tracing::warn!(topic, ?error, "jobs could not be run and will be retried");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.jobs.core.wake.signal(self.topic) => {}
                () = sleep(POLL) => {}
            }
        }
    }

    /// Creates the item of a periodic topic if it does not exist.
    async fn schedule(&self) -> Result<()> {
        // A full scan should not compete with the requests of a server that has just started.
        let delay = if self.topic == Topic::Forget { LONGEST_DELAY } else { Duration::ZERO };
        let first = self.now().plus(delay);
        let outbox = &self.jobs.core.stores.relational.outbox;
        Ok(outbox.ensure(self.topic, Topic::PERIODIC_KEY, first).await?)
    }

    /// Runs everything that is due.
    ///
    /// # Errors
    /// The outbox cannot be read or written.
    pub(super) async fn work_off(&self, stop: &CancellationToken) -> Result<()> {
        let core = &self.jobs.core;
        while !stop.is_cancelled() {
            let now = self.now();
            let mut until = now.plus(LEASE);
            let claim = Claim { topic: self.topic, worker: self.id, limit: BATCH, now, until };
            let items = core.stores.relational.outbox.claim(&claim).await?;
            if items.is_empty() {
                return Ok(());
            }
            for item in &items {
                // A backlog must not delay the shutdown; the outbox is durable.
                if stop.is_cancelled() {
                    self.settle(item, Settlement::Release).await?;
                } else if self.now() < until {
                    self.attempt(item, &mut until, stop).await?;
                }
            }
        }
        Ok(())
    }

    async fn attempt(
        &self,
        item: &OutboxItem,
        until: &mut Timestamp,
        stop: &CancellationToken,
    ) -> Result<()> {
        let ended = tokio::select! {
            biased;
            result = contained(self.jobs.run(item)) => Ended::Finished(result),
            () = self.keep_lease(until) => Ended::Lapsed,
            () = after(stop, GRACE) => Ended::Stopped,
        };
        let (topic, key, attempts) = (self.topic.as_str(), &item.key, item.attempts);
        match ended {
            Ended::Finished(Ok(())) => {
                let next = self.topic.period().map(|period| self.now().plus(period));
                self.settle(item, next.map_or(Settlement::Done, Settlement::Again)).await
            }
            Ended::Finished(Err(error)) => {
                let settlement = self.after_failure(attempts);
                if matches!(settlement, Settlement::Park(_)) {
                    tracing::error!(topic, key, attempts, ?error, "a job keeps failing: parked");
                } else {
                    tracing::warn!(topic, key, attempts, ?error, "a job failed");
                }
                self.settle(item, settlement).await
            }
            Ended::Lapsed => {
                tracing::error!(topic, key, attempts, "the lease of a job lapsed");
                Ok(())
            }
            Ended::Stopped => self.settle(item, Settlement::Release).await,
        }
    }

    /// Extends the worker's leases for as long as possible; returns when they have lapsed.
    async fn keep_lease(&self, until: &mut Timestamp) {
        let outbox = &self.jobs.core.stores.relational.outbox;
        while self.now() < *until {
            sleep(HEARTBEAT).await;
            let extended = self.now().plus(LEASE);
            match timeout(HEARTBEAT, outbox.extend(self.id, extended)).await {
                Ok(Ok(0)) => return,
                Ok(Ok(_)) => *until = extended,
                failed => tracing::warn!(?failed, "a lease could not be extended"),
            }
        }
    }

    fn after_failure(&self, attempts: u32) -> Settlement {
        let now = self.now();
        let doublings = attempts.saturating_sub(1).min(16);
        let delay = (POLL * 2_u32.pow(doublings)).min(LONGEST_DELAY);
        if attempts < PARKED_AFTER {
            return Settlement::Retry(now.plus(delay));
        }
        // A periodic job has no successors that could do its work.
        let delay = self.topic.period().map_or(PARKED_DELAY, |period| period.min(PARKED_DELAY));
        Settlement::Park(now.plus(delay))
    }

    /// Ends the lease of an item. After a lost reply the second call finds nothing to do.
    async fn settle(&self, item: &OutboxItem, settlement: Settlement) -> Result<()> {
        let outbox = &self.jobs.core.stores.relational.outbox;
        let settle = || async {
            let settled = outbox.settle(item.id, self.id, settlement).await;
            settled.map_err(Error::from)
        };
        patiently(settle).await.map(drop)
    }

    fn now(&self) -> Timestamp {
        self.jobs.core.clock.now()
    }
}

/// Waits until this long after the shutdown began.
async fn after(stop: &CancellationToken, delay: Duration) {
    stop.cancelled().await;
    sleep(delay).await;
}
