//! Garbage collection of commit attempts (DESIGN §5): an expired open intent is closed under its
//! lock, and only then is its content erased. Committed intents are forgotten after a day.

use super::Versions;
use crate::{
    contained::contained,
    error::{Error, Result},
    storage::{CommitIntent, DocumentStore, RecordIndex, RecordPath, StoreError, StoreResult},
};
use izanagi_shared::id::{CommitId, DocumentId};
use std::time::Duration;

/// Retention of committed intents: long after any late copy of a statement.
const COMMITTED_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// Batch size for attempts and records.
const BATCH: u32 = 100;

/// The paths of a collection, in batches.
pub(crate) struct Paths {
    collection: String,
    with_deleted: bool,
    after: Option<String>,
}

impl Paths {
    /// Paths of records that are not soft-deleted.
    pub(crate) const fn present(collection: String) -> Self {
        Self { collection, with_deleted: false, after: None }
    }

    /// Paths including soft-deleted records.
    pub(crate) const fn all(collection: String) -> Self {
        Self { collection, with_deleted: true, after: None }
    }

    /// Returns the next batch; empty at the end.
    pub(crate) async fn next(
        &mut self,
        records: &dyn DocumentStore,
    ) -> StoreResult<Vec<RecordPath>> {
        let after = self.after.as_deref();
        let batch = records
            .paths(RecordIndex::CollectionId, &self.collection, after, BATCH, self.with_deleted)
            .await?;
        let Some(last) = batch.last().map(|path| path.id().to_owned()) else { return Ok(batch) };
        // Without this check, a store whose index contradicts its ids would make this loop.
        if after == Some(&*last) {
            return Err(StoreError::Corrupt(format!("{}: a record's id", self.collection)));
        }
        self.after = Some(last);
        Ok(batch)
    }
}

impl Versions {
    /// Collects everything possible; returns the number of attempts erased.
    ///
    /// # Errors
    /// The first error. Everything else is still collected; the rest is retried in the next run.
    pub async fn collect_garbage(&self) -> Result<u64> {
        let forget_before = self.core.clock.now().minus(COMMITTED_KEPT);
        let forgotten = self.core.stores.relational.intents.forget(forget_before).await;
        let mut failure = forgotten.err().map(Error::from);
        loop {
            let now = self.core.clock.now();
            let expired = self.core.stores.relational.intents.expired(now, BATCH).await?;
            let mut closed: u32 = 0;
            for intent in &expired {
                match self.core.stores.relational.intents.condemn(intent.commit_id, now).await {
                    Ok(_) => closed += 1,
                    Err(error) => note(&mut failure, intent, error.into()),
                }
            }
            if (expired.len() as u64) < u64::from(BATCH) || closed == 0 {
                break;
            }
        }
        let (mut erased, mut after) = (0, None);
        loop {
            let condemned = self.core.stores.relational.intents.condemned(after, BATCH).await?;
            let Some(last) = condemned.last() else {
                return failure.map_or(Ok(erased), Err);
            };
            after = Some(last.commit_id);
            for intent in &condemned {
                match contained(self.erase_attempt(intent)).await {
                    Ok(()) => erased += 1,
                    Err(error) => note(&mut failure, intent, error),
                }
            }
        }
    }

    async fn erase_attempt(&self, intent: &CommitIntent) -> Result<()> {
        // Never true as long as step 2 refuses the id of a version. The check costs one read; an
        // error would cost a version.
        match self.core.stores.relational.versions.by_commit(intent.commit_id).await {
            Err(StoreError::NotFound) => {}
            Ok(_) => {
                let commit = intent.commit_id;
                return Err(Error::internal(format!("{commit} is closed but is a version")));
            }
            Err(error) => return Err(error.into()),
        }
        self.erase_content(intent.document_id, intent.commit_id).await?;
        Ok(self
            .core
            .stores
            .relational
            .intents
            .erased(intent.commit_id, self.core.clock.now())
            .await?)
    }

    /// Removes the records of unreferenced content. The record that names the others is removed
    /// last, so that a run after a crash still finds them.
    pub(crate) async fn erase_content(&self, document: DocumentId, commit: CommitId) -> Result<()> {
        let records = &self.core.stores.documents;
        let mut chunks = Paths::all(RecordPath::chunks_of(document, commit));
        loop {
            let batch = chunks.next(&**records).await?;
            for chunk in &batch {
                records.purge(chunk).await?;
            }
            if batch.is_empty() {
                return Ok(records.purge(&RecordPath::content(document, commit)).await?);
            }
        }
    }

    /// Removes the contents and the edit history of a permanently deleted document. A record that
    /// cannot be removed does not stop the others from being removed.
    pub(super) async fn erase(&self, document: DocumentId) -> Result<()> {
        let history = self.erase_history(document).await;
        self.erase_contents(document).await?;
        history
    }

    async fn erase_history(&self, document: DocumentId) -> Result<()> {
        let records = &self.core.stores.documents;
        let mut history = Paths::all(RecordPath::edits_of(document));
        loop {
            let batch = history.next(&**records).await?;
            if batch.is_empty() {
                return Ok(());
            }
            for path in batch {
                records.purge(&path).await?;
            }
        }
    }

    async fn erase_contents(&self, document: DocumentId) -> Result<()> {
        let mut contents = Paths::all(RecordPath::contents_of(document));
        let mut failure = None;
        loop {
            let batch = contents.next(&*self.core.stores.documents).await?;
            if batch.is_empty() {
                return failure.map_or(Ok(()), Err);
            }
            for path in batch {
                let erased = match path.id().parse() {
                    Ok(commit) => self.erase_content(document, commit).await,
                    // No commit has this id, so there are no chunks.
                    Err(_) => self.core.stores.documents.purge(&path).await.map_err(Error::from),
                };
                if let Err(error) = erased {
                    tracing::warn!(%path, ?error, "a content could not be erased");
                    failure.get_or_insert(error);
                }
            }
        }
    }
}

fn note(failure: &mut Option<Error>, intent: &CommitIntent, error: Error) {
    tracing::warn!(commit = %intent.commit_id, ?error, "an attempt could not be collected");
    failure.get_or_insert(error);
}
