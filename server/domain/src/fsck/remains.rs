//! What is left of the editing state of a damaged document: the document that the longest intact
//! prefix gives, with whatever later edits still can be applied to it, and the edits that it lacks.

use super::{Fsck, live::verify};
use crate::{
    edits::{Edit, EditStore},
    error::{Error, Result},
    live::{Lineage, Snapshot, random_client_id, unseal},
    storage::{DocumentRow, LogRemains, SavedText, SegmentRow, StoreError},
};
use izanagi_shared::{
    crdt::{Validation, inspect_update},
    id::DocumentId,
};
use std::collections::BTreeSet;

/// Most updates that are left out because they cannot be applied; after each, the document is built
/// again.
const MAX_REJECTED: usize = 1_000;
/// States in segments that are tried, newest first.
const MAX_STATES: usize = 8;
/// Most edits of a document that can be missing. A damaged number could name very many.
pub(super) const MAX_MISSING: usize = 1_000_000;

/// Everything that a repair reads.
pub(super) struct Remains {
    pub(super) row: DocumentRow,
    pub(super) log: LogRemains,
    /// Seqs that are quarantined or were given up.
    pub(super) accounted: BTreeSet<u64>,
    /// The stored text, if it is intact.
    pub(super) text: Option<SavedText>,
    /// The newest seq that anything intact tells of.
    pub(super) end: u64,
    pub(super) segments: Vec<SegmentRow>,
}

/// A document as far as it can be built.
pub(super) struct Built {
    pub(super) lineage: Lineage,
    /// What it begins with, for the report.
    pub(super) from: String,
    /// Seqs of edits that it lacks: they are missing, damaged, or depend on such.
    pub(super) lost: BTreeSet<u64>,
    /// Seqs of edits that are intact but cannot be applied, as in a room that loads the document.
    pub(super) rejected: BTreeSet<u64>,
    /// Rows of the log whose seq is damaged, and their right one.
    pub(super) renumbered: Vec<(u64, u64)>,
}

/// A state to begin with.
struct Base {
    seq: u64,
    state: Vec<u8>,
    /// Seqs of earlier edits that it lacks; `None` if they are not known.
    waiting: Option<BTreeSet<u64>>,
    /// The first segment whose edits it may lack.
    from_number: u64,
    name: String,
}

impl Fsck {
    pub(super) async fn remains(&self, document: DocumentId) -> Result<Remains> {
        let stores = &self.core.stores.relational;
        let row = stores.catalog.get(document).await?;
        let accounts = stores.inspect.accounts(document).await?;
        let log = stores.mend.remains(document).await?;
        let segments = EditStore::of(&self.core).all_rows(document).await?;
        let text = match stores.log.text(document).await {
            Ok(text) if crate::hash::sha256(&text.content) == text.facts.hash => Some(text),
            Ok(_) | Err(StoreError::NotFound | StoreError::Corrupt(_)) => None,
            Err(error) => return Err(error.into()),
        };
        let accounted: BTreeSet<u64> = accounts.quarantined.into_iter().collect();
        let end = if row.damage.live {
            let snapshots = log.snapshots.iter().filter(|it| intact(document, it).is_some());
            let snapshots = snapshots.map(|it| it.seq);
            let rows = log.updates.iter().filter(|it| unseal(&it.delta).is_some());
            let known = snapshots.chain(rows.map(|it| it.seq)).chain([log.highest_op]);
            let known = known.chain(accounted.iter().copied());
            let known = known.chain(segments.iter().map(|it| it.segment.to_seq));
            known.chain(text.iter().map(|it| it.facts.seq)).max().unwrap_or(0)
        } else {
            row.live_seq
        };
        Ok(Remains { row, log, accounted, text, end, segments })
    }

    /// Builds the document from each state that is left, newest first, until nothing is lost; returns
    /// the one that lacks the fewest edits, or why there is none.
    pub(super) async fn build(
        &self,
        remains: &Remains,
    ) -> Result<std::result::Result<Built, String>> {
        let document = remains.row.id;
        let mut causes = Vec::new();
        let mut best: Option<Built> = None;
        let mut tried = 0;
        let snapshots = remains.log.snapshots.iter();
        let snapshots = snapshots.filter(|it| it.seq >= remains.row.lineage_seq);
        let mut snapshots: Vec<Base> = snapshots
            .filter_map(|stored| {
                let snapshot = intact(document, stored);
                if snapshot.is_none() {
                    causes.push(format!("snapshot {} is damaged", stored.seq));
                }
                let Snapshot { state, waiting, .. } = snapshot?;
                let waiting: BTreeSet<u64> = waiting.into_iter().collect();
                let name = format!("snapshot {}", stored.seq);
                let waiting = Some(waiting);
                Some(Base { seq: stored.seq, state, waiting, from_number: 0, name })
            })
            .collect();
        snapshots.retain(|base| base.seq <= remains.end);
        let states = remains.segments.iter().rev().filter(|row| {
            let seq = row.segment.state_seq;
            seq.is_some_and(|seq| (remains.row.lineage_seq..=remains.end).contains(&seq))
        });
        let mut states = states.take(MAX_STATES);
        let mut snapshots = snapshots.into_iter();
        loop {
            let base = match snapshots.next() {
                Some(base) => base,
                None => match states.next() {
                    Some(row) => match self.base_in(row).await? {
                        Some(base) => base,
                        None => continue,
                    },
                    None => break,
                },
            };
            tried += 1;
            match self.build_from(remains, base).await? {
                Ok(built) if built.lost.is_empty() => return Ok(Ok(built)),
                Ok(built) => {
                    if best.as_ref().is_none_or(|best| built.lost.len() < best.lost.len()) {
                        best = Some(built);
                    }
                }
                Err(cause) => causes.push(cause),
            }
        }
        if tried == 0 && causes.is_empty() {
            causes.push("there is no snapshot".to_owned());
        }
        Ok(best.ok_or_else(|| causes.join("; ")))
    }

    /// Reads the state with which a segment begins.
    async fn base_in(&self, row: &SegmentRow) -> Result<Option<Base>> {
        let segment = match EditStore::of(&self.core).read(row).await {
            Ok(segment) => segment,
            Err(Error::Internal(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(segment.state.map(|state| Base {
            seq: state.seq,
            state: state.update,
            waiting: None,
            from_number: row.number,
            name: format!("the state in segment {}", row.number),
        }))
    }

    async fn build_from(
        &self,
        remains: &Remains,
        base: Base,
    ) -> Result<std::result::Result<Built, String>> {
        let mut edits = self.absorbed(remains, &base).await?;
        let (numbers, strays) = match numbers(remains, &base, &edits) {
            Ok(numbers) => numbers,
            Err(cause) => return Ok(Err(cause)),
        };
        let mut missing: BTreeSet<u64> = numbers;
        let mut renumbered = Vec::new();
        if missing.len() == strays.len() {
            renumbered = strays.into_iter().zip(std::mem::take(&mut missing)).collect();
        }
        for update in &remains.log.updates {
            if let Some(delta) = unseal(&update.delta) {
                let right = renumbered.iter().find(|(wrong, _)| *wrong == update.seq);
                edits.push((right.map_or(update.seq, |(_, right)| *right), delta.to_vec()));
            }
        }
        let Base { state, name, .. } = base;
        let client = random_client_id(&*self.core.ids);
        let mut rejected = BTreeSet::new();
        let lineage = loop {
            let Ok(mut lineage) = Lineage::load(client, &state) else {
                return Ok(Err(format!("{name} does not load")));
            };
            let mut applied = edits.iter().filter(|(seq, _)| !rejected.contains(seq));
            let failed = applied
                .find_map(|(seq, delta)| lineage.apply(*seq, delta, Validation::Replayed).err());
            match failed {
                None => break lineage,
                Some(failed) if rejected.len() < MAX_REJECTED => {
                    if !rejected.insert(failed.tag) {
                        return Ok(Err(format!("{name}: update {} cannot be applied", failed.tag)));
                    }
                }
                Some(_) => return Ok(Err(format!("{name}: too many updates cannot be applied"))),
            }
        };
        if let Err(cause) = verify(&lineage) {
            return Ok(Err(format!("{name}: {cause}")));
        }
        if !missing.is_empty() {
            // Without a gap, those that wait do so rightly.
            let waits = |delta: &[u8]| {
                !inspect_update(delta)
                    .is_ok_and(|summary| summary.is_within(|id| lineage.doc().clock_of(id)))
            };
            let waiting = edits.iter().filter(|(_, delta)| waits(delta)).map(|(seq, _)| *seq);
            missing.extend(waiting.chain(rejected.iter().copied()));
        }
        Ok(Ok(Built { lineage, from: name, lost: missing, rejected, renumbered }))
    }

    /// Returns the edits in segments that a state lacks, in the order of absorption. Those that are
    /// damaged are left out.
    async fn absorbed(&self, remains: &Remains, base: &Base) -> Result<Vec<(u64, Vec<u8>)>> {
        let store = EditStore::of(&self.core);
        let is_needed = |seq: u64| match &base.waiting {
            Some(waiting) => seq > base.seq || waiting.contains(&seq),
            None => seq > remains.row.lineage_seq,
        };
        let first = base.waiting.as_ref().and_then(|waiting| waiting.first()).copied();
        let first = first.unwrap_or(base.seq + 1);
        let mut edits = Vec::new();
        for row in remains.segments.iter().filter(|row| row.number >= base.from_number) {
            if base.waiting.is_some() && row.segment.to_seq < first {
                continue;
            }
            match store.read(row).await {
                Ok(segment) => {
                    let needed = segment.edits.into_iter().filter(|edit| is_needed(edit.seq));
                    let intact = needed.filter(|edit| !edit.delta.is_empty());
                    edits.extend(intact.map(|Edit { seq, delta, .. }| (seq, delta)));
                }
                Err(Error::Internal(cause)) => {
                    tracing::warn!(number = row.number, ?cause, "a damaged segment is left out");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(edits)
    }
}

/// Returns the numbers that are missing, and those of intact rows that no row can have.
fn numbers(
    remains: &Remains,
    base: &Base,
    absorbed: &[(u64, Vec<u8>)],
) -> std::result::Result<(BTreeSet<u64>, Vec<u64>), String> {
    let rows = remains.log.updates.iter().filter(|update| unseal(&update.delta).is_some());
    let (mut found, mut strays) = (BTreeSet::new(), Vec::new());
    for update in rows {
        let is_early = update.seq <= base.seq
            && base.waiting.as_ref().is_some_and(|waiting| !waiting.contains(&update.seq));
        if update.seq > remains.end || is_early {
            strays.push(update.seq);
        } else {
            found.insert(update.seq);
        }
    }
    found.extend(absorbed.iter().map(|(seq, _)| *seq));
    found.extend(&remains.accounted);
    let after = remains.end.saturating_sub(base.seq);
    if after > (MAX_MISSING + found.len()) as u64 {
        return Err(format!("{}: {after} updates cannot be missing", base.name));
    }
    let expected = base.seq + 1..=remains.end;
    let waiting = base.waiting.iter().flatten().copied();
    Ok((expected.chain(waiting).filter(|seq| !found.contains(seq)).collect(), strays))
}

/// Decodes a snapshot if it is intact.
fn intact(document: DocumentId, stored: &crate::storage::StoredSnapshot) -> Option<Snapshot> {
    Snapshot::decode(document, stored.seq, &stored.state)
}
