//! Parked jobs, and the change feed.

use super::{BATCH, FaultKind, Findings, Fsck, Report};
use crate::error::Result;

impl Fsck {
    /// Reports jobs that keep failing, up to a limit: one cause often affects many jobs.
    pub(super) async fn check_jobs(&self, report: &mut Report) -> Result<()> {
        let mut found = Findings::new(None);
        let parked = self.core.stores.relational.outbox.parked(BATCH).await;
        for job in found.sound(FaultKind::Row, parked)?.unwrap_or_default() {
            let (topic, key, attempts) = (job.topic.as_str(), &job.key, job.attempts);
            found.add(FaultKind::Job, format!("{topic} {key} has failed {attempts} times"));
        }
        report.take(found);
        Ok(())
    }

    pub(super) async fn check_feed(&self, report: &mut Report) -> Result<()> {
        let mut found = Findings::new(None);
        let feed = self.core.stores.relational.inspect.feed().await;
        let feed = found.sound(FaultKind::Row, feed)?.unwrap_or_default();
        for (count, what) in [
            (feed.shared_numbers, "numbers are used by a change and a tombstone"),
            (feed.missing_documents, "documents are missing in the change feed"),
            (feed.false_tombstones, "tombstones are for readers who can see the document"),
        ] {
            if count > 0 {
                found.add(FaultKind::Change, format!("{count} {what}"));
            }
        }
        report.take(found);
        Ok(())
    }
}
