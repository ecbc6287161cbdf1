//! Invariants of edit history.

use super::{FaultKind, Findings, Fsck};
use crate::{
    edits::EditStore,
    error::{Error, Result},
    storage::{LoadedLog, RecordPath, SegmentRow},
};
use izanagi_shared::id::DocumentId;
use std::{collections::BTreeSet, time::Duration};

/// Records are listed shortly after they are written; unlisted records older than this are orphans.
const LISTED_WITHIN: Duration = Duration::from_secs(60 * 60);

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

    /// Returns the rows of all segments, and the history records that none of them names; `None` if
    /// that cannot be determined.
    pub(super) async fn segments_and_orphans(
        &self,
        document: DocumentId,
        found: &mut Findings,
    ) -> Result<Option<(Vec<SegmentRow>, Vec<RecordPath>)>> {
        let old = self.core.clock.now().minus(LISTED_WITHIN);
        let listing = EditStore::of(&self.core).rows_and_unlisted(document, old, false).await;
        found.sound(FaultKind::History, listing)
    }
}
