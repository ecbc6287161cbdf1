//! Repairs that lose nothing.

use super::{FaultKind, Fsck, Report, live::replay};
use crate::{
    error::Result,
    live::LiveText,
    storage::{RecordPath, SavedText},
};
use izanagi_shared::{id::DocumentId, time::Timestamp};

impl Fsck {
    pub(super) async fn repair(&self, report: &mut Report) -> Result<()> {
        let faults = report.faults.clone();
        for fault in faults {
            let Some(document) = fault.document else { continue };
            match fault.kind {
                FaultKind::Text if self.rewrite_text(document).await? => {
                    let line = format!("document {document}: made its text anew from the log");
                    report.repaired.push(line);
                }
                FaultKind::Orphan => {
                    let count = self.put_orphans_aside(document).await?;
                    if count > 0 {
                        let line = format!("document {document}: put {count} contents aside");
                        report.repaired.push(line);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The log is the truth; the stored text is made from it.
    async fn rewrite_text(&self, document_id: DocumentId) -> Result<bool> {
        let log = self.stores.log.load(document_id).await?;
        // A log that does not replay is no truth to make a text from.
        let Some(text) = replay(&log) else { return Ok(false) };
        let text = LiveText::new(text, log.live_seq);
        let content = text.content.to_string();
        let saved = SavedText { document_id, content, facts: text.facts };
        self.stores.log.save_text(&saved).await?;
        Ok(true)
    }

    /// Hidden, not removed: a person decides about the rest.
    async fn put_orphans_aside(&self, document: DocumentId) -> Result<u64> {
        let row = self.stores.catalog.get(document).await?;
        let versions = self.stores.versions.range(document, 0, row.head_version + 1).await?;
        let orphans = self.orphans(document, &versions).await?;
        for commit in &orphans {
            let path = RecordPath::content(document, *commit);
            self.stores.records.delete(&path, Timestamp::default()).await?;
        }
        Ok(orphans.len() as u64)
    }
}
