//! Parked jobs.

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
}
