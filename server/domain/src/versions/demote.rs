//! Compacting old versions (DESIGN §5, step 6): the newest is a snapshot; older ones become reverse
//! deltas from their successors. The full text is removed only after the delta was read back and
//! has reproduced it. Workers may be concurrent and removals delayed, so a version promoted back to
//! a snapshot keeps its delta.

use super::{
    Paths, Versions,
    encode::{Patch, Reverse, Stored},
};
use crate::{
    error::{Error, Internal, Result},
    hash::sha256,
    storage::{
        Constraint, Freshness, NewRecord, Record, RecordPatch, RecordPath, StoreError, StoreResult,
        VersionRow,
    },
};
use izanagi_shared::{id::DocumentId, rules::DocumentKind};
use std::sync::Arc;

/// Every 64th version stays a snapshot, so that no read follows more than 64 deltas.
pub const KEYFRAME_EVERY: u64 = 64;

/// A delta larger than this percentage of the text is not worth keeping.
const WORTH_PERCENT: usize = 70;

/// Retries after another worker has changed the record.
const TRIES: u32 = 4;

/// Outcome of writing a delta.
enum Written {
    /// The record is now that delta.
    Delta,
    /// The record should remain a snapshot.
    NotWorthIt,
    /// Another worker has changed the record.
    Overtaken,
}

impl Versions {
    /// Turns version `number` into a delta if it is allowed to and saves space. Idempotent.
    ///
    /// # Errors
    /// `CorruptVersion` if the stored data is inconsistent; nothing is removed in that case.
    pub(super) async fn demote(&self, document: DocumentId, number: u64) -> Result<()> {
        for _ in 0..TRIES {
            let rows =
                self.core.stores.relational.versions.range(document, number, number + 1).await?;
            let [row, next] = rows.as_slice() else { return Ok(()) };
            if row.keep_whole {
                // It may have been named while another worker was demoting it.
                return self.make_whole(document, number).await;
            }
            if must_stay_whole(row) {
                return Ok(());
            }
            let path = RecordPath::content(document, row.commit_id);
            let record = self.core.stores.documents.get(&path).await?;
            let stored = Stored::parse(record.clone())?;
            let written = match stored.whole {
                Some(_) => self.write_delta(row, next, &record, stored).await?,
                None => Written::Delta,
            };
            match written {
                Written::Delta => return self.finish(row).await,
                Written::NotWorthIt => return Ok(()),
                Written::Overtaken => {}
            }
        }
        Err(overtaken(document, number))
    }

    async fn write_delta(
        &self,
        row: &VersionRow,
        next: &VersionRow,
        record: &Record,
        stored: Stored,
    ) -> Result<Written> {
        let older = self.content_from_store(row).await?;
        let newer = self.content_from_store(next).await?;
        let document = self.core.stores.relational.catalog.get(row.document_id).await;
        let kind = document.map_err(Error::missing("document"))?.kind;
        let Some(patch) = self.way_back(kind, &newer, &older).await? else {
            return Ok(Written::NotWorthIt);
        };
        self.check(row, &patch, &newer, &older).await?;
        let reverse = Reverse { base: next.commit_id, patch };
        let both = Stored { hash: row.content_hash, reverse: Some(reverse), ..stored };
        let Some(written) = self.write_and_read_back(record, &both).await? else {
            return Ok(Written::Overtaken);
        };
        let reverse = Stored::parse(written.clone())?.reverse;
        let reverse = reverse.ok_or_else(|| corrupt(row, "its delta was not stored"))?;
        self.check(row, &reverse.patch, &newer, &older).await?;
        let delta = Stored { hash: row.content_hash, whole: None, reverse: Some(reverse) };
        Ok(match self.write_and_read_back(&written, &delta).await? {
            Some(_) => Written::Delta,
            None => Written::Overtaken,
        })
    }

    /// Returns the delta from `newer` to `older` if it is small enough to be worth keeping.
    async fn way_back(
        &self,
        kind: DocumentKind,
        newer: &Arc<str>,
        older: &Arc<str>,
    ) -> Result<Option<Patch>> {
        let (newer, older) = (Arc::clone(newer), Arc::clone(older));
        let compare = move || {
            let patch = Patch::between(kind, &newer, &older);
            let is_worth_it = patch.stored_bytes() * 100 <= older.len() * WORTH_PERCENT;
            is_worth_it.then_some(patch)
        };
        self.core.budget.run(compare).await
    }

    /// Checks that the delta reproduces the older text.
    async fn check(
        &self,
        row: &VersionRow,
        patch: &Patch,
        newer: &Arc<str>,
        older: &Arc<str>,
    ) -> Result<()> {
        let (patch, newer, older) = (patch.clone(), Arc::clone(newer), Arc::clone(older));
        let hash = row.content_hash;
        let rebuilds = move || {
            patch.apply(&newer).is_ok_and(|rebuilt| *rebuilt == *older && sha256(&rebuilt) == hash)
        };
        if self.core.budget.run(rebuilds).await? {
            return Ok(());
        }
        Err(corrupt(row, "its delta does not reproduce its bytes"))
    }

    /// Completes a demotion whose record is already a delta.
    async fn finish(&self, row: &VersionRow) -> Result<()> {
        let (document, number) = (row.document_id, row.number);
        self.core.stores.relational.versions.set_stored(document, number, true).await?;
        self.purge_left_chunks(row).await?;
        // A naming before this read did not see the delta; a later one will.
        if self
            .core
            .stores
            .relational
            .versions
            .get(Freshness::Fresh, document, number)
            .await?
            .keep_whole
        {
            self.make_whole(document, number).await?;
        }
        Ok(())
    }

    /// Removes the chunks of a version whose record is a delta; returns their number.
    pub(crate) async fn purge_left_chunks(&self, row: &VersionRow) -> Result<u64> {
        let records = &self.core.stores.documents;
        let content = RecordPath::content(row.document_id, row.commit_id);
        let mut chunks = Paths::all(RecordPath::chunks_of(row.document_id, row.commit_id));
        let mut purged = 0;
        loop {
            let batch = chunks.next(&**records).await?;
            if batch.is_empty() {
                return Ok(purged);
            }
            for chunk in &batch {
                // Read again each time: another worker may be promoting the version.
                if Stored::parse(records.get(&content).await?)?.whole.is_some() {
                    return Ok(purged);
                }
                records.purge(chunk).await?;
                purged += 1;
            }
        }
    }

    /// Updates exactly this version of the record, sending only the changed fields, and reads it
    /// back; `None` if another writer was faster.
    async fn write_and_read_back(
        &self,
        record: &Record,
        stored: &Stored,
    ) -> Result<Option<Record>> {
        let data = stored.to_data();
        let patch = RecordPatch::between(&record.data, &data);
        let records = &self.core.stores.documents;
        let now = self.core.clock.now();
        match records.patch(&record.path, record.version, &patch, now).await {
            Ok(_) | Err(StoreError::Unknown(_)) => {}
            Err(StoreError::Conflict(Constraint::RecordVersion)) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        let read = records.get(&record.path).await?;
        Ok((read.version == record.version + 1 && read.data == data).then_some(read))
    }

    /// Promotes a version back to a snapshot because it was named or restored from. Idempotent.
    pub(crate) async fn make_whole(&self, document: DocumentId, number: u64) -> Result<()> {
        for _ in 0..TRIES {
            let row = match self
                .core
                .stores
                .relational
                .versions
                .get(Freshness::Fresh, document, number)
                .await
            {
                Ok(row) => row,
                Err(StoreError::NotFound) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            if self.form(&row).await?.is_whole {
                return Ok(self
                    .core
                    .stores
                    .relational
                    .versions
                    .set_stored(document, number, false)
                    .await?);
            }
            self.write_whole(&row).await?;
        }
        Err(overtaken(document, number))
    }

    /// Writes the full text beside the delta. The caller must verify that it is there.
    async fn write_whole(&self, row: &VersionRow) -> Result<()> {
        let (document, commit) = (row.document_id, row.commit_id);
        let path = RecordPath::content(document, commit);
        let record = self.core.stores.documents.get(&path).await?;
        let reverse = Stored::parse(record.clone())?.reverse;
        let text = self.content_from_store(row).await?;
        let (whole, chunks) = Stored::whole_of(document, commit, &text);
        for chunk in &chunks {
            self.put_chunk(chunk).await?;
        }
        let data = Stored { hash: row.content_hash, whole: Some(whole), reverse }.to_data();
        let patch = RecordPatch::between(&record.data, &data);
        let now = self.core.clock.now();
        match self.core.stores.documents.patch(&path, record.version, &patch, now).await {
            // The document was purged, including the record that names these chunks.
            Err(StoreError::NotFound) => {
                match self.core.stores.relational.versions.by_commit(commit).await {
                    Err(StoreError::NotFound) => self.erase_content(document, commit).await,
                    _ => Err(corrupt(row, "its record is missing")),
                }
            }
            Ok(_)
            | Err(StoreError::Unknown(_) | StoreError::Conflict(Constraint::RecordVersion)) => {
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Writes a chunk, replacing any existing one.
    async fn put_chunk(&self, chunk: &NewRecord) -> StoreResult<()> {
        let records = &self.core.stores.documents;
        match records.create(chunk, self.core.clock.now()).await {
            Err(StoreError::Conflict(Constraint::RecordExists)) => {}
            // If it was not written, the final check detects it.
            Ok(()) | Err(StoreError::Unknown(_)) => return Ok(()),
            Err(error) => return Err(error),
        }
        match records.get(&chunk.path).await {
            Ok(there) if there.data == chunk.data => Ok(()),
            // Damaged or soft-deleted; neither contains text that is needed.
            Ok(_) | Err(StoreError::Corrupt(_) | StoreError::NotFound) => {
                records.purge(&chunk.path).await?;
                records.create(chunk, self.core.clock.now()).await
            }
            Err(error) => Err(error),
        }
    }
}

fn must_stay_whole(row: &VersionRow) -> bool {
    row.number == 1 || row.number.is_multiple_of(KEYFRAME_EVERY) || row.keep_whole
}

fn corrupt(row: &VersionRow, what: &str) -> Error {
    let internal = Internal::new(format!("version {}: {what}", row.number));
    Error::CorruptVersion { number: row.number, internal }
}

fn overtaken(document: DocumentId, number: u64) -> Error {
    Error::Unavailable(Internal::new(format!(
        "{document}/{number}: other workers kept changing the record"
    )))
}
