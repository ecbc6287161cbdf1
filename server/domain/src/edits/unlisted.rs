//! Records of edit history that no segment names: their segment was written but never listed.

use super::{EditStore, paths};
use crate::storage::{RecordIndex::CollectionId, RecordPath, SegmentRow, StoreError, StoreResult};
use izanagi_shared::{id::DocumentId, time::Timestamp};
use std::collections::HashSet;

/// Batch size for paths.
const BATCH: u32 = 100;

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
            let record = record.first().filter(|record| record.path == path);
            if record.is_some_and(|record| record.created_at.max(record.updated_at) < before) {
                unlisted.push(path);
            }
        }
        Ok((rows, unlisted))
    }

    /// Removes unlisted records that were last changed before `before` for good.
    ///
    /// # Errors
    /// As the stores.
    pub(crate) async fn purge_unlisted(
        &self,
        document: DocumentId,
        before: Timestamp,
    ) -> StoreResult<()> {
        let (_, unlisted) = self.rows_and_unlisted(document, before, true).await?;
        if unlisted.is_empty() {
            return Ok(());
        }
        // What is removed cannot be restored, so the rows are read once more.
        let listed = listed(&self.all_rows(document).await?);
        for path in unlisted.iter().filter(|path| !listed.contains(*path)) {
            tracing::info!(docId = %document, %path, "removed unlisted edit history");
            self.records.purge(path).await?;
        }
        Ok(())
    }
}

/// The records that these segments name.
fn listed(rows: &[SegmentRow]) -> HashSet<RecordPath> {
    rows.iter().flat_map(|row| paths(row.document_id, &row.segment)).collect()
}
