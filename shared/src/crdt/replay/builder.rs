//! Collecting edits.

use super::{
    Index, NEVER,
    client::{Client, Text},
};
use crate::crdt::{
    ClientRange, Refusal,
    order::Need,
    parse::{Content, Parsed, Struct, parse},
};
use std::collections::{BTreeMap, HashMap};

/// Deleted text of before the replay that is kept until it is worth moving the rest.
const MOST_GARBAGE: usize = 8 * 1024 * 1024;

/// Collects the edits of a replay, in their order.
#[derive(Debug, Default)]
pub struct ReplayBuilder {
    clients: HashMap<u64, Client>,
    /// The inserted text, in UTF-16 units.
    pub(super) units: Vec<u16>,
    /// Where the text of the replay's own edits begins.
    own_from: usize,
    /// Text that was there when it was last compacted.
    compacted: usize,
    /// Updates of which something depends on what is not there yet.
    waiting: Vec<(Vec<u8>, Vec<Need>)>,
    index: Index,
    /// Edits that stand for lost ones.
    gaps: Vec<Index>,
}

/// The items of a document in their order, and its text.
#[derive(Debug, Clone, Copy)]
pub struct Ordered<'a> {
    /// The items, deleted ones too.
    pub items: &'a [ClientRange],
    /// A state that contains them, as an update (v1).
    pub state: &'a [u8],
    /// Whether the state is the one after the replay's last edit, rather than a later one.
    pub is_at_end: bool,
}

/// All text that is visible at any time of a replay, in the order of the document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReplayText {
    /// The text.
    pub text: String,
    /// Its parts: how many UTF-16 units, the edit that inserted them, and the one that deleted them.
    pub parts: Vec<(u32, Index, Index)>,
}

/// What is visible in a state: by client, clocks and their text.
type Visible = HashMap<u64, Vec<(u32, u32, usize)>>;

impl ReplayBuilder {
    /// Begins with the state before the first edit, an update (v1).
    ///
    /// # Errors
    /// The bytes are no state.
    pub fn new(state: &[u8]) -> Result<Self, Refusal> {
        let mut builder = Self::default();
        builder.take(&parse(state)?);
        builder.own_from = builder.units.len();
        builder.compacted = builder.own_from;
        Ok(builder)
    }

    /// Adds an edit from before the replay.
    pub fn add_before(&mut self, update: &[u8]) {
        debug_assert_eq!(self.index, 0, "the replay has begun");
        self.add(update);
        if self.units.len() > self.compacted + MOST_GARBAGE {
            let mut kept = Vec::with_capacity(self.compacted);
            self.clients.values_mut().for_each(|client| client.compact(&self.units, &mut kept));
            self.units = kept;
            self.compacted = self.units.len();
        }
        self.own_from = self.units.len();
    }

    /// Adds the replay's next edit.
    pub fn add_edit(&mut self, update: &[u8]) {
        self.index += 1;
        self.add(update);
    }

    /// Adds an edit that stands for lost ones, before the replay or in it. What they inserted or
    /// deleted is read from the state at the end, as far as that has it.
    pub fn add_lost(&mut self, is_before: bool) {
        self.index += Index::from(!is_before);
        self.gaps.push(self.index);
    }

    /// Adds what was accepted earlier but depends on something later. It has no number of its own.
    pub fn add_late(&mut self, update: &[u8]) {
        self.add(update);
    }

    /// The number of edits so far.
    #[must_use]
    pub const fn edits(&self) -> Index {
        self.index
    }

    /// UTF-16 units that the replay's own edits inserted.
    #[must_use]
    pub const fn own_units(&self) -> usize {
        self.units.len() - self.own_from
    }

    /// How many parts there are, about; each takes some 50 bytes.
    #[must_use]
    pub fn parts(&self) -> usize {
        self.clients.values().map(Client::parts).sum()
    }

    /// Whether a state has everything that was added, so that it belongs to the same lineage.
    /// `clock_of` returns the next clock of a client in it.
    pub fn is_within(&self, clock_of: impl Fn(u64) -> u32) -> bool {
        self.clients.iter().all(|(client, it)| clock_of(*client) >= it.end())
    }

    /// Whether the state, an update (v1), has everything that was added.
    #[must_use]
    pub fn is_within_state(&self, state: &[u8]) -> bool {
        let mut ends: HashMap<u64, u32> = HashMap::new();
        let Ok(parsed) = parse(state) else { return false };
        for item in &parsed.structs {
            let end = ends.entry(item.client).or_default();
            *end = (*end).max(item.end());
        }
        self.is_within(|client| ends.get(&client).copied().unwrap_or_default())
    }

    fn add(&mut self, update: &[u8]) {
        // What was accepted can be parsed.
        let Ok(parsed) = parse(update) else { return };
        let needs = self.take(&parsed);
        if !needs.is_empty() {
            self.waiting.push((update.to_vec(), needs));
        }
        while let Some(at) = self.waiting.iter().position(|(_, needs)| self.meets_one_of(needs)) {
            let (update, _) = self.waiting.swap_remove(at);
            let needs = parse(&update).map(|parsed| self.take(&parsed)).unwrap_or_default();
            if !needs.is_empty() {
                self.waiting.push((update, needs));
            }
        }
    }

    fn meets_one_of(&self, needs: &[Need]) -> bool {
        needs.iter().any(|need| self.end_of(need.client) >= need.clock)
    }

    fn end_of(&self, client: u64) -> u32 {
        self.clients.get(&client).map_or(0, Client::end)
    }

    /// Takes what is complete, as [`crate::crdt::Checker`] does; returns what the rest needs.
    fn take(&mut self, update: &Parsed<'_>) -> Vec<Need> {
        let sections: Vec<&[Struct<'_>]> =
            update.structs.chunk_by(|a, b| a.client == b.client).collect();
        let mut taken = vec![0; sections.len()];
        let mut waiting: BTreeMap<Need, Vec<usize>> = BTreeMap::new();
        let mut turns: Vec<usize> = (0..sections.len()).rev().collect();
        while let Some(at) = turns.pop() {
            let client = sections[at][0].client;
            while let Some(item) = sections[at].get(taken[at]) {
                if let Some(need) = self.unmet_need(item) {
                    waiting.entry(need).or_default().push(at);
                    break;
                }
                self.insert(item);
                taken[at] += 1;
            }
            let met = Need { client, clock: 0 }..=Need { client, clock: self.end_of(client) };
            turns.extend(waiting.extract_if(met, |_, _| true).flat_map(|(_, turns)| turns));
        }
        let mut needs: Vec<Need> = waiting.into_keys().collect();
        for ClientRange { client, start, end } in update.deletes.iter().copied() {
            let reached = self.end_of(client).clamp(start, end);
            if start < reached {
                let index = self.index;
                self.clients.entry(client).or_default().delete(start..reached, index);
            }
            if reached < end {
                needs.push(Need { client, clock: self.end_of(client) + 1 });
            }
        }
        needs
    }

    fn unmet_need(&self, item: &Struct<'_>) -> Option<Need> {
        if item.end() <= self.end_of(item.client) {
            return None;
        }
        // After a loss, what is missing does not come any more.
        if !self.gaps.is_empty() {
            return None;
        }
        let own = Need { client: item.client, clock: item.clock };
        let neighbours = [item.origin, item.right_origin].into_iter().flatten();
        let neighbours = neighbours.map(|id| Need { client: id.client, clock: id.clock + 1 });
        std::iter::once(own).chain(neighbours).find(|need| self.end_of(need.client) < need.clock)
    }

    /// Inserts the part of a struct that is not there yet.
    fn insert(&mut self, item: &Struct<'_>) {
        let index = self.index;
        let lost = self.gaps.last().copied().unwrap_or(index);
        let client = self.clients.entry(item.client).or_default();
        let end = client.end();
        if item.end() <= end {
            return;
        }
        if end < item.clock {
            client.push(item.clock - end, lost, Text::Unknown);
        }
        let known = client.end() - item.clock;
        let text = match &item.content {
            Content::Text(text) => {
                let at = self.units.len();
                self.units.extend(text.encode_utf16().skip(known as usize));
                Text::At(at)
            }
            Content::Collected | Content::Deleted | Content::Format => Text::None,
        };
        client.push(item.len - known, index, text);
    }

    /// Returns the text of the replay.
    ///
    /// # Errors
    /// The state is none.
    pub fn finish(mut self, ordered: Ordered<'_>) -> Result<ReplayText, Refusal> {
        let visible = match self.gaps.last() {
            None => None,
            Some(last) => Some(self.visible(&parse(ordered.state)?, *last, ordered.is_at_end)),
        };
        let mut units: Vec<u16> = Vec::with_capacity(self.units.len());
        let mut parts: Vec<(u32, Index, Index)> = Vec::new();
        let all = &self.units;
        let mut add = |start: usize, len: u32, inserted: Index, deleted: Index| {
            // Never visible: deleted before the replay, or by the edit that inserted it.
            if deleted <= inserted {
                return;
            }
            units.extend(all.get(start..start + len as usize).unwrap_or_default());
            match parts.last_mut() {
                Some(last) if (last.1, last.2) == (inserted, deleted) => last.0 += len,
                _ => parts.push((len, inserted, deleted)),
            }
        };
        for ClientRange { client, start, end } in ordered.items {
            let Some(it) = self.clients.get(client) else { continue };
            it.visit(*start..*end, |clocks, inserted, deleted, text| match &visible {
                None => {
                    if let Text::At(at) = text {
                        add(at, clocks.end - clocks.start, inserted, deleted);
                    }
                }
                Some(visible) => {
                    let gap = self.gaps.iter().copied().find(|gap| *gap >= inserted);
                    let lost = if ordered.is_at_end { gap.unwrap_or(NEVER) } else { NEVER };
                    let seen = visible.get(client).map_or(&[][..], Vec::as_slice);
                    split(clocks, seen, |clocks, offset, known| {
                        let len = clocks.end - clocks.start;
                        let deleted = match (deleted, known) {
                            (NEVER, None) => lost,
                            (deleted, _) => deleted,
                        };
                        match (text, known) {
                            (Text::At(at), _) => add(at + offset as usize, len, inserted, deleted),
                            (Text::Unknown, Some(at)) => add(at, len, inserted, deleted),
                            _ => {}
                        }
                    });
                }
            });
        }
        Ok(ReplayText { text: String::from_utf16_lossy(&units), parts })
    }

    /// Returns what is visible in a state; its text is added to that of the edits. If it is the state
    /// at the end, what no edit inserted came with the lost ones.
    fn visible(&mut self, state: &Parsed<'_>, lost: Index, is_at_end: bool) -> Visible {
        let mut clients: HashMap<u64, Client> = HashMap::new();
        for item in &state.structs {
            let client = clients.entry(item.client).or_default();
            // Of a client whose first structs are missing nothing is known.
            let missing = item.clock.saturating_sub(client.end());
            if missing > 0 {
                client.push(missing, 0, Text::None);
            }
            let text = match &item.content {
                Content::Text(text) => {
                    let at = self.units.len();
                    self.units.extend(text.encode_utf16());
                    Text::At(at)
                }
                _ => Text::None,
            };
            client.push(item.len, 0, text);
        }
        for range in &state.deletes {
            clients.entry(range.client).or_default().delete(range.start..range.end, 0);
        }
        let mut visible = Visible::new();
        for (id, client) in &clients {
            let seen = visible.entry(*id).or_default();
            let own = self.clients.entry(*id).or_default();
            if is_at_end && own.end() < client.end() {
                own.push(client.end() - own.end(), lost, Text::Unknown);
            }
            client.visit(0..client.end(), |clocks, _, deleted, text| {
                if let (Text::At(at), NEVER) = (text, deleted) {
                    seen.push((clocks.start, clocks.end, at));
                }
            });
        }
        visible
    }
}

/// Divides clocks into those that are seen, with their text, and those that are not. `offset` counts
/// from the first clock.
fn split(
    clocks: std::ops::Range<u32>,
    seen: &[(u32, u32, usize)],
    mut visit: impl FnMut(std::ops::Range<u32>, u32, Option<usize>),
) {
    let (first, mut at) = (clocks.start, clocks.start);
    let from = seen.partition_point(|(_, end, _)| *end <= at);
    for (start, end, text) in &seen[from..] {
        if *start >= clocks.end {
            break;
        }
        if at < *start {
            visit(at..*start, at - first, None);
            at = *start;
        }
        let stop = (*end).min(clocks.end);
        visit(at..stop, at - first, Some(text + (at - start) as usize));
        at = stop;
    }
    if at < clocks.end {
        visit(at..clocks.end, at - first, None);
    }
}
