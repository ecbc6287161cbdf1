//! Lapsing of updates that wait for others. A row that lapses is cut to the part of it that is in the
//! document, which may be nothing, so its seq stays in the log and the next snapshot absorbs it. The
//! sender was told that it waits, still has it, and is refused when asking again.

use super::{
    room::Room,
    seal::{seal, unseal},
};
use crate::{
    error::{Error, Internal, Result},
    storage::{Constraint, CutUpdates, LoggedUpdate, StoreError},
};
use std::{collections::BTreeSet, time::Duration};
use tokio::time::Instant;

/// Minimum time between two lapses, because after each the document is loaded again.
const PAUSE: Duration = Duration::from_secs(10);
/// How often waiting updates are told to lapse for one command.
const TRIES: u32 = 3;

impl Room {
    /// Returns when waiting updates lapse next.
    pub(super) fn next_lapse(&mut self) -> Option<Instant> {
        let (now, at_most) = (self.context.clock.now(), self.context.settings.waits_at_most);
        let not_before = self.lapse_not_before;
        let replica = self.replica().ok()?;
        let first = replica.waiting.first_lapse(now, at_most)?;
        Some(not_before.map_or(first, |not_before| first.max(not_before)))
    }

    /// Lets the updates lapse that have waited too long. After a failure they still wait.
    pub(super) async fn lapse_overdue(&mut self) {
        if self.next_lapse().is_none_or(|at| Instant::now() < at) {
            return;
        }
        let overdue = self.loaded().map(|replica| replica.waiting.overdue()).unwrap_or_default();
        let lapsed = self.lapse(overdue).await;
        // Loading finds what is left of them, for the next snapshot.
        let loaded = self.ready().await;
        if let Err(error) = lapsed.and(loaded) {
            tracing::warn!(docId = %self.document, ?error, "updates that wait could not lapse");
        }
    }

    /// Lets all waiting updates lapse, because the document has no room for them, and loads it again.
    /// The caller then checks again whether there is room: if another room has written meanwhile,
    /// nothing has lapsed. `tries` counts the calls for one command.
    pub(super) async fn lapse_all(&mut self, tries: &mut u32) -> Result<()> {
        if *tries == TRIES {
            let cause = "waiting updates do not lapse: other rooms keep writing";
            return Err(Error::Unavailable(Internal::new(cause)));
        }
        *tries += 1;
        let waiting = self.loaded().map(|replica| replica.waiting.seqs()).unwrap_or_default();
        self.lapse(waiting).await?;
        self.ready().await
    }

    /// Cuts these rows, unless another room has changed the log.
    async fn lapse(&mut self, seqs: Vec<u64>) -> Result<()> {
        if seqs.is_empty() {
            return Ok(());
        }
        self.lapse_not_before = Some(Instant::now() + PAUSE);
        let seqs: BTreeSet<u64> = seqs.into_iter().collect();
        let log = self.context.log.load(self.document).await;
        if matches!(log, Err(StoreError::NotFound | StoreError::Corrupt(_))) {
            // Trying again would keep the room open for ever.
            self.invalidate();
        }
        let mut log = log?;
        log.updates.retain(|row| seqs.contains(&row.seq));
        let (live_seq, rows) = (log.live_seq, log.updates);
        let cut = self.with_replica(true, move |replica| {
            let integrated = |LoggedUpdate { seq, delta, .. }: LoggedUpdate| {
                let part = unseal(&delta).map(|delta| replica.lineage.doc().integrated_part(delta));
                let part = part.and_then(std::result::Result::ok);
                part.map(|part| (seq, seal(&part)))
            };
            (replica.seq, rows.into_iter().map(integrated).collect::<Option<Vec<_>>>())
        });
        let (replica_seq, updates) = cut.await?;
        // Whatever comes of it, the log decides what the document is now.
        self.invalidate();
        let updates = updates.ok_or_else(|| Error::internal("a waiting update is damaged"))?;
        if replica_seq != live_seq {
            return Ok(());
        }
        let count = updates.len();
        let document_id = self.document;
        match self.context.log.cut(&CutUpdates { document_id, live_seq, updates }).await {
            Ok(()) => {
                tracing::warn!(docId = %document_id, count, "updates lapsed: what they depend on did not arrive");
                Ok(())
            }
            // Another room has written. It sees to them, or this one does after its next load.
            Err(StoreError::Conflict(Constraint::LogChanged)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
