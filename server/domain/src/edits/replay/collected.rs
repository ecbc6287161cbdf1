//! A replay being collected.

use crate::{
    edits::{read::author, segment::Edit},
    error::{Error, Result},
};
use izanagi_shared::{
    crdt::{
        TextDoc,
        replay::{Index, Ordered, ReplayBuilder},
    },
    id::ActorId,
    time::Timestamp,
    wire::{MissingEdits, Person, ReplayEdits, ReplayView},
};
use std::collections::BTreeMap;

/// A replay ends early when its edits have inserted this much text, in UTF-16 units,
const MAX_UNITS: usize = 4 * 1024 * 1024;
/// or it has this many parts.
const MAX_PARTS: usize = 600_000;

/// A replay being collected.
pub(super) struct Collected {
    pub(super) builder: ReplayBuilder,
    /// Edits up to this one are in the text that the replay begins with.
    after_seq: u64,
    /// The last edit that was added.
    pub(super) last_seq: u64,
    limit: Index,
    seqs: Vec<u64>,
    actors: Vec<Option<ActorId>>,
    times: Vec<Timestamp>,
    pub(super) missing: Vec<MissingEdits>,
    /// Where the next replay begins, if there is one.
    pub(super) next: Option<u64>,
    /// The number of the first segment of another lineage, if this one ends.
    pub(super) lineage_end: Option<u64>,
}

impl Collected {
    /// Begins with a state, for the edits from `from` on.
    pub(super) fn new(state: &[u8], state_seq: u64, from: u64, limit: Index) -> Result<Self> {
        Ok(Self {
            builder: ReplayBuilder::new(state).map_err(Error::internal)?,
            after_seq: from - 1,
            last_seq: state_seq,
            limit,
            seqs: Vec::new(),
            actors: Vec::new(),
            times: Vec::new(),
            missing: Vec::new(),
            next: None,
            lineage_end: None,
        })
    }

    fn is_full(&self) -> bool {
        self.builder.edits() >= self.limit
            || self.builder.own_units() > MAX_UNITS
            // Counting takes time by the number of clients.
            || (self.seqs.len().is_multiple_of(1_024) && self.builder.parts() > MAX_PARTS)
    }

    /// Adds an edit.
    pub(super) fn add(&mut self, Edit { seq, actor, at, delta }: Edit, live_seq: u64) {
        if self.next.is_some() || seq > live_seq {
            return;
        }
        if delta.is_empty() {
            self.add_lost(seq, seq);
        } else if seq <= self.last_seq {
            self.builder.add_late(&delta);
        } else if seq <= self.after_seq {
            self.builder.add_before(&delta);
        } else if !self.seqs.is_empty() && self.is_full() {
            self.next = Some(seq);
            return;
        } else {
            self.builder.add_edit(&delta);
            self.seqs.push(seq);
            self.actors.push(Some(actor));
            self.times.push(at);
        }
        self.last_seq = self.last_seq.max(seq);
    }

    /// Adds edits that are lost, as one.
    pub(super) fn add_lost(&mut self, from_seq: u64, to_seq: u64) {
        let from_seq = from_seq.max(self.last_seq + 1);
        if self.next.is_some() || to_seq < from_seq {
            return;
        }
        let is_before = to_seq <= self.after_seq;
        self.builder.add_lost(is_before);
        if !is_before {
            self.seqs.push(to_seq);
            self.actors.push(None);
            self.times.push(self.times.last().copied().unwrap_or_default());
        }
        self.missing.push(MissingEdits { from_seq, to_seq });
        self.last_seq = to_seq;
    }

    /// Names edits before the replay that are lost.
    pub(super) fn without(mut self, from_seq: u64, to_seq: u64) -> Self {
        if from_seq <= to_seq {
            self.missing.push(MissingEdits { from_seq, to_seq });
        }
        self
    }

    /// Makes all edits one that is lost.
    pub(super) fn lose_all(&mut self) {
        let (after, last, limit) = (self.after_seq, self.last_seq, self.limit);
        let (next, lineage_end) = (self.next, self.lineage_end);
        *self = Self {
            builder: ReplayBuilder::default(),
            after_seq: after,
            last_seq: after,
            limit,
            seqs: Vec::new(),
            actors: Vec::new(),
            times: Vec::new(),
            missing: Vec::new(),
            next: None,
            lineage_end,
        };
        self.add_lost(after + 1, last);
        self.next = next;
    }

    /// The authors.
    pub(super) fn actors(&self) -> impl Iterator<Item = &ActorId> {
        self.actors.iter().flatten()
    }

    /// Ends where a lineage ends with edit `seq`: before the segment with number `end`.
    pub(super) fn end_lineage(&mut self, end: u64, seq: u64, live_seq: u64) {
        self.lineage_end = Some(end);
        self.next = Some(seq + 1).filter(|next| *next <= live_seq);
    }

    /// Orders the text by a document that has all items.
    ///
    /// # Errors
    /// Its state cannot be parsed; that would be a bug.
    pub(super) fn into_view(
        self,
        doc: &TextDoc,
        is_at_end: bool,
        people: &BTreeMap<ActorId, Person>,
        live_seq: u64,
    ) -> Result<ReplayView> {
        let (items, state) = (doc.items_in_order(), doc.encode());
        let ordered = Ordered { items: &items, state: &state, is_at_end };
        let mut actors: Vec<ActorId> = self.actors().copied().collect();
        actors.sort_unstable();
        actors.dedup();
        let number = |actor: &Option<ActorId>| {
            let at = actor.as_ref().and_then(|actor| actors.binary_search(actor).ok());
            at.map_or(0, |at| u32::try_from(at + 1).unwrap_or_default())
        };
        let start = self.times.iter().find(|at| **at > Timestamp::default()).copied();
        let edits = ReplayEdits {
            start: start.unwrap_or_default(),
            seqs: differences(self.after_seq, self.seqs),
            authors: self.actors.iter().map(number).collect(),
            times: milliseconds(start.unwrap_or_default(), &self.times),
        };
        let (text, parts) = self.builder.finish(ordered).map_err(Error::internal)?.into();
        Ok(ReplayView {
            first_seq: 0,
            live_seq,
            after_seq: self.after_seq,
            next: self.next,
            ends_lineage: self.lineage_end.is_some(),
            edits,
            missing: self.missing,
            people: actors.iter().map(|actor| author(people, *actor)).collect(),
            text,
            parts,
        })
    }
}

fn differences(mut before: u64, values: Vec<u64>) -> Vec<u64> {
    let difference = |value: u64| value.saturating_sub(std::mem::replace(&mut before, value));
    values.into_iter().map(difference).collect()
}

/// Milliseconds from each time to the next. A clock that was set back stands still.
fn milliseconds(start: Timestamp, times: &[Timestamp]) -> Vec<u64> {
    let mut last = start.as_micros().div_euclid(1_000);
    let difference = |at: &Timestamp| {
        let at = at.as_micros().div_euclid(1_000).max(last);
        let more = at.saturating_sub(last);
        last = at;
        more.cast_unsigned()
    };
    times.iter().map(difference).collect()
}
