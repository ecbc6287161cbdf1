//! The invariants of edit history.

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

/// Records are listed soon after they are written. Older ones that are not listed are orphans.
const LISTED_WITHIN: Duration = Duration::from_secs(60 * 60);
/// Records that are read at once; they can be large.
const RECORDS: u32 = 8;

impl Fsck {
    pub(super) async fn check_history(
        &self,
        document: DocumentId,
        log: &LoadedLog,
        found: &mut Findings,
    ) -> Result<()> {
        let Some(orphans) = self.unlisted(document, found).await? else { return Ok(()) };
        for path in orphans {
            found.add(FaultKind::Orphan, format!("{path} belongs to no segment"));
        }
        let store = EditStore::of(&self.core);
        let mut seqs: BTreeSet<u64> = log.updates.iter().map(|row| row.seq).collect();
        let mut expected = None;
        for row in self.segments(document, found).await?.unwrap_or_default() {
            let number = row.number;
            // The first ones can be gone: history is kept for a limited time.
            if expected.is_some_and(|expected| expected != number) {
                found.add(FaultKind::History, format!("a segment is missing before {number}"));
            }
            expected = Some(number + 1);
            match store.read(&row).await {
                Ok(segment) => {
                    let twice = segment.edits.iter().find(|edit| !seqs.insert(edit.seq));
                    if let Some(edit) = twice {
                        let detail = format!("edit {} of segment {number} is kept twice", edit.seq);
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

    /// The rows of all segments; `None` when they make no sense, which is a fault.
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
            let rows = self.core.stores.segments.list(&filter).await;
            let Some(rows) = found.sound(FaultKind::History, rows)? else { return Ok(None) };
            let Some(last) = rows.last() else { return Ok(Some(all)) };
            filter.from_number = last.number + 1;
            all.extend(rows);
        }
    }

    /// The records of edit history that no segment names; `None` when that cannot be said.
    pub(super) async fn unlisted(
        &self,
        document: DocumentId,
        found: &mut Findings,
    ) -> Result<Option<Vec<RecordPath>>> {
        let old = self.core.clock.now().minus(LISTED_WITHIN);
        let collection = RecordPath::edits_of(document);
        let mut unlisted = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let records = &self.core.stores.records;
            let batch =
                records.query(CollectionKey, &collection, after.as_deref(), RECORDS, false).await;
            let Some(batch) = found.sound(FaultKind::History, batch)? else { return Ok(None) };
            let Some(last) = batch.last() else { break };
            after = Some(last.path.key());
            let is_old = |record: &Record| record.created_at < old;
            unlisted.extend(batch.into_iter().filter(is_old).map(|record| record.path));
        }
        let Some(rows) = self.segments(document, found).await? else { return Ok(None) };
        let listed: HashSet<RecordPath> =
            rows.iter().flat_map(|row| paths(document, &row.segment)).collect();
        unlisted.retain(|path| !listed.contains(path));
        Ok(Some(unlisted))
    }
}
