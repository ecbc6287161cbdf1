//! Records of edit history that no segment names: their segment was written but never listed.

use super::{EditStore, paths};
use crate::{
    error::Result,
    storage::{
        RecordIndex::CollectionId, RecordPath, Relational, SegmentRow, StoreError, StoreResult,
    },
};
use izanagi_shared::{id::DocumentId, time::Timestamp};
use std::{collections::HashSet, time::Duration};

/// Batch size for paths.
const BATCH: u32 = 100;
/// How long unlisted records stay soft-deleted before they are purged. After the database was
/// restored from an older backup than the documents, they can be the only copy of newer history.
const KEPT_DELETED: Duration = Duration::from_secs(30 * 24 * 60 * 60);

impl EditStore {
    /// Returns the rows of a document's segments, and the records of its history that none of them
    /// names and that were last changed before `before`. Younger ones may still be listed.
    /// `with_deleted` includes soft-deleted ones.
    ///
    /// # Errors
    /// As the stores.
    pub(crate) async fn rows_and_unlisted(
        &self,
        document: DocumentId,
        before: Timestamp,
        with_deleted: bool,
    ) -> StoreResult<(Vec<SegmentRow>, Vec<RecordPath>)> {
        let (rows, unlisted) = self.unlisted(document, before, with_deleted).await?;
        Ok((rows, unlisted.into_iter().map(|record| record.path).collect()))
    }

    async fn unlisted(
        &self,
        document: DocumentId,
        before: Timestamp,
        with_deleted: bool,
    ) -> StoreResult<(Vec<SegmentRow>, Vec<Unlisted>)> {
        // Records are read before rows, so that a record listed in between is found in a row.
        let (mut found, mut after) = (Vec::new(), None::<String>);
        let mut seen = HashSet::new();
        let collection = RecordPath::edits_of(document);
        loop {
            let start = after.as_deref();
            let batch =
                self.records.paths(CollectionId, &collection, start, BATCH, with_deleted).await?;
            let mut previous = after.clone();
            for path in batch {
                // A damaged id could otherwise repeat the listing forever.
                if !seen.insert(path.id().to_owned()) {
                    return Err(StoreError::Corrupt(format!("{collection}: a record's id")));
                }
                found.push((previous.replace(path.id().to_owned()), path));
            }
            if previous == after {
                break;
            }
            after = previous;
        }
        let rows = self.all_rows(document).await?;
        let listed = listed(&rows);
        found.retain(|(_, path)| !listed.contains(path));
        let mut unlisted = Vec::new();
        for (previous, path) in found {
            // Its time is in the record, and `get` does not return soft-deleted ones.
            let start = previous.as_deref();
            let record =
                self.records.query(CollectionId, &collection, start, 1, with_deleted).await?;
            let Some(record) = record.first().filter(|record| record.path == path) else {
                continue;
            };
            let changed_at = record.created_at.max(record.updated_at);
            if changed_at < before {
                unlisted.push(Unlisted { path, changed_at, is_deleted: record.deleted });
            }
        }
        Ok((rows, unlisted))
    }

    /// Soft-deletes unlisted records that were last changed before `before`, and purges those that
    /// have been soft-deleted for 30 days. None of them as long as the history lacks edits.
    ///
    /// # Errors
    /// As the stores.
    pub(crate) async fn forget_unlisted(
        &self,
        document: DocumentId,
        relational: &Relational,
        before: Timestamp,
        now: Timestamp,
    ) -> Result<()> {
        let (_, unlisted) = self.unlisted(document, before, true).await?;
        if unlisted.is_empty() {
            return Ok(());
        }
        // They may be what is missing.
        if self.lacks_edits(document, relational).await? {
            tracing::error!(docId = %document, "edit history is damaged; run fsck");
            return Ok(());
        }
        // What is removed cannot be restored, so the rows are read once more.
        let listed = listed(&self.all_rows(document).await?);
        for Unlisted { path, changed_at, is_deleted } in unlisted {
            if listed.contains(&path) {
                continue;
            }
            if !is_deleted {
                self.records.delete(&path, now).await?;
                tracing::info!(docId = %document, %path, "soft-deleted unlisted edit history");
            } else if changed_at < now.minus(KEPT_DELETED) {
                self.records.purge(&path).await?;
                tracing::info!(docId = %document, %path, "removed unlisted edit history");
            }
        }
        Ok(())
    }
}

/// A record that no segment names.
struct Unlisted {
    path: RecordPath,
    /// Its last change; of a soft-deleted one, its deletion.
    changed_at: Timestamp,
    is_deleted: bool,
}

/// The records that these segments name.
fn listed(rows: &[SegmentRow]) -> HashSet<RecordPath> {
    rows.iter().flat_map(|row| paths(row.document_id, &row.segment)).collect()
}
