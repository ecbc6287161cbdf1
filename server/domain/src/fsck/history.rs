//! Invariants of edit history, and its repair.

use super::{FaultKind, Findings, Fsck, remains::MAX_MISSING};
use crate::{
    edits::{EditStore, describe, first_gap},
    error::{Error, Result},
    storage::{Accounts, LoadedLog, RecordPath, SegmentRow},
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
        accounts: &Accounts,
        found: &mut Findings,
    ) -> Result<()> {
        let store = EditStore::of(&self.core);
        let mut seqs: BTreeSet<u64> = log.updates.iter().map(|row| row.seq).collect();
        let (mut expected, mut is_readable) = (None, true);
        for row in &segments {
            let number = row.number;
            // The first ones may be missing: history has a limited retention.
            if expected.is_some_and(|expected| expected != number) {
                found.add(FaultKind::History, format!("a segment is missing before {number}"));
            }
            expected = Some(number.saturating_add(1));
            match store.read(row).await {
                Ok(segment) => {
                    let twice = segment.edits.iter().find(|edit| !seqs.insert(edit.seq));
                    if let Some(edit) = twice {
                        let detail =
                            format!("edit {} of segment {number} is stored twice", edit.seq);
                        found.add(FaultKind::History, detail);
                    }
                    // What a room that was open has absorbed is in the next snapshot.
                    if row.segment.to_seq > log.snapshot.seq {
                        let detail = format!("segment {number} lies beyond the snapshot");
                        found.add(FaultKind::History, detail);
                    }
                }
                Err(Error::Internal(cause)) => {
                    is_readable = false;
                    found.add(FaultKind::History, format!("{}: {cause:?}", describe(row)));
                }
                Err(error) => return Err(error),
            }
        }
        seqs.extend(&accounts.quarantined);
        let gap = first_gap(&seqs, accounts.forgotten_seq, log.live_seq).filter(|_| is_readable);
        if let Some((first, last)) = gap
            // A snapshot in between has moved edits to a segment that is not in this list.
            && store.all_rows(found.document_id()).await? == segments
        {
            found.add(FaultKind::History, format!("edits {first} to {last} are in no segment"));
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

    /// Lists the segments that the records give. With `may_lose`, edits that no record gives are given
    /// up.
    pub(super) async fn mend_history(
        &self,
        document: DocumentId,
        may_lose: bool,
    ) -> Result<Vec<String>> {
        let stores = &self.core.stores.relational;
        let (store, at) = (EditStore::of(&self.core), self.core.clock.now());
        let accounts = stores.inspect.accounts(document).await?;
        let log = stores.mend.remains(document).await?;
        let mut known: BTreeSet<u64> = log.updates.iter().map(|row| row.seq).collect();
        known.extend(&accounts.quarantined);
        let mut inventory = store.inventory(document, &known).await?;
        let mut done = Vec::new();
        let unreadable = inventory.unreadable.len();
        let gives_up = may_lose && unreadable > 0;
        if gives_up {
            inventory.segments.retain(|segment| !inventory.unreadable.contains(segment));
            done.push(format!("WARNING: gave up {unreadable} segments that cannot be read"));
        }
        if inventory.differs || gives_up {
            stores.mend.relist(document, &inventory.segments).await?;
            done.push(format!("listed its {} segments again", inventory.segments.len()));
        }
        known.extend(inventory.seqs);
        let live_seq = stores.catalog.get(document).await?.live_seq;
        let mut lost = Vec::new();
        while may_lose
            && lost.len() < MAX_MISSING
            && let Some((first, last)) = first_gap(&known, accounts.forgotten_seq, live_seq)
        {
            let gap = (first..=last).take(MAX_MISSING);
            known.extend(gap.clone());
            lost.extend(gap);
        }
        if !lost.is_empty() {
            stores.mend.give_up(document, &lost, at).await?;
            let count = lost.len();
            done.push(format!("WARNING: gave up {count} edits that its history lacks"));
        }
        Ok(done)
    }
}
