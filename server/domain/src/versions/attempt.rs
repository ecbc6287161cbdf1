//! One attempt to commit, and recovery from a lost reply (DESIGN §5, steps 2–4).

use super::{INTENT_LIFETIME, Versions, encode::Stored};
use crate::{
    error::{Error, Internal, Result},
    patience::patiently,
    storage::{
        CommitOutcome, Constraint, Fence, NewIntent, NewRecord, NewVersion, StoreError, StoreResult,
    },
};
use izanagi_shared::id::CommitId;

/// Known outcome of an attempt.
pub(super) enum Attempt {
    Committed,
    /// The head has moved; retry on the new head.
    HeadMoved,
    /// The attempt was closed; retry with a fresh one.
    TryAgain,
    /// The request has already created a version.
    RequestKnown,
}

impl Versions {
    pub(super) fn fresh_commit(&self) -> CommitId {
        CommitId(self.core.ids.uuid())
    }

    /// Writes content and version. `version.commit_id` must be fresh.
    pub(super) async fn attempt(&self, version: &NewVersion, text: &str) -> Result<Attempt> {
        let (document, commit) = (version.document_id, version.commit_id);
        let records = Stored::new_records(document, commit, text, version.content_hash);
        match self.write_attempt(&records, version).await {
            Ok(CommitOutcome::Committed) => Ok(Attempt::Committed),
            Ok(CommitOutcome::HeadMoved) => Ok(Attempt::HeadMoved),
            Ok(CommitOutcome::IntentClosed) => Ok(Attempt::TryAgain),
            Ok(CommitOutcome::RequestKnown) => Ok(Attempt::RequestKnown),
            Ok(CommitOutcome::DocumentGone) => Err(Error::Trashed),
            Err(StoreError::Unknown(what)) => self.find_out(commit, &what).await,
            // The commit id is fresh, so the conflict is this attempt itself, delivered twice.
            Err(StoreError::Conflict(what @ (Constraint::CommitId | Constraint::RecordExists))) => {
                self.find_out(commit, &format!("{what:?}")).await
            }
            Err(error) => Err(error.into()),
        }
    }

    /// In one transaction where that is possible.
    async fn write_attempt(
        &self,
        records: &[NewRecord],
        version: &NewVersion,
    ) -> StoreResult<CommitOutcome> {
        if let Some(atomic) = &self.core.stores.relational.atomic
            && let Some(outcome) = atomic.commit_with_content(records, version).await?
        {
            return Ok(outcome);
        }
        self.in_steps(records, version).await
    }

    async fn in_steps(
        &self,
        records: &[NewRecord],
        version: &NewVersion,
    ) -> StoreResult<CommitOutcome> {
        let intent = NewIntent {
            commit_id: version.commit_id,
            document_id: version.document_id,
            base_commit: version.parent_commit,
            request_key: version.request.key,
            expires_at: version.at.plus(INTENT_LIFETIME),
            at: version.at,
        };
        self.core.stores.relational.intents.open(&intent).await?;
        for record in records {
            self.core.stores.documents.create(record, version.at).await?;
        }
        self.core.stores.relational.intents.commit(version).await
    }

    /// Fences before reading: a statement queued behind a lock could still commit after a plain
    /// read.
    async fn find_out(&self, commit: CommitId, what: &str) -> Result<Attempt> {
        let unknown = |error: StoreError| {
            Error::Unavailable(Internal::new(format!("{commit}: {what}; {error}")))
        };
        patiently(|| async {
            match self.core.stores.relational.intents.fence(commit).await {
                Ok(Fence::Closed) => Ok(Attempt::TryAgain),
                Ok(Fence::NotOpen) => {
                    match self.core.stores.relational.versions.by_commit(commit).await {
                        Ok(_) => Ok(Attempt::Committed),
                        // Closed by a collector or another fence, or not yet opened; step 4 requires an
                        // open intent.
                        // A commit in a single transaction has no intent; the fence waited for the
                        // transaction to end.
                        Err(StoreError::NotFound) => Ok(Attempt::TryAgain),
                        Err(error) => Err(unknown(error)),
                    }
                }
                Err(error) => Err(unknown(error)),
            }
        })
        .await
    }
}
