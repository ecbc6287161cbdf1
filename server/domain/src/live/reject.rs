//! Rows of the log that turn out to be invalid when what they wait for arrives, and writers of many.

use super::{
    lineage::invalid,
    replica::Replica,
    room::Room,
    seal::{seal, unseal},
};
use crate::{
    error::{Error, Result},
    storage::{Constraint, CutUpdates, KnownOp, MAX_QUARANTINED, StoreError},
};
use izanagi_shared::{crdt::Rejected, id::ActorId, sync::EMPTY_UPDATE};

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

    /// Refuses a writer of very many quarantined updates. They are acknowledged, so they are kept,
    /// and must not grow without a limit. What is durable already is not refused.
    pub(super) async fn check_quarantine(&self, actor: ActorId, op_id: &str) -> Result<()> {
        if !self.full.contains(&actor) || self.known_op(actor, op_id).await?.is_some() {
            return Ok(());
        }
        Err(Error::TooLarge(format!(
            "{MAX_QUARANTINED} of your updates could not be applied to this document, which is the \
             limit. Duplicate it and continue in the copy."
        )))
    }

    pub(super) async fn known_op(&self, actor: ActorId, op_id: &str) -> Result<Option<KnownOp>> {
        match self.context.log.known_op(self.document, actor, op_id).await {
            Ok(known) => Ok(Some(known)),
            Err(StoreError::NotFound) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
