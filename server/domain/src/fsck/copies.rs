//! The second place of the document store, if it has one.

use super::{FaultKind, Findings, Fsck, Report};
use crate::error::Result;

impl Fsck {
    /// Reports records whose copies in the second place differ; makes them equal if `repair` is set.
    pub(super) async fn check_copies(&self, repair: bool, report: &mut Report) -> Result<()> {
        let Some(routing) = &self.core.stores.routing else { return Ok(()) };
        let mut found = Findings::new(None);
        let differences = found.sound(FaultKind::Copy, routing.compare(repair).await)?.flatten();
        let differences = differences.unwrap_or_default();
        for path in &differences.paths {
            found.add(FaultKind::Copy, format!("{path} differs in the second place"));
            if repair {
                report.repaired.push(format!("{path}: copied to the second place"));
            }
        }
        let unnamed = differences.count - differences.paths.len() as u64;
        if unnamed > 0 {
            found.add(FaultKind::Copy, format!("{unnamed} more records differ"));
        }
        report.take(found);
        Ok(())
    }
}
