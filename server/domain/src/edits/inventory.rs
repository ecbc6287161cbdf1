//! What a document's edit history consists of, and what it should consist of. Segments describe
//! themselves, so their list can be made again from the records.

use super::{Edit, EditStore, segment, store};
use crate::{
    error::{Error, Result},
    storage::{
        NewSegment, RecordIndex::CollectionId, RecordPath, Relational, SegmentRow, StoreError,
        StoreResult,
    },
};
use izanagi_shared::id::DocumentId;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Batch size for paths.
const BATCH: u32 = 100;

/// The list of segments that the records of a document give.
#[derive(Debug, Default)]
pub(crate) struct Inventory {
    /// What is to be listed, in order.
    pub(crate) segments: Vec<NewSegment>,
    /// Those of them that are listed but cannot be read.
    pub(crate) unreadable: Vec<NewSegment>,
    /// Whether that differs from what is listed.
    pub(crate) differs: bool,
    /// Seqs of all edits in them that can be read.
    pub(crate) seqs: BTreeSet<u64>,
}

impl Inventory {
    /// Whether none of these edits is elsewhere.
    fn is_new(&self, seqs: &[u64], known: &BTreeSet<u64>) -> bool {
        seqs.iter().all(|seq| !self.seqs.contains(seq) && !known.contains(seq))
    }
}

impl EditStore {
    /// Reads all records of a document's history. A segment that is not listed belongs to the history
    /// if none of its edits is elsewhere: in another segment or among `known`.
    ///
    /// # Errors
    /// As the stores.
    pub(crate) async fn inventory(
        &self,
        document: DocumentId,
        known: &BTreeSet<u64>,
    ) -> Result<Inventory> {
        let listed: Vec<NewSegment> =
            self.all_rows(document).await?.into_iter().map(|row| row.segment).collect();
        let mut stored = BTreeMap::new();
        for record in self.stored(document).await? {
            if let Some((segment, seqs)) = self.describe(document, record).await? {
                stored.insert(record, (segment, seqs));
            }
        }
        let mut inventory = Inventory::default();
        // A record in the place of another one would give its edits twice: those that are as listed
        // come first.
        let (intact, others): (Vec<&NewSegment>, Vec<&NewSegment>) = listed
            .iter()
            .partition(|row| stored.get(&row.record).is_some_and(|(segment, _)| segment == *row));
        for row in intact.into_iter().chain(others) {
            match stored.remove(&row.record) {
                Some((segment, seqs)) if segment == *row || inventory.is_new(&seqs, known) => {
                    inventory.seqs.extend(seqs);
                    inventory.segments.push(segment);
                }
                _ => {
                    inventory.unreadable.push(*row);
                    inventory.segments.push(*row);
                }
            }
        }
        for (segment, seqs) in stored.into_values() {
            if inventory.is_new(&seqs, known) {
                inventory.seqs.extend(seqs);
                inventory.segments.push(segment);
            }
        }
        // The order of absorption: each snapshot absorbs newer edits than the one before.
        inventory
            .segments
            .sort_by_key(|segment| (segment.to_seq, segment.from_seq, segment.record));
        let numbers: Vec<u64> =
            self.all_rows(document).await?.iter().map(|row| row.number).collect();
        let is_numbered = numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]);
        inventory.differs = inventory.segments != listed || !is_numbered;
        Ok(inventory)
    }

    /// Whether edits are missing between those that history no longer keeps and the newest.
    ///
    /// # Errors
    /// As the stores.
    pub(crate) async fn lacks_edits(
        &self,
        document: DocumentId,
        relational: &Relational,
    ) -> Result<bool> {
        let tail = relational.log.since(document, 0).await?;
        let forgotten = self.rows().forgotten(document).await?;
        let mut seqs: BTreeSet<u64> = tail.updates.iter().map(|row| row.seq).collect();
        seqs.extend(tail.quarantined);
        for row in self.all_rows(document).await? {
            match self.read(&row).await {
                Ok(segment) => seqs.extend(segment.edits.iter().map(|edit| edit.seq)),
                Err(Error::Internal(_)) => return Ok(true),
                Err(error) => return Err(error),
            }
        }
        Ok(first_gap(&seqs, forgotten, tail.live_seq).is_some())
    }

    /// Returns the ids of all segments that have records.
    async fn stored(&self, document: DocumentId) -> StoreResult<BTreeSet<Uuid>> {
        let collection = RecordPath::edits_of(document);
        let (mut found, mut after) = (BTreeSet::new(), None::<String>);
        let mut seen = BTreeSet::new();
        loop {
            let start = after.as_deref();
            let paths = self.records.paths(CollectionId, &collection, start, BATCH, false).await?;
            let Some(last) = paths.last() else { return Ok(found) };
            // A damaged id could otherwise repeat the listing forever.
            if !seen.insert(last.id().to_owned()) {
                return Err(StoreError::Corrupt(format!("{collection}: a record's id")));
            }
            after = Some(last.id().to_owned());
            let record = |path: &RecordPath| path.id().rsplit_once('-')?.0.parse::<Uuid>().ok();
            found.extend(paths.iter().filter_map(record));
        }
    }

    /// Returns what the row of a segment should be, and the seqs of its edits; `None` if it cannot be
    /// read.
    async fn describe(
        &self,
        document: DocumentId,
        record: Uuid,
    ) -> Result<Option<(NewSegment, Vec<u64>)>> {
        let mut encoded = Vec::new();
        for part in 0.. {
            match self.records.get(&RecordPath::edits(document, record, part)).await {
                Ok(mut record) => match store::content(&mut record) {
                    Some(content) => encoded.extend(content),
                    None => return Ok(None),
                },
                Err(StoreError::NotFound) => break,
                Err(StoreError::Corrupt(_)) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
        let decode = move || {
            let decoded = segment::decode(&encoded)?;
            let seqs = decoded.edits.iter().map(|edit: &Edit| edit.seq).collect();
            Some((decoded.row(record, &encoded)?, seqs))
        };
        self.budget.run(decode).await
    }
}

/// Returns the first gap in the numbers after `after` up to `to`: its first and last number.
pub(crate) fn first_gap(seqs: &BTreeSet<u64>, after: u64, to: u64) -> Option<(u64, u64)> {
    let mut expected = after.saturating_add(1);
    for seq in seqs.range(expected..).copied().take_while(|seq| *seq <= to) {
        if seq > expected {
            return Some((expected, seq - 1));
        }
        expected = seq + 1;
    }
    (expected <= to).then_some((expected, to))
}

/// Describes a segment for a report.
pub(crate) fn describe(row: &SegmentRow) -> String {
    let SegmentRow { number, segment, .. } = row;
    format!("segment {number}, edits {} to {}", segment.from_seq, segment.to_seq)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::nothing(&[], 0, 0, None)]
    #[case::whole(&[1, 2, 3], 0, 3, None)]
    #[case::the_first(&[2, 3], 0, 3, Some((1, 1)))]
    #[case::the_last(&[1, 2], 0, 5, Some((3, 5)))]
    #[case::in_the_middle(&[1, 5], 0, 5, Some((2, 4)))]
    #[case::forgotten(&[3, 4], 2, 4, None)]
    #[case::more_than_asked_for(&[1, 2, 9], 0, 2, None)]
    #[case::all(&[], 3, 9, Some((4, 9)))]
    fn finds_the_first_gap(
        #[case] seqs: &[u64],
        #[case] after: u64,
        #[case] to: u64,
        #[case] gap: Option<(u64, u64)>,
    ) {
        assert_eq!(first_gap(&seqs.iter().copied().collect(), after, to), gap);
    }
}
