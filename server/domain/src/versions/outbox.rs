//! Outbox worker: demotions, promotions and erasures.

use super::Versions;
use crate::{
    contained::contained,
    error::{Error, Result},
    storage::{OutboxItem, Topic},
};
use izanagi_shared::time::Timestamp;
use std::{collections::HashMap, time::Duration};
use tokio_util::sync::CancellationToken;

/// Batch size.
const BATCH: u32 = 64;
/// Polling interval of the outbox, and the delay after an item's first failure. The delay doubles
/// with each further failure.
const POLL: Duration = Duration::from_secs(5);
/// Maximum number of doublings, to about five minutes.
const DOUBLINGS: u32 = 6;

/// Failure count and due time of failed items.
#[derive(Default)]
struct Failures(HashMap<String, (u32, Timestamp)>);

impl Failures {
    fn is_due(&self, item: &OutboxItem, now: Timestamp) -> bool {
        self.0.get(&item.id).is_none_or(|(_, due)| *due <= now)
    }

    /// Records a failure; returns when to retry.
    fn add(&mut self, item: &OutboxItem, now: Timestamp) -> Timestamp {
        let (times, due) = self.0.entry(item.id.clone()).or_insert((0, now));
        *due = now.plus(POLL * 2_u32.pow((*times).min(DOUBLINGS)));
        *times += 1;
        *due
    }
}

impl Versions {
    /// Processes the outbox until `stop`.
    pub(crate) async fn serve_outbox(self, stop: CancellationToken) {
        let mut failures = Failures::default();
        loop {
            if let Err(error) = contained(self.work_off(&stop, &mut failures)).await {
                tracing::warn!(?error, "the outbox could not be processed");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.outbox_bell.notified() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }

    /// Processes everything pending. A failing item moves behind the others and does not block
    /// them.
    ///
    /// # Errors
    /// The outbox cannot be read.
    pub async fn work_outbox_off(&self) -> Result<()> {
        self.work_off(&CancellationToken::new(), &mut Failures::default()).await
    }

    async fn work_off(&self, stop: &CancellationToken, failures: &mut Failures) -> Result<()> {
        loop {
            let mut items = self.core.stores.relational.outbox.pending(BATCH).await?;
            let now = self.core.clock.now();
            // Delayed items sort last, so if one comes first, only delayed ones remain.
            items.retain(|item| failures.is_due(item, now));
            if items.is_empty() {
                return Ok(());
            }
            for item in &items {
                // A backlog must not delay the shutdown; the outbox is durable.
                if stop.is_cancelled() {
                    return Ok(());
                }
                self.work_one_off(item, failures).await?;
            }
        }
    }

    async fn work_one_off(&self, item: &OutboxItem, failures: &mut Failures) -> Result<()> {
        let worked = contained(self.work(item)).await;
        let now = self.core.clock.now();
        match worked {
            Ok(()) => {
                self.core.stores.relational.outbox.done(&item.id).await?;
                failures.0.remove(&item.id);
            }
            Err(error) => {
                let (topic, key) = (item.topic.as_str(), &item.key);
                tracing::error!(topic, key, ?error, "an outbox job failed");
                let due = failures.add(item, now);
                self.core.stores.relational.outbox.postpone(&item.id, due).await?;
            }
        }
        Ok(())
    }

    async fn work(&self, item: &OutboxItem) -> Result<()> {
        let version = || {
            let (document, number) = item.key.split_once('/')?;
            Some((document.parse().ok()?, number.parse().ok()?))
        };
        let unreadable = || Error::internal(format!("unreadable outbox key {}", item.key));
        match item.topic {
            Topic::Demote => {
                let (document, number) = version().ok_or_else(unreadable)?;
                self.demote(document, number).await
            }
            Topic::MakeWhole => {
                let (document, number) = version().ok_or_else(unreadable)?;
                self.make_whole(document, number).await
            }
            Topic::Erase => {
                let document = item.key.parse().map_err(|_| unreadable())?;
                self.erase(document).await
            }
        }
    }
}
