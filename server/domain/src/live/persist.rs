//! Snapshots and the materialised text (DESIGN §6, PRODUCT C4).

use super::{
    LiveSettings,
    replica::Replica,
    room::{Room, Unlisted},
    rooms::RoomContext,
    snapshot::Snapshot,
};
use crate::{
    budget::Reservation,
    error::{Error, Result},
    storage::{Constraint, NewSnapshot, SavedText, StoreError},
};
use std::{collections::BTreeSet, time::Duration};
use tokio::time::Instant;

/// Delay before the first retry after a failure, and the maximum.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Steps of integrating updates that a snapshot should save the next load: about a second.
const MANY_STEPS: u64 = 8_000_000;

/// Changes in memory that are not yet persisted.
#[derive(Debug, Default)]
pub(super) struct DirtyState {
    /// Updates since the last snapshot.
    updates: u64,
    /// Total size of those updates.
    bytes: usize,
    /// Steps that integrating those updates took, and the total since the document was loaded.
    steps: u64,
    all_steps: u64,
    /// Time of the first of those updates.
    since: Option<Instant>,
    /// Time of the last update, unless the stored text contains it.
    text_changed: Option<Instant>,
    /// After a failure: time of the next retry, and the current delay.
    retry: Option<(Instant, Duration)>,
}

impl DirtyState {
    pub(super) fn loaded(&mut self, rows: u64, bytes: usize) {
        self.updates = rows;
        self.bytes = bytes;
        (self.steps, self.all_steps) = (0, 0);
        if rows > 0 {
            self.since.get_or_insert_with(Instant::now);
            self.text_changed.get_or_insert_with(Instant::now);
        }
    }

    pub(super) fn updated(&mut self, bytes: usize) {
        let now = Instant::now();
        self.updates += 1;
        self.bytes += bytes;
        self.since.get_or_insert(now);
        self.text_changed = Some(now);
    }

    /// Notes the total of steps that integrating updates took since the document was loaded.
    pub(super) const fn searched(&mut self, all_steps: u64) {
        self.steps += all_steps.saturating_sub(self.all_steps);
        self.all_steps = all_steps;
    }

    /// Keeps everything dirty, but delays the retry, so that a failing store is not called in a
    /// tight loop.
    fn failed(&mut self) {
        let wait = self.retry.map_or(FIRST_WAIT, |(_, wait)| (wait * 2).min(LONGEST_WAIT));
        self.retry = Some((Instant::now() + wait, wait));
    }

    pub(super) fn snapshot_due(&self, settings: &LiveSettings) -> bool {
        if self.retry.is_some_and(|(at, _)| Instant::now() < at) {
            return false;
        }
        let waited = self.since.is_some_and(|since| since.elapsed() >= settings.snapshot_after);
        self.is_large(settings) || waited
    }

    fn is_large(&self, settings: &LiveSettings) -> bool {
        self.updates >= settings.snapshot_updates
            || self.bytes >= settings.snapshot_bytes
            || self.steps >= MANY_STEPS
    }

    /// Returns when to persist next, if anything is dirty.
    pub(super) fn next_due(&self, settings: &LiveSettings) -> Option<Instant> {
        let many = self.is_large(settings).then(Instant::now);
        let snapshot = self.since.map(|since| since + settings.snapshot_after);
        let text = self.text_changed.map(|changed| changed + settings.settle_after);
        let due = [many, snapshot, text].into_iter().flatten().min()?;
        Some(self.retry.map_or(due, |(at, _)| due.max(at)))
    }
}

impl Room {
    /// Reserves the memory that persisting the document takes. Its room serves its users meanwhile, so
    /// the result does not borrow it.
    pub(super) fn reserve_to_persist(
        &self,
    ) -> impl Future<Output = Result<Reservation>> + Send + use<> {
        let (budget, bytes) = (self.context.budget.clone(), self.bytes_to_persist());
        async move {
            match bytes {
                Some(bytes) => budget.persist(bytes).await,
                None => Ok(Reservation::none()),
            }
        }
    }

    /// Persists a snapshot that is due, if the memory for it is free.
    pub(super) async fn persist_if_possible(&mut self) {
        let reserved = match self.bytes_to_persist() {
            Some(bytes) => self.context.budget.try_persist(bytes),
            None => Some(Reservation::none()),
        };
        if let Some(reserved) = reserved {
            self.persist_what_is_due(reserved).await;
        }
    }

    /// Returns the bytes of the document's state, `None` if they are few.
    fn bytes_to_persist(&self) -> Option<usize> {
        let replica = self.loaded()?;
        replica.is_long().then(|| replica.state_bytes())
    }

    pub(super) async fn persist_what_is_due(&mut self, reserved: Reservation) {
        let done = if self.dirty.snapshot_due(&self.context.settings) {
            self.persist_with(reserved).await
        } else {
            self.save_text().await
        };
        match done {
            Ok(()) => self.dirty.retry = None,
            Err(error) => {
                tracing::warn!(docId = %self.document, ?error, "could not persist; the log still has every update");
                self.dirty.failed();
            }
        }
    }

    /// Stores a snapshot and the text now, if anything is dirty. It does not wait for memory, because
    /// the room may have a place in that queue already, and would wait for itself.
    pub(super) async fn persist_all(&mut self) -> Result<()> {
        if self.is_persisted() { Ok(()) } else { self.persist_with(Reservation::none()).await }
    }

    /// As [`Self::persist_all`], when the room closes: as soon as there is memory for it, and unless
    /// another room has replaced it and written meanwhile.
    pub(super) async fn persist_at_end(&mut self) -> Result<()> {
        if self.is_persisted() {
            return Ok(());
        }
        self.ready().await?;
        let reserved = self.reserve_to_persist().await?;
        self.notice_other_writers();
        if self.loaded().is_none() { Ok(()) } else { self.persist_with(reserved).await }
    }

    fn is_persisted(&self) -> bool {
        self.dirty.next_due(&self.context.settings).is_none() && self.quarantined.is_empty()
    }

    async fn persist_with(&mut self, _reserved: Reservation) -> Result<()> {
        self.ready().await?;
        self.save_text().await?;
        self.save_snapshot().await
    }

    async fn save_text(&mut self) -> Result<()> {
        if self.dirty.text_changed.is_none() {
            return Ok(());
        }
        self.ready().await?;
        let document_id = self.document;
        let text = self.text().await?;
        let saved = SavedText { document_id, content: text.content.to_string(), facts: text.facts };
        self.context.log.save_text(&saved).await?;
        self.replica()?.forget_text();
        self.dirty.text_changed = None;
        Ok(())
    }

    async fn save_snapshot(&mut self) -> Result<()> {
        let document = self.document;
        let replica = self.replica()?;
        let (seq, absorbed, is_long) = (replica.seq, replica.absorbed_rows(), replica.is_long());
        // A snapshot also passes quarantined updates, so that loads do not list them.
        if !absorbed.is_empty() || !self.quarantined.is_empty() {
            let waiting = self.replica()?.unabsorbed_rows();
            let from_seq = waiting.first().copied().unwrap_or(seq + 1);
            let encoded = self.with_replica(is_long, move |Replica { lineage, .. }| {
                let state = lineage.doc().encode();
                // Verify the snapshot before deleting the rows it replaces.
                let is_verified = lineage.reads_back(&state);
                let snapshot = Snapshot { waiting, ..Snapshot::complete(state) };
                is_verified.then(|| snapshot.encode(document, seq))
            });
            let state = encoded
                .await?
                .ok_or_else(|| Error::internal("a snapshot does not reproduce the document"))?;
            let snapshot = (seq, from_seq, state);
            if !self.replace_rows(snapshot, &absorbed).await? {
                // Another room has changed the log, which is authoritative.
                self.invalidate();
                return Err(Error::internal("the log has changed since it was read"));
            }
            self.replica()?.forget_rows(&absorbed);
            self.quarantined.clear();
        }
        self.dirty.updates = 0;
        self.dirty.bytes = 0;
        self.dirty.steps = 0;
        self.dirty.since = None;
        Ok(())
    }

    /// Replaces the absorbed rows by a snapshot and moves their edits to edit history. Returns false
    /// when the log lacks some of the rows.
    async fn replace_rows(
        &mut self,
        (seq, from_seq, state): (u64, u64, Vec<u8>),
        absorbed: &[u64],
    ) -> Result<bool> {
        let (document_id, at) = (self.document, self.context.clock.now());
        let RoomContext { log, edits, .. } = &*self.context;
        let rows: BTreeSet<u64> = absorbed.iter().copied().collect();
        // A failed attempt may have listed its segments, so they are used again, unless they are gone:
        // a clean-up removes those that are not listed in time.
        let unlisted = self.unlisted.take().filter(|unlisted| unlisted.rows == rows);
        let (segments, verified) = match unlisted {
            Some(Unlisted { segments, verified, .. })
                if edits.are_readable(document_id, &segments).await =>
            {
                (segments, verified)
            }
            _ => {
                let loaded = log.load(document_id).await?;
                let last = loaded.snapshot.seq;
                let kept = edits.keep(document_id, loaded, &rows, at).await?;
                let Some((segments, is_intact)) = kept else { return Ok(false) };
                // Without it, those before it are the only ones to rebuild the document from.
                (segments, if is_intact { last } else { 0 })
            }
        };
        let absorbed = absorbed.to_vec();
        let snapshot =
            NewSnapshot { document_id, seq, state, from_seq, verified, absorbed, segments, at };
        match log.snapshot(&snapshot).await {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict(Constraint::LogChanged)) => Ok(false),
            Err(error) => {
                if error == StoreError::NotFound {
                    // The document was permanently deleted, so nothing can list them.
                    edits.discard(document_id, &snapshot.segments).await;
                } else {
                    let segments = snapshot.segments;
                    self.unlisted = Some(Unlisted { rows, segments, verified });
                }
                Err(error.into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_document_that_is_slow_to_load_is_due_at_once() {
        let settings = LiveSettings::default();
        let mut dirty = DirtyState::default();
        dirty.loaded(0, 0);
        dirty.searched(MANY_STEPS - 1);
        assert!(!dirty.snapshot_due(&settings) && dirty.next_due(&settings).is_none());
        dirty.searched(MANY_STEPS);
        assert!(dirty.snapshot_due(&settings));
        assert_eq!(dirty.next_due(&settings), Some(Instant::now()));
    }
}
