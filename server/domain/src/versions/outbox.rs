//! Doing what the outbox holds: demotions, making whole, erasing.

use super::Versions;
use crate::{
    error::{Error, Result},
    storage::{OutboxItem, RecordPath, Topic},
};
use izanagi_shared::id::DocumentId;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How many items are taken at once.
const BATCH: u32 = 64;
/// How often the outbox is looked at without having been rung.
const POLL: Duration = Duration::from_secs(5);

impl Versions {
    /// Works the outbox off until `stop`.
    pub(crate) async fn serve_outbox(self, stop: CancellationToken) {
        loop {
            match self.work_outbox_off().await {
                Ok(()) => {}
                Err(error) => tracing::warn!(?error, "the outbox could not be worked off"),
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.outbox_bell.notified() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }

    /// Does everything that is pending now. An item that fails goes behind the others and does
    /// not stop them.
    ///
    /// # Errors
    /// The outbox itself cannot be reached.
    pub async fn work_outbox_off(&self) -> Result<()> {
        loop {
            let items = self.stores.outbox.pending(BATCH).await?;
            let mut done = 0;
            for item in &items {
                let now = self.clock.now();
                match self.work(item).await {
                    Ok(()) => {
                        self.stores.outbox.done(&item.id, now).await?;
                        done += 1;
                    }
                    Err(error) => {
                        tracing::error!(
                            topic = item.topic.as_str(),
                            key = item.key,
                            ?error,
                            "a job of the outbox failed"
                        );
                        self.stores.outbox.postpone(&item.id, now).await?;
                    }
                }
            }
            if done == 0 {
                return Ok(());
            }
        }
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

    /// Removes the contents of a document that was deleted for ever.
    async fn erase(&self, document: DocumentId) -> Result<()> {
        let collection = RecordPath::contents_of(document);
        loop {
            let records = self.stores.records.query(&collection, None, BATCH, true).await?;
            if records.is_empty() {
                return Ok(());
            }
            for record in records {
                let commit = record.path.id().parse().map_err(Error::internal)?;
                self.erase_content(document, commit).await?;
            }
        }
    }
}
