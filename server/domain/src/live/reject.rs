//! Rows of the log that turn out to be invalid when what they wait for arrives.

use super::{
    lineage::invalid,
    replica::Replica,
    room::Room,
    seal::{seal, unseal},
};
use crate::{
    error::Result,
    storage::{Constraint, CutUpdates, StoreError},
};
use izanagi_shared::{crdt::Rejected, sync::EMPTY_UPDATE};

impl Room {
    /// Takes a row out of the document. `replica` is the one that has rejected it, if the row has been in
    /// it for some time: then a part of it may be in the text, on which others may have built. That part
    /// stays, and replaces the row. Otherwise the row is quarantined.
    pub(super) async fn reject(
        &mut self,
        rejected: &Rejected,
        replica: Option<&Replica>,
    ) -> Result<()> {
        if let Some(replica) = replica.filter(|_| invalid(rejected).is_some())
            && self.cut_to_part(rejected, replica).await?
        {
            return Ok(());
        }
        self.quarantine(rejected).await
    }

    /// Returns false if no part of the row is in the text.
    async fn cut_to_part(&self, rejected: &Rejected, replica: &Replica) -> Result<bool> {
        let Rejected { tag: seq, cause } = rejected;
        let log = self.context.log.load(self.document).await?;
        let row = log.updates.iter().find(|row| row.seq == *seq);
        let delta = row.and_then(|row| unseal(&row.delta));
        let part = delta.and_then(|delta| replica.lineage.doc().integrated_part(delta).ok());
        let Some(part) = part.filter(|part| part != EMPTY_UPDATE) else { return Ok(false) };
        let (document_id, live_seq, updates) =
            (self.document, log.live_seq, vec![(*seq, seal(&part))]);
        match self.context.log.cut(&CutUpdates { document_id, live_seq, updates }).await {
            Ok(()) => {
                tracing::warn!(docId = %document_id, seq, %cause, "the rest of an update is invalid and is removed");
                Ok(true)
            }
            // Another room has written, and the next load decides.
            Err(StoreError::Conflict(Constraint::LogChanged)) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    /// Quarantines a log row.
    async fn quarantine(&mut self, rejected: &Rejected) -> Result<()> {
        let Rejected { tag: seq, cause } = rejected;
        if invalid(rejected).is_some() {
            tracing::warn!(docId = %self.document, seq, %cause, "an invalid update is quarantined");
        } else {
            tracing::error!(docId = %self.document, seq, %cause, "an update that cannot be applied is quarantined");
        }
        let now = self.context.clock.now();
        match self.context.log.quarantine(self.document, *seq, now).await {
            Ok(()) | Err(StoreError::NotFound) => {
                self.quarantined.insert(*seq);
                self.note_quarantined(*seq);
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}
