//! Periodic jobs: collecting interrupted commits, and removing data whose retention has ended.

use super::Jobs;
use crate::{
    edits::EditStore,
    error::{Error, Result},
};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Retention of op ids (DESIGN §6) and of ended sessions (PRODUCT O8).
const KEPT: Duration = Duration::from_secs(30 * DAY.as_secs());

/// Retention of audit events (PRODUCT W5).
const AUDIT_KEPT: Duration = Duration::from_secs(90 * DAY.as_secs());

/// Retention of tombstones: how long a client may be offline and still follow deletions.
const TOMBSTONES_KEPT: Duration = Duration::from_secs(90 * DAY.as_secs());

/// Remembers the first error of several attempts.
#[derive(Default)]
pub(super) struct FirstError(pub(super) Option<Error>);

impl FirstError {
    pub(super) fn note<T>(&mut self, result: std::result::Result<T, impl Into<Error>>) {
        if let Err(error) = result {
            self.0.get_or_insert_with(|| error.into());
        }
    }
}

impl Jobs {
    /// Collections that use an index; every minute. Returns the number of attempts erased.
    ///
    /// # Errors
    /// The first error. The remaining collections still run.
    pub(super) async fn collect(&self) -> Result<u64> {
        let erased = self.versions.collect_garbage().await;
        if let Some(routing) = &self.core.stores.routing
            && let Err(error) = routing.repair().await
        {
            // The marks remain.
            tracing::warn!(%error, "the second place of the documents is not repaired yet");
        }
        self.core.stores.revocations.forget(self.core.clock.now()).await?;
        erased
    }

    /// Collections that scan whole tables; once a day. All work in bounded steps.
    ///
    /// # Errors
    /// The first error. The remaining collections still run.
    pub(super) async fn forget(&self) -> Result<()> {
        let (now, relational) = (self.core.clock.now(), &self.core.stores.relational);
        let history = EditStore::of(&self.core);
        let mut failure = FirstError::default();
        failure.note(relational.log.forget_ops(now.minus(KEPT)).await);
        failure.note(self.persist_old_updates().await);
        failure.note(relational.upkeep.forget_sessions(now.minus(KEPT)).await);
        failure.note(relational.upkeep.forget_audit(now.minus(AUDIT_KEPT)).await);
        failure.note(relational.changes.forget(now.minus(TOMBSTONES_KEPT)).await);
        failure.note(self.core.stores.documents.forget(now).await);
        failure.note(history.forget(now.minus(self.keep_edits)).await);
        failure.note(self.forget_unlisted_edits(&history).await);
        failure.0.map_or(Ok(()), Err)
    }

    /// Opens documents that a crash or an eviction left with old updates in the log, so that snapshots
    /// absorb them and those that wait for others lapse.
    async fn persist_old_updates(&self) -> Result<()> {
        const BATCH: u32 = 100;
        let before = self.core.clock.now().minus(DAY);
        let upkeep = &self.core.stores.relational.upkeep;
        let (mut after, mut failure) = (None, FirstError::default());
        loop {
            let ids = upkeep.with_old_updates(before, after, BATCH).await?;
            let Some(last) = ids.last() else { return failure.0.map_or(Ok(()), Err) };
            after = Some(*last);
            for id in ids {
                match self.versions.documents().persist(id).await {
                    // Trying again does not help: it is for `fsck` to repair, or it was deleted.
                    Err(error @ (Error::CorruptDocument(_) | Error::NotFound(_))) => {
                        tracing::warn!(docId = %id, ?error, "old updates stay in the log");
                    }
                    done => failure.note(done),
                }
            }
        }
    }

    /// Removes records of edit history that were written but never listed.
    async fn forget_unlisted_edits(&self, history: &EditStore) -> Result<()> {
        const BATCH: u32 = 100;
        let now = self.core.clock.now();
        let (mut after, mut failure) = (None, FirstError::default());
        loop {
            let ids = self.core.stores.relational.inspect.documents(after, BATCH).await?;
            let Some(last) = ids.last() else { return failure.0.map_or(Ok(()), Err) };
            after = Some(*last);
            for id in &ids {
                let relational = &self.core.stores.relational;
                failure.note(history.forget_unlisted(*id, relational, now.minus(DAY), now).await);
            }
        }
    }
}
