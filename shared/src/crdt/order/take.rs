//! Taking an update in.

use super::{
    Kind, Order, Run,
    place::{Budget, Meter},
};
use crate::crdt::{
    ClientRange, Refusal,
    parse::{Content, Id, Parsed, Struct},
};
use std::collections::{BTreeMap, BTreeSet};

/// How strictly an update is validated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validation {
    /// State of the server's own: taken as it is.
    Trusted,
    /// An update that was acknowledged: only what no text can hold is refused, and it may cost more
    /// than the first time, because other items may surround it now.
    Replayed,
    /// An update that nobody has acknowledged.
    Untrusted,
}

/// Why an update is invalid. The text goes to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUpdate {
    /// See [`Refusal`].
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The item on the left stands behind the one on the right, or what stands between them was
    /// there before.
    #[error("an item in the update stands between two that never stood side by side")]
    Crossed,
    /// An item that it builds on is not there, or stands nowhere.
    #[error("an item in the update builds on one that has no place in the text")]
    NoNeighbour,
    /// A boundary between the two halves of a surrogate pair.
    #[error("the update cuts a character in two: offsets count UTF-16 units")]
    HalfCharacter,
    /// It would take too long to find all its items their places.
    #[error("too many changes in the update are at one place where too many others are already")]
    Contested,
    /// It says of a clock something else than an update that waits.
    #[error("another update with the same client id and clock, but of other content, is waiting")]
    Contradicts,
}

/// What it takes to integrate an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::crdt) struct Cost {
    /// Items passed by in search of a place.
    pub(in crate::crdt) steps: u64,
    /// Clocks that yrs moves in memory to split runs.
    pub(in crate::crdt) moved: u64,
}

/// How much updates may cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Steps of one update: yrs takes about 130 ns for one.
    pub(super) steps: u64,
    /// Steps of all, after which a document takes a minute to load, and an update may cost few.
    pub(super) steps_of_all: u64,
    pub(super) few_steps: u64,
    /// Items that may be looked at to see whether neighbours can have been seen side by side. That is
    /// asked here alone, and takes some nanoseconds for each.
    pub(super) looks: u64,
}

impl Default for Limits {
    /// Two people who each wrote two thousand entries at the top of a list while they were apart
    /// stay below them; the page sends more in parts.
    fn default() -> Self {
        Self { steps: 4_000_000, steps_of_all: 500_000_000, few_steps: 200_000, looks: 50_000_000 }
    }
}

/// What is read again stands among other items than the first time, if the log was cut meanwhile.
const AGAIN: u64 = 8;

/// A clock that a client must have reached before something can be integrated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::crdt) struct Need {
    pub(in crate::crdt) client: u64,
    pub(in crate::crdt) clock: u32,
}

/// The structs of one client in an update.
#[derive(Debug)]
struct Section<'s, 'a> {
    structs: &'s [Struct<'a>],
    /// Where the client was before.
    from: u32,
    /// How many of the structs were there already, and how many are there now.
    known: usize,
    ready: usize,
}

/// The result of taking an update in.
#[derive(Debug)]
pub(in crate::crdt) struct Taken<'s, 'a> {
    pub(in crate::crdt) cost: Cost,
    sections: Vec<Section<'s, 'a>>,
    /// Deletions of what is there.
    pub(in crate::crdt) deletes: Vec<ClientRange>,
    /// Deletions of what is not there yet.
    pub(in crate::crdt) later_deletes: Vec<ClientRange>,
    /// Once one of these is met, the rest should be tried again.
    pub(in crate::crdt) needs: Vec<Need>,
}

/// An item that was added.
pub(super) struct Placed {
    id: Id,
    /// The clock after it.
    end: u32,
    /// The last clock of what it was put behind; at the beginning, if there is none.
    after: Option<Id>,
    /// Whether it stands anywhere.
    is_placed: bool,
}

/// An update being taken in.
pub(super) struct Turn {
    pub(super) validation: Validation,
    pub(super) budget: Budget,
    /// See [`Cost`].
    pub(super) moved: u64,
    placed: Vec<Placed>,
}

impl<'s, 'a> Taken<'s, 'a> {
    /// The structs that were placed.
    pub(in crate::crdt) fn ready(&self) -> Vec<&'s Struct<'a>> {
        self.sections.iter().flat_map(|it| &it.structs[it.known..it.ready]).collect()
    }

    /// The structs that build on something that is not there.
    pub(in crate::crdt) fn rest(&self) -> Vec<&'s Struct<'a>> {
        self.sections.iter().flat_map(|it| &it.structs[it.ready..]).collect()
    }

    /// Whether a part of the update is pending.
    pub(in crate::crdt) const fn is_pending(&self) -> bool {
        !self.needs.is_empty()
    }

    /// The clients whose structs the update brings.
    pub(in crate::crdt) fn clients(&self) -> impl Iterator<Item = u64> {
        self.sections.iter().map(Section::client)
    }
}

impl Section<'_, '_> {
    fn client(&self) -> u64 {
        self.structs[0].client
    }
}

impl Order {
    /// Takes in what can be integrated of an update.
    ///
    /// Yjs integrates a struct once its client's earlier structs and both its neighbours are there;
    /// until then it is pending. yrs ignores the client's earlier structs: it would show text that no
    /// Yjs client shows yet, and keep a gap that its own encoding does not survive.
    ///
    /// # Errors
    /// See [`InvalidUpdate`]; then the order is as before.
    pub(in crate::crdt) fn take<'s, 'a>(
        &mut self,
        update: &'s Parsed<'a>,
        validation: Validation,
    ) -> Result<Taken<'s, 'a>, InvalidUpdate> {
        let mut turn = self.turn(validation);
        let mut taken = match self.place_all(update, &mut turn) {
            Ok(taken) => taken,
            Err(invalid) => {
                self.take_back(turn.placed);
                return Err(invalid);
            }
        };
        taken.cost.moved += self.delete(&taken.deletes);
        self.steps += taken.cost.steps;
        for section in &taken.sections {
            self.merge(section.client(), section.from..self.end_of(section.client()));
        }
        self.merge_deleted(&taken.deletes);
        Ok(taken)
    }

    /// Returns whether part of an update from an untrusted sender would be pending. The order is as
    /// before.
    ///
    /// # Errors
    /// Those of [`Self::take`].
    pub(in crate::crdt) fn would_take(
        &mut self,
        update: &Parsed<'_>,
    ) -> Result<bool, InvalidUpdate> {
        let mut turn = self.turn(Validation::Untrusted);
        let would = self.place_all(update, &mut turn).map(|taken| taken.is_pending());
        self.take_back(turn.placed);
        would
    }

    const fn turn(&self, validation: Validation) -> Turn {
        let Limits { steps, steps_of_all, few_steps, looks } = self.limits;
        let most = if self.steps > steps_of_all { few_steps } else { steps };
        let (steps, looks) = match validation {
            Validation::Trusted => (u64::MAX, u64::MAX),
            Validation::Replayed => (steps * AGAIN, looks * AGAIN),
            Validation::Untrusted => (most, looks),
        };
        let budget = Budget { steps: Meter::of(steps), looks: Meter::of(looks) };
        Turn { validation, budget, moved: 0, placed: Vec::new() }
    }

    /// Places the items of an update as far as what they build on is there.
    fn place_all<'s, 'a>(
        &mut self,
        update: &'s Parsed<'a>,
        turn: &mut Turn,
    ) -> Result<Taken<'s, 'a>, InvalidUpdate> {
        let sections = update.structs.chunk_by(|a, b| a.client == b.client).map(|structs| {
            let from = self.end_of(structs[0].client);
            let known = structs.partition_point(|item| item.end() <= from);
            Section { structs, from, known, ready: known }
        });
        let mut sections: Vec<Section<'_, '_>> = sections.collect();
        let mut waiting: BTreeMap<Need, Vec<usize>> = BTreeMap::new();
        let mut turns: Vec<usize> = (0..sections.len()).rev().collect();
        while let Some(at) = turns.pop() {
            let section = &mut sections[at];
            while let Some(item) = section.structs.get(section.ready) {
                if let Some(need) = self.unmet_need(item) {
                    waiting.entry(need).or_default().push(at);
                    break;
                }
                self.add(item, turn)?;
                section.ready += 1;
            }
            let client = section.client();
            let met = Need { client, clock: 0 }..=Need { client, clock: self.end_of(client) };
            turns.extend(waiting.extract_if(met, |_, _| true).flat_map(|(_, turns)| turns));
        }
        let (mut deletes, mut later_deletes) = (Vec::new(), Vec::new());
        for range in &update.deletes {
            let reached = self.end_of(range.client).clamp(range.start, range.end);
            if range.start < reached {
                deletes.push(ClientRange { end: reached, ..*range });
            }
            if reached < range.end {
                later_deletes.push(ClientRange { start: reached, ..*range });
            }
        }
        let splits_character = |range: &ClientRange| {
            self.is_inside(range.client, range.start) || self.is_inside(range.client, range.end)
        };
        if turn.validation != Validation::Trusted && deletes.iter().any(splits_character) {
            return Err(InvalidUpdate::HalfCharacter);
        }
        // Progress of these clients counts too: another update may bring the same clocks, and then
        // nothing else is needed for them.
        let stuck = sections.iter().filter(|it| it.ready < it.structs.len()).map(Section::client);
        let stuck: BTreeSet<u64> =
            stuck.chain(later_deletes.iter().map(|range| range.client)).collect();
        let next = |client| Need { client, clock: self.end_of(client).saturating_add(1) };
        let needs = stuck.into_iter().map(next).chain(waiting.into_keys()).collect();
        let cost = Cost { steps: turn.budget.steps.used, moved: turn.moved };
        Ok(Taken { cost, sections, deletes, later_deletes, needs })
    }

    /// Returns something that a struct builds on and that is not there.
    fn unmet_need(&self, item: &Struct<'_>) -> Option<Need> {
        let own = Need { client: item.client, clock: item.clock };
        let neighbours = [item.origin, item.right_origin].into_iter().flatten();
        let neighbours = neighbours.map(|id| Need { client: id.client, clock: id.clock + 1 });
        std::iter::once(own).chain(neighbours).find(|need| self.end_of(need.client) < need.clock)
    }

    /// Removes items that were just placed, in reverse order. None of them has been joined yet.
    fn take_back(&mut self, placed: Vec<Placed>) {
        for Placed { id, end, after, is_placed } in placed.into_iter().rev() {
            let last = Id { client: id.client, clock: end - 1 };
            let behind = self.find(last).and_then(|last| self.run(last).next);
            if is_placed {
                match after.and_then(|after| self.find(after)) {
                    Some(left) => self.run_mut(left).next = behind,
                    None => self.first = behind,
                }
            }
            let Some(client) = self.clients.get_mut(&id.client) else { continue };
            self.free.extend(client.runs.split_off(&id.clock).into_values());
            client.end = id.clock;
            let kept = client.second_halves.partition_point(|half| *half < id.clock);
            self.second_halves -= client.second_halves.len() - kept;
            client.second_halves.truncate(kept);
            if client.end == 0 {
                self.clients.remove(&id.client);
            }
        }
    }

    /// Adds the part of a struct that is not there yet. Everything that it builds on is there.
    fn add(&mut self, item: &Struct<'_>, turn: &mut Turn) -> Result<(), InvalidUpdate> {
        let (client, reached) = (item.client, self.end_of(item.client));
        let is_trusted = turn.validation == Validation::Trusted;
        let (mut run, mut second_halves) = (Run::from(item), second_halves(item));
        if run.clock < reached {
            if !is_trusted && second_halves.contains(&reached) {
                return Err(InvalidUpdate::HalfCharacter);
            }
            second_halves.retain(|half| *half > reached);
            run.len = run.end() - reached;
            run.clock = reached;
            run.origin = Some(Id { client, clock: reached - 1 });
        }
        let left = run.origin.map(|id| (id.client, id.clock + 1));
        let right = run.right_origin.map(|id| (id.client, id.clock));
        let mut boundaries = left.into_iter().chain(right);
        if !is_trusted && boundaries.any(|(client, clock)| self.is_inside(client, clock)) {
            return Err(InvalidUpdate::HalfCharacter);
        }
        let (id, end) = (Id { client, clock: run.clock }, run.end());
        let is_placed = run.kind != Kind::Collected;
        let (handle, after) =
            if is_placed { self.place(run, turn)? } else { (self.insert(run), None) };
        turn.placed.push(Placed { id, end, after, is_placed });
        self.second_halves += second_halves.len();
        let client = self.clients.entry(client).or_default();
        client.runs.insert(id.clock, handle);
        client.end = end;
        client.second_halves.append(&mut second_halves);
        Ok(())
    }

    /// Whether the boundary before this clock is inside a character.
    fn is_inside(&self, client: u64, clock: u32) -> bool {
        let client = self.clients.get(&client);
        client.is_some_and(|client| client.second_halves.binary_search(&clock).is_ok())
    }
}

impl From<&Struct<'_>> for Run {
    fn from(item: &Struct<'_>) -> Self {
        let kind = match item.content {
            Content::Collected => Kind::Collected,
            Content::Deleted => Kind::Deleted,
            Content::Text(_) => Kind::Text,
            Content::Format => Kind::Format,
        };
        Self {
            client: item.client,
            clock: item.clock,
            len: item.len,
            kind,
            origin: item.origin,
            right_origin: item.right_origin,
            next: None,
            seen: (0, 0),
        }
    }
}

/// The clocks of the second halves of a text's surrogate pairs.
fn second_halves(item: &Struct<'_>) -> Vec<u32> {
    let Content::Text(text) = &item.content else { return Vec::new() };
    let (mut halves, mut clock) = (Vec::new(), item.clock);
    if !text.is_ascii() {
        for character in text.chars() {
            if character.len_utf16() == 2 {
                halves.push(clock + 1);
                clock += 1;
            }
            clock += 1;
        }
    }
    halves
}
