//! The worker of one topic.

use super::Jobs;
use crate::{
    contained::contained,
    error::{Error, Result},
    patience::patiently,
    storage::{Claim, OutboxItem, Settlement, Topic},
};
use izanagi_shared::time::Timestamp;
use std::{collections::HashSet, time::Duration};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Duration of a lease.
pub const LEASE: Duration = Duration::from_secs(60);
/// Number of attempts after which an item is parked.
pub const PARKED_AFTER: u32 = 10;

/// Interval at which leases are extended.
const HEARTBEAT: Duration = Duration::from_secs(20);
/// Items per claim.
const BATCH: u32 = 32;
/// Polling interval, and the shortest delay after the first failure of an item.
const POLL: Duration = Duration::from_secs(5);
/// Limit of the delay, which doubles with each further failure.
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
    /// The lease was lost, or could not be extended before it lapsed.
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
        // A full scan should not compete with the requests of a server that has just started.
        let delay = if self.topic == Topic::Forget { LONGEST_DELAY } else { Duration::ZERO };
        let first = Instant::now() + delay;
        loop {
            let round = async {
                self.schedule().await?;
                if Instant::now() < first {
                    return Ok(());
                }
                self.work_off(&stop).await.map(drop)
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
    pub(super) async fn schedule(&self) -> Result<()> {
        if self.topic.period().is_some() {
            let outbox = &self.jobs.core.stores.relational.outbox;
            outbox.ensure(self.topic, Topic::PERIODIC_KEY, self.now()).await?;
        }
        Ok(())
    }

    /// Runs everything that is due. Returns the number of failed jobs.
    ///
    /// # Errors
    /// The outbox cannot be read or written.
    pub(super) async fn work_off(&self, stop: &CancellationToken) -> Result<u64> {
        let core = &self.jobs.core;
        let mut failed = 0;
        while !stop.is_cancelled() {
            let (now, beat) = (self.now(), Instant::now() + HEARTBEAT);
            let until = now.plus(LEASE);
            let horizon = now.plus(longest_delay(self.topic)).plus(LEASE);
            let (topic, worker) = (self.topic, self.id);
            let claim = Claim { topic, worker, limit: BATCH, now, until, horizon };
            let items = core.stores.relational.outbox.claim(&claim).await?;
            if items.is_empty() {
                break;
            }
            let held = items.iter().map(|item| item.id).collect();
            let mut lease = Lease { worker: self, held, until, beat };
            for item in &items {
                // A backlog must not delay the shutdown; the outbox is durable.
                if stop.is_cancelled() {
                    self.settle(item, Settlement::Release).await?;
                } else if !self.attempt(item, &mut lease, stop).await? {
                    failed += 1;
                }
            }
        }
        Ok(failed)
    }

    /// Runs one item, and returns whether it did not fail.
    async fn attempt(
        &self,
        item: &OutboxItem,
        lease: &mut Lease<'_>,
        stop: &CancellationToken,
    ) -> Result<bool> {
        let (topic, key) = (self.topic.as_str(), &item.key);
        if lease.is_short() {
            lease.extend().await?;
        }
        if !lease.held.contains(&item.id) {
            tracing::warn!(topic, key, "the lease of a job lapsed before its start");
            return Ok(true);
        }
        // Its runs end the process, or failed to record their failure.
        if item.attempts >= PARKED_AFTER && !item.is_parked {
            tracing::error!(topic, key, attempts = item.attempts, "a job never ends: parked");
            let park = Settlement::Park(self.now().plus(parked_delay(self.topic)));
            self.settle(item, park).await?;
            return Ok(false);
        }
        let outbox = &self.jobs.core.stores.relational.outbox;
        let Some(attempts) = outbox.begin(item.id, self.id).await? else {
            tracing::warn!(topic, key, "the lease of a job lapsed before its start");
            return Ok(true);
        };
        let ended = tokio::select! {
            biased;
            result = self.run(item) => Ended::Finished(result),
            () = lease.keep(item.id) => Ended::Lapsed,
            () = after(stop, GRACE) => Ended::Stopped,
        };
        match ended {
            Ended::Finished(Ok(())) => {
                let next = self.topic.period().map(|period| self.now().plus(period));
                self.settle(item, next.map_or(Settlement::Done, Settlement::Again)).await?;
                Ok(true)
            }
            Ended::Finished(Err(error)) => {
                let settlement = self.after_failure(attempts);
                if matches!(settlement, Settlement::Park(_)) {
                    tracing::error!(topic, key, attempts, ?error, "a job keeps failing: parked");
                } else {
                    tracing::warn!(topic, key, attempts, ?error, "a job failed");
                }
                self.settle(item, settlement).await?;
                Ok(false)
            }
            Ended::Lapsed => {
                tracing::error!(topic, key, attempts, "the lease of a job lapsed");
                Ok(true)
            }
            Ended::Stopped => {
                self.settle(item, Settlement::Interrupt).await?;
                Ok(true)
            }
        }
    }

    /// Runs a job for a limited time.
    async fn run(&self, item: &OutboxItem) -> Result<()> {
        let run = timeout(longest_run(self.topic), contained(self.jobs.run(item)));
        run.await.unwrap_or_else(|_| Err(Error::internal("ran for too long")))
    }

    fn after_failure(&self, attempts: u32) -> Settlement {
        if attempts < PARKED_AFTER {
            Settlement::Retry(self.now().plus(retry_delay(self.topic, attempts)))
        } else {
            Settlement::Park(self.now().plus(parked_delay(self.topic)))
        }
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

/// The leases of a batch.
struct Lease<'a> {
    worker: &'a Worker,
    /// The items held at the last extension.
    held: HashSet<Uuid>,
    /// When the leases lapse.
    until: Timestamp,
    /// When they are extended next.
    beat: Instant,
}

impl Lease<'_> {
    /// Whether a job should not start before the leases are extended.
    fn is_short(&self) -> bool {
        self.worker.now().plus(HEARTBEAT * 2) > self.until
    }

    async fn extend(&mut self) -> Result<()> {
        let (until, beat) = (self.worker.now().plus(LEASE), Instant::now() + HEARTBEAT);
        let outbox = &self.worker.jobs.core.stores.relational.outbox;
        self.held = outbox.extend(self.worker.id, until).await?.into_iter().collect();
        (self.until, self.beat) = (until, beat);
        Ok(())
    }

    /// Extends the leases for as long as possible; returns when that of `running` is lost.
    async fn keep(&mut self, running: Uuid) {
        while self.held.contains(&running) && self.worker.now() < self.until {
            sleep_until(self.beat).await;
            match timeout(HEARTBEAT, self.extend()).await {
                Ok(Ok(())) => {}
                failed => {
                    tracing::warn!(?failed, "leases could not be extended");
                    self.beat = Instant::now() + POLL;
                }
            }
        }
    }
}

/// Delay after this many failures. A failing periodic job must not cost much more than a working
/// one, so it is not retried more often than 24 times per period.
fn retry_delay(topic: Topic, attempts: u32) -> Duration {
    let first = topic.period().map_or(POLL, |period| POLL.max(period / 24));
    let doublings = attempts.saturating_sub(1).min(16);
    (first * 2_u32.pow(doublings)).min(first.max(LONGEST_DELAY))
}

/// Delay between attempts of a parked item. A periodic job has no successors that could do its
/// work, so it keeps its period.
fn parked_delay(topic: Topic) -> Duration {
    topic.period().unwrap_or(PARKED_DELAY)
}

/// The longest delay that a worker schedules an item with.
fn longest_delay(topic: Topic) -> Duration {
    parked_delay(topic).max(LONGEST_DELAY)
}

/// How long a job may run. A job that hangs would otherwise hold its topic for ever.
const fn longest_run(topic: Topic) -> Duration {
    let minutes = match topic {
        Topic::Demote | Topic::MakeWhole => 10,
        Topic::Erase | Topic::Collect => 60,
        Topic::Forget => 6 * 60,
        Topic::Move => 7 * 24 * 60,
    };
    Duration::from_secs(minutes * 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_periodic_job_is_not_retried_often() {
        let delays = |topic| [1, 2, 9].map(|attempts| retry_delay(topic, attempts).as_secs());
        assert_eq!(delays(Topic::Erase), [5, 10, 300]);
        assert_eq!(delays(Topic::Collect), [5, 10, 300]);
        assert_eq!(delays(Topic::Forget), [3_600, 3_600, 3_600]);
        assert_eq!(Some(parked_delay(Topic::Forget)), Topic::Forget.period());
    }
}
