//! Invariants of contents: each can be read, the required snapshots are snapshots, and each
//! version's row agrees with its record.

use super::{FaultKind, Findings, Fsck};
use crate::{
    error::{Error, Result},
    storage::{DocumentRow, Freshness, RecordPath, StoreError, StoreResult, Topic, VersionRow},
    versions::{Form, KEYFRAME_EVERY, Paths},
};
use izanagi_shared::id::CommitId;

impl Fsck {
    pub(super) async fn check_content(
        &self,
        version: &VersionRow,
        row: &DocumentRow,
        found: &mut Findings,
    ) -> Result<()> {
        let number = version.number;
        match self.versions.content_from_store(version).await {
            Ok(text) if text.len() as u64 == version.length => {}
            Ok(text) => {
                let detail =
                    format!("version {number} has {} bytes, not {}", text.len(), version.length);
                found.add(FaultKind::Content, detail);
            }
            Err(Error::CorruptVersion { internal, .. }) => {
                found.add(FaultKind::Content, format!("version {number}: {}", internal.for_log()));
            }
            Err(error) => return Err(error),
        }
        // Queried before the record is read, so a job that is not pending has already finished.
        let is_kept = version.keep_whole && !self.is_busy(version).await?;
        let form = match self.versions.form(version).await {
            // Already reported by the read above.
            Err(StoreError::NotFound | StoreError::Corrupt(_)) => return Ok(()),
            form => form?,
        };
        if form.hash != version.content_hash {
            let detail = format!("the record of version {number} states a different hash");
            found.add(FaultKind::Content, detail);
        }
        if (must_be_whole(version, row) || is_kept) && !form.is_whole {
            found.add(FaultKind::Keyframe, format!("version {number} is not a snapshot"));
        }
        if let Some(base) = form.base {
            self.check_base(version, base, found).await?;
        }
        self.check_form(version, &form, found).await
    }

    async fn check_base(
        &self,
        version: &VersionRow,
        base: CommitId,
        found: &mut Findings,
    ) -> Result<()> {
        let number = version.number;
        match self.core.stores.relational.versions.by_commit(base).await {
            Ok(base) if base.document_id == version.document_id && base.number == number + 1 => {}
            Ok(_) | Err(StoreError::NotFound) => {
                found.add(
                    FaultKind::Base,
                    format!("version {number} is not a delta from its successor"),
                );
            }
            Err(StoreError::Corrupt(what)) => {
                found.add(FaultKind::Base, format!("version {number}: its base: {what}"));
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Row and record are written separately, so an inconsistency is rechecked, and ignored while a
    /// job is working on the version.
    async fn check_form(
        &self,
        version: &VersionRow,
        form: &Form,
        found: &mut Findings,
    ) -> Result<()> {
        if self.oddity(version, form).await?.is_none() || self.is_busy(version).await? {
            return Ok(());
        }
        let again = async {
            let row = self
                .core
                .stores
                .relational
                .versions
                .get(Freshness::Fresh, version.document_id, version.number)
                .await?;
            let form = self.versions.form(&row).await?;
            self.oddity(&row, &form).await
        };
        let odd = match again.await {
            // Permanently deleted in the meantime, or already reported.
            Err(StoreError::NotFound | StoreError::Corrupt(_)) => return Ok(()),
            odd => odd?,
        };
        if let Some((kind, what)) = odd
            && !self.is_busy(version).await?
        {
            found.add(kind, format!("version {} {what}", version.number));
        }
        Ok(())
    }

    async fn oddity(
        &self,
        version: &VersionRow,
        form: &Form,
    ) -> StoreResult<Option<(FaultKind, &'static str)>> {
        if form.is_delta != version.is_delta {
            return Ok(Some((FaultKind::StoredAs, "is not stored as its row says")));
        }
        let chunks = RecordPath::chunks_of(version.document_id, version.commit_id);
        let chunks = Paths::present(chunks).next(&*self.core.stores.documents).await?;
        let is_named = |path: &RecordPath| path.id().parse().is_ok_and(|n: usize| n < form.chunks);
        let is_odd = !chunks.iter().all(is_named);
        Ok(is_odd.then_some((FaultKind::Chunk, "has chunks that it does not name")))
    }

    /// Whether a pending or running job changes how the version is stored. Parked ones do not, until
    /// they run again.
    pub(super) async fn is_busy(&self, version: &VersionRow) -> Result<bool> {
        let key = format!("{}/{}", version.document_id, version.number);
        let outbox = &self.core.stores.relational.outbox;
        Ok(outbox.is_pending(Topic::MakeWhole, &key).await?
            || outbox.is_pending(Topic::Demote, &key).await?)
    }
}

/// Whether a version must be a snapshot regardless of its row.
pub(super) const fn must_be_whole(version: &VersionRow, row: &DocumentRow) -> bool {
    let number = version.number;
    number == row.head_version || number == 1 || number.is_multiple_of(KEYFRAME_EVERY)
}
