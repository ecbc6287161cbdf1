//! Unreferenced contents.

use super::{BATCH, FaultKind, Findings, Fsck, Report};
use crate::{
    error::Result,
    storage::{CommitIntent, IntentStatus, RecordPath, StoreError, VersionRow},
    versions::Paths,
};
use izanagi_shared::id::{CommitId, DocumentId};
use std::{collections::HashSet, fmt};

/// Content without a version.
pub(super) enum Orphan {
    /// No attempt ever announced it.
    Stray(RecordPath),
    /// It was written after its attempt had been closed and erased.
    Late(CommitId),
}

impl fmt::Display for Orphan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stray(path) => write!(f, "content {} belongs to no version", path.id()),
            Self::Late(commit) => {
                write!(f, "content {commit} was written after its attempt was erased")
            }
        }
    }
}

impl Fsck {
    pub(super) async fn check_orphans(
        &self,
        document: DocumentId,
        versions: &[VersionRow],
        intents: &[CommitIntent],
        found: &mut Findings,
    ) -> Result<()> {
        for orphan in self.strays(document, versions, found).await? {
            found.add(FaultKind::Orphan, orphan.to_string());
        }
        for orphan in self.late(intents).await? {
            found.add(FaultKind::Orphan, orphan.to_string());
        }
        Ok(())
    }

    /// Finds contents without an attempt. Records are read before attempts, and an attempt is
    /// opened before its content is written, so an attempt that is missing now was missing then.
    pub(super) async fn strays(
        &self,
        document: DocumentId,
        versions: &[VersionRow],
        found: &mut Findings,
    ) -> Result<Vec<Orphan>> {
        let known: HashSet<_> = versions.iter().map(|version| version.commit_id).collect();
        let mut strays = Vec::new();
        let mut contents = Paths::present(RecordPath::contents_of(document));
        loop {
            let batch = contents.next(&*self.core.stores.documents).await;
            let batch = found.sound(FaultKind::Row, batch)?.unwrap_or_default();
            if batch.is_empty() {
                return Ok(strays);
            }
            for path in batch {
                let has_owner = match path.id().parse() {
                    Ok(commit) => known.contains(&commit) || self.has_owner(commit).await?,
                    Err(_) => false,
                };
                if !has_owner {
                    strays.push(Orphan::Stray(path));
                }
            }
        }
    }

    async fn has_owner(&self, commit: CommitId) -> Result<bool> {
        match self.core.stores.relational.intents.get(commit).await {
            Ok(_) | Err(StoreError::Corrupt(_)) => return Ok(true),
            Err(StoreError::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
        self.is_version(commit).await
    }

    async fn is_version(&self, commit: CommitId) -> Result<bool> {
        match self.core.stores.relational.versions.by_commit(commit).await {
            Ok(_) | Err(StoreError::Corrupt(_)) => Ok(true),
            Err(StoreError::NotFound) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Finds contents of attempts that were erased before this run started to look for them.
    pub(super) async fn late(&self, intents: &[CommitIntent]) -> Result<Vec<Orphan>> {
        let mut late = Vec::new();
        for CommitIntent { commit_id, document_id, status, erased, .. } in intents {
            let is_erased = *status == IntentStatus::Gc && *erased;
            if is_erased
                && self.is_there(*document_id, *commit_id).await?
                && !self.is_version(*commit_id).await?
            {
                late.push(Orphan::Late(*commit_id));
            }
        }
        Ok(late)
    }

    async fn is_there(&self, document: DocumentId, commit: CommitId) -> Result<bool> {
        match self.core.stores.documents.get(&RecordPath::content(document, commit)).await {
            Ok(_) | Err(StoreError::Corrupt(_)) => return Ok(true),
            Err(StoreError::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
        let mut chunks = Paths::all(RecordPath::chunks_of(document, commit));
        Ok(!chunks.next(&*self.core.stores.documents).await?.is_empty())
    }

    /// Finds attempts of documents that no longer exist.
    pub(super) async fn check_abandoned(&self, report: &mut Report) -> Result<()> {
        let mut after = None;
        loop {
            let mut found = Findings::new(None);
            let intents = self.core.stores.relational.inspect.abandoned(after, BATCH).await;
            let intents = found.sound(FaultKind::Row, intents)?.unwrap_or_default();
            report.take(found);
            let Some(last) = intents.last() else { return Ok(()) };
            after = Some(last.commit_id);
            for intent in &intents {
                let mut found = Findings::new(Some(intent.document_id));
                if intent.status == IntentStatus::Committed {
                    let detail = format!(
                        "{} is committed, but its document does not exist",
                        intent.commit_id
                    );
                    found.add(FaultKind::Intent, detail);
                }
                for orphan in self.late(std::slice::from_ref(intent)).await? {
                    found.add(FaultKind::Orphan, orphan.to_string());
                }
                report.take(found);
            }
        }
    }
}
