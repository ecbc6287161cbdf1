//! Taking an update in.

use super::{Client, Kind, Order, Run, place::Budget};
use crate::crdt::{
    ClientRange, Refusal,
    walk::{Content, Id, Struct, walk_each},
};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

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
    /// Two people who each wrote four thousand entries at the top of a list while they were apart
    /// stay below them.
    fn default() -> Self {
        Self { steps: 20_000_000, steps_of_all: 500_000_000, few_steps: 200_000, looks: 50_000_000 }
    }
}

/// What is read again stands among other items than the first time, if the log was cut meanwhile.
const AGAIN: u64 = 8;
/// Above this, runs are joined in one sweep.
const MANY: usize = 64;

/// What an update did.
struct Taken {
    cost: Cost,
    /// Where its clients were before.
    before: Vec<(u64, u32)>,
    deletes: Vec<ClientRange>,
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
pub(super) struct Turn<'a> {
    pub(super) validation: Validation,
    pub(super) budget: Budget,
    /// See [`Cost`].
    pub(super) moved: u64,
    placed: &'a mut Vec<Placed>,
}

/// A struct to come, without its text.
struct Fresh {
    run: Run,
    second_halves: Vec<u32>,
}

impl Order {
    /// Takes in an update of which nothing has to wait.
    ///
    /// # Errors
    /// See [`InvalidUpdate`]; then the order is as before.
    pub(in crate::crdt) fn take(
        &mut self,
        update: &[u8],
        validation: Validation,
    ) -> Result<Cost, InvalidUpdate> {
        let mut placed = Vec::new();
        let Taken { mut cost, before, deletes } =
            match self.place_all(update, validation, &mut placed) {
                Ok(taken) => taken,
                Err(unfit) => {
                    self.take_back(placed);
                    return Err(unfit);
                }
            };
        cost.moved += self.delete(&deletes);
        self.steps += cost.steps;
        for (client, end) in before {
            self.merge(client, end..self.end_of(client));
        }
        self.merge_deleted(&deletes);
        Ok(cost)
    }

    /// Whether an update of which nothing has to wait would be taken in.
    ///
    /// # Errors
    /// See [`InvalidUpdate`].
    pub(in crate::crdt) fn would_take(
        &mut self,
        update: &[u8],
        validation: Validation,
    ) -> Result<(), InvalidUpdate> {
        let mut placed = Vec::new();
        let checked = self.place_all(update, validation, &mut placed);
        self.take_back(placed);
        checked.map(|_| ())
    }

    /// Puts all items of an update in their places, and notes which.
    fn place_all(
        &mut self,
        update: &[u8],
        validation: Validation,
        placed: &mut Vec<Placed>,
    ) -> Result<Taken, InvalidUpdate> {
        let mut coming: HashMap<u64, VecDeque<Fresh>> = HashMap::new();
        let mut clients = Vec::new();
        let walked = walk_each(update, |item| {
            let queue = coming.entry(item.client).or_insert_with(|| {
                clients.push(item.client);
                VecDeque::new()
            });
            queue.push_back(Fresh::new(&item));
        })?;
        let mut turn = Turn { validation, budget: self.budget(validation), moved: 0, placed };
        let before: Vec<(u64, u32)> =
            clients.iter().map(|client| (*client, self.end_of(*client))).collect();
        let mut waiting: BTreeMap<Id, Vec<u64>> = BTreeMap::new();
        clients.reverse();
        while let Some(client) = clients.pop() {
            let queue = coming.entry(client).or_default();
            let awaited = self.integrate(queue, &mut turn)?;
            if let Some(id) = awaited {
                waiting.entry(id).or_default().push(client);
            }
            let met = Id { client, clock: 0 }..Id { client, clock: self.end_of(client) };
            clients.extend(waiting.extract_if(met, |_, _| true).flat_map(|(_, clients)| clients));
        }
        if !waiting.is_empty() {
            return Err(InvalidUpdate::NoNeighbour);
        }
        let is_cut = |range: &ClientRange| {
            self.is_inside(range.client, range.start) || self.is_inside(range.client, range.end)
        };
        if validation != Validation::Trusted && walked.deletes.iter().any(is_cut) {
            return Err(InvalidUpdate::HalfCharacter);
        }
        let cost = Cost { steps: turn.budget.steps, moved: turn.moved };
        Ok(Taken { cost, before, deletes: walked.deletes })
    }

    const fn budget(&self, validation: Validation) -> Budget {
        let Limits { steps, steps_of_all, few_steps, looks } = self.limits;
        let most = if self.steps > steps_of_all { few_steps } else { steps };
        let (most_steps, most_looks) = match validation {
            Validation::Trusted => (u64::MAX, u64::MAX),
            Validation::Replayed => (steps * AGAIN, looks * AGAIN),
            Validation::Untrusted => (most, looks),
        };
        Budget { steps: 0, most_steps, looks: 0, most_looks }
    }

    /// Takes items back, of which nothing has been joined yet: the last one first.
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
            client.second_halves.truncate(kept);
            if client.end == 0 {
                self.clients.remove(&id.client);
            }
        }
    }

    /// Integrates structs of one client as far as they do not build on what is not there yet; gives
    /// that.
    fn integrate(
        &mut self,
        queue: &mut VecDeque<Fresh>,
        turn: &mut Turn<'_>,
    ) -> Result<Option<Id>, InvalidUpdate> {
        while let Some(fresh) = queue.pop_front() {
            if fresh.run.end() <= self.end_of(fresh.run.client) {
                continue;
            }
            let mut neighbours = [fresh.run.origin, fresh.run.right_origin].into_iter().flatten();
            let awaited = neighbours.find(|id| self.end_of(id.client) <= id.clock);
            if awaited.is_some() {
                queue.push_front(fresh);
                return Ok(awaited);
            }
            self.add(fresh, turn)?;
        }
        Ok(None)
    }

    /// Adds what is not known of a struct.
    fn add(&mut self, fresh: Fresh, turn: &mut Turn<'_>) -> Result<(), InvalidUpdate> {
        let Fresh { mut run, mut second_halves } = fresh;
        let reached = self.end_of(run.client);
        let is_own = turn.validation == Validation::Trusted;
        if run.clock > reached {
            return Err(InvalidUpdate::NoNeighbour);
        }
        if run.clock < reached {
            if !is_own && second_halves.contains(&reached) {
                return Err(InvalidUpdate::HalfCharacter);
            }
            second_halves.retain(|half| *half > reached);
            run.len = run.end() - reached;
            run.clock = reached;
            run.origin = Some(Id { client: run.client, clock: reached - 1 });
        }
        let left = run.origin.map(|id| (id.client, id.clock + 1));
        let right = run.right_origin.map(|id| (id.client, id.clock));
        let mut boundaries = left.into_iter().chain(right);
        if !is_own && boundaries.any(|(client, clock)| self.is_inside(client, clock)) {
            return Err(InvalidUpdate::HalfCharacter);
        }
        let (id, end) = (Id { client: run.client, clock: run.clock }, run.end());
        let is_placed = run.kind != Kind::Collected;
        let (handle, after) =
            if is_placed { self.place(run, turn)? } else { (self.insert(run), None) };
        turn.placed.push(Placed { id, end, after, is_placed });
        let client: &mut Client = self.clients.entry(id.client).or_default();
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

    /// Marks what is deleted; gives the clocks that yrs moves to cut it out.
    fn delete(&mut self, deletes: &[ClientRange]) -> u64 {
        let mut moved = 0;
        for range in deletes {
            let ClientRange { client, start, end } = *range;
            for clock in [start, end] {
                let id = Id { client, clock };
                let is_text =
                    self.find(id).is_some_and(|handle| self.run(handle).kind == Kind::Text);
                if is_text && let Some((_, clocks)) = self.begin_at(id) {
                    moved += clocks;
                }
            }
            let Some(owner) = self.clients.get(&client) else { continue };
            for handle in owner.runs.range(start..end).map(|(_, handle)| *handle) {
                let run = &mut self.runs[handle as usize];
                if matches!(run.kind, Kind::Text | Kind::Format) {
                    run.kind = Kind::Deleted;
                }
            }
        }
        moved
    }

    fn merge_deleted(&mut self, deletes: &[ClientRange]) {
        if deletes.len() <= MANY {
            for range in deletes {
                self.merge(range.client, range.start..range.end);
            }
            return;
        }
        let clients: BTreeSet<u64> = deletes.iter().map(|range| range.client).collect();
        for client in clients {
            self.merge(client, 0..u32::MAX);
        }
    }
}

impl Fresh {
    fn new(item: &Struct<'_>) -> Self {
        let kind = match item.content {
            Content::Collected => Kind::Collected,
            Content::Deleted => Kind::Deleted,
            Content::Text(_) => Kind::Text,
            Content::Format => Kind::Format,
        };
        let text = match item.content {
            Content::Text(text) => text,
            _ => "",
        };
        let run = Run {
            client: item.client,
            clock: item.clock,
            len: item.len,
            kind,
            origin: item.origin,
            right_origin: item.right_origin,
            next: None,
            seen: (0, 0),
        };
        Self { run, second_halves: second_halves(text, item.clock) }
    }
}

/// The clocks of the second halves of the surrogate pairs in a text that begins at `clock`.
fn second_halves(text: &str, clock: u32) -> Vec<u32> {
    if text.is_ascii() {
        return Vec::new();
    }
    let mut halves = Vec::new();
    let mut at = clock;
    for character in text.chars() {
        if character.len_utf16() == 2 {
            halves.push(at + 1);
            at += 1;
        }
        at += 1;
    }
    halves
}
