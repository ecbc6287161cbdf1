//! Invariants of edit history.

use super::{BATCH, FaultKind, Findings, Fsck};
use crate::{
    edits::{EditStore, paths},
    error::{Error, Result},
    storage::{
        LoadedLog, Record, RecordIndex::CollectionKey, RecordPath, SegmentFilter, SegmentRow,
    },
};
use izanagi_shared::id::DocumentId;
use std::{
    collections::{BTreeSet, HashSet},
    time::Duration,
};

/// Records are listed shortly after they are written; unlisted records older than this are orphans.
const LISTED_WITHIN: Duration = Duration::from_secs(60 * 60);
/// Batch size for records, which can be large.
const RECORDS: u32 = 8;

impl Fsck {
    pub(super) async fn check_history(
        &self,
        segments: Vec<SegmentRow>,
        log: &LoadedLog,
        found: &mut Findings,
    ) -> Result<()> {
        let store = EditStore::of(&self.core);
        let mut seqs: BTreeSet<u64> = log.updates.iter().map(|row| row.seq).collect();
        let mut expected = None;
        for row in segments {
            let number = row.number;
            // The first ones may be missing: history has a limited retention.
            if expected.is_some_and(|expected| expected != number) {
                found.add(FaultKind::History, format!("a segment is missing before {number}"));
            }
            expected = Some(number + 1);
            match store.read(&row).await {
                Ok(segment) => {
                    let twice = segment.edits.iter().find(|edit| !seqs.insert(edit.seq));
                    if let Some(edit) = twice {
                        let detail =
                            format!("edit {} of segment {number} is stored twice", edit.seq);
                        found.add(FaultKind::History, detail);
                    }
                    if row.segment.to_seq > log.snapshot.seq {
                        let detail = format!("segment {number} lies beyond the snapshot");
                        found.add(FaultKind::History, detail);
                    }
                }
                Err(Error::Internal(cause)) => {
                    found.add(FaultKind::History, format!("segment {number}: {cause:?}"));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Returns the rows of all segments; `None` and a fault if they are unreadable.
    async fn segments(
        &self,
        document: DocumentId,
        found: &mut Findings,
    ) -> Result<Option<Vec<SegmentRow>>> {
        let mut filter = SegmentFilter {
            document_id: document,
            from_seq: 0,
            to_seq: u64::MAX,
            from_number: 0,
            limit: BATCH,
        };
        let mut all = Vec::new();
        loop {
            let rows = self.core.stores.relational.segments.list(&filter).await;
            let Some(rows) = found.sound(FaultKind::History, rows)? else { return Ok(None) };
            let Some(last) = rows.last() else { return Ok(Some(all)) };
            filter.from_number = last.number + 1;
            all.extend(rows);
        }
    }

    /// Returns the rows of all segments, and the history records that none of them names; `None` if
    /// that cannot be determined.
    pub(super) async fn segments_and_orphans(
        &self,
        document: DocumentId,
        found: &mut Findings,
    ) -> Result<Option<(Vec<SegmentRow>, Vec<RecordPath>)>> {
        let old = self.core.clock.now().minus(LISTED_WITHIN);
        let collection = RecordPath::edits_of(document);
        let mut orphans = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let records = &self.core.stores.documents;
            let batch =
                records.query(CollectionKey, &collection, after.as_deref(), RECORDS, false).await;
            let Some(batch) = found.sound(FaultKind::History, batch)? else { return Ok(None) };
            let Some(last) = batch.last() else { break };
            after = Some(last.path.key());
            let is_old = |record: &Record| record.created_at < old;
            orphans.extend(batch.into_iter().filter(is_old).map(|record| record.path));
        }
        // After the records: a record may be listed in between.
        let Some(rows) = self.segments(document, found).await? else { return Ok(None) };
        let listed: HashSet<RecordPath> =
            rows.iter().flat_map(|row| paths(document, &row.segment)).collect();
        orphans.retain(|path| !listed.contains(path));
        Ok(Some((rows, orphans)))
    }
}
