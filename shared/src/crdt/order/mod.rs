//! The order of a text's items, kept beside yrs, so that an update is known to be sound and cheap
//! before yrs integrates it.
//!
//! A client that follows the protocol names, for each item, the two that it stands between, and
//! they stand side by side in its document. yrs believes it. Where they do not, replicas and even
//! two loads of one state come to different texts; and where very many items claim one place,
//! finding each its own takes time by the square of their number. So the items' order is found here
//! first, by the same rules (Nicolaescu et al., “Near Real-Time Peer-to-Peer Shared Editing on
//! Extensible Data Types”, 2016, as Yjs implements them), with every step counted.

mod merge;
mod place;
mod take;
#[cfg(test)]
mod tests;

use super::{gate::ClientRange, parse::Id};
use std::collections::{BTreeMap, HashMap};

pub(super) use take::{Cost, Need};
pub use take::{InvalidUpdate, Validation};

/// The items of a text in their order, deleted ones too, without what is in them.
#[derive(Debug, Clone, Default)]
pub(super) struct Order {
    runs: Vec<Run>,
    /// Places in `runs` that are free.
    free: Vec<Handle>,
    clients: HashMap<u64, Client>,
    first: Option<Handle>,
    /// How many second halves of surrogate pairs all clients have.
    second_halves: usize,
    /// Counts the searches, so that what each has seen can be marked in the runs.
    search: u32,
    /// The steps of all searches.
    steps: u64,
    limits: take::Limits,
}

/// A place in `Order::runs`.
type Handle = u32;

/// Clocks of one client that stand side by side.
#[derive(Debug, Clone)]
pub(in crate::crdt) struct Run {
    client: u64,
    clock: u32,
    len: u32,
    pub(in crate::crdt) kind: Kind,
    /// Of its first clock; each further one has the one before it.
    origin: Option<Id>,
    /// Of all its clocks.
    right_origin: Option<Id>,
    next: Option<Handle>,
    /// The search that came by last, and after how many steps.
    seen: (u32, u32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::crdt) enum Kind {
    /// Stands nowhere: not in the order.
    Collected,
    Deleted,
    Text,
    Format,
}

#[derive(Debug, Clone, Default)]
struct Client {
    /// Its runs by their first clocks, without gaps.
    runs: BTreeMap<u32, Handle>,
    /// The next clock.
    end: u32,
    /// Clocks of the second halves of surrogate pairs, ascending.
    second_halves: Vec<u32>,
}

impl Run {
    pub(in crate::crdt) const fn end(&self) -> u32 {
        self.clock + self.len
    }

    const fn last(&self) -> Id {
        Id { client: self.client, clock: self.clock + self.len - 1 }
    }
}

impl Client {
    /// Which of its runs holds this clock.
    fn run_at(&self, clock: u32) -> Option<Handle> {
        let before = self.runs.range(..=clock).next_back()?;
        (clock < self.end).then_some(*before.1)
    }
}

impl Order {
    /// How many runs of clocks there are, each of them made in one go.
    pub(in crate::crdt) const fn items(&self) -> usize {
        self.runs.len() - self.free.len()
    }

    /// How many items were passed by in search of places since the document was loaded: how long it
    /// takes to integrate the same updates again.
    pub(in crate::crdt) const fn steps(&self) -> u64 {
        self.steps
    }

    /// How many second halves of surrogate pairs all clients have.
    pub(in crate::crdt) const fn second_halves(&self) -> usize {
        self.second_halves
    }

    /// The length of the text, in UTF-16 units.
    pub(in crate::crdt) fn units(&self) -> u64 {
        let (mut units, mut at) = (0, self.first);
        while let Some(handle) = at {
            let run = self.run(handle);
            if run.kind == Kind::Text {
                units += u64::from(run.len);
            }
            at = run.next;
        }
        units
    }

    /// The items in their order, deleted ones too, as ranges of clocks.
    pub(in crate::crdt) fn items_in_order(&self) -> Vec<ClientRange> {
        let mut items: Vec<ClientRange> = Vec::with_capacity(self.items());
        let mut at = self.first;
        while let Some(handle) = at {
            let run = self.run(handle);
            let (client, start, end) = (run.client, run.clock, run.end());
            match items.last_mut() {
                Some(last) if (last.client, last.end) == (client, start) => last.end = end,
                _ => items.push(ClientRange { client, start, end }),
            }
            at = run.next;
        }
        items
    }

    /// How many clients have written.
    pub(in crate::crdt) fn clients(&self) -> usize {
        self.clients.len()
    }

    fn run(&self, handle: Handle) -> &Run {
        &self.runs[handle as usize]
    }

    fn run_mut(&mut self, handle: Handle) -> &mut Run {
        &mut self.runs[handle as usize]
    }

    /// The next clock of a client.
    pub(in crate::crdt) fn end_of(&self, client: u64) -> u32 {
        self.clients.get(&client).map_or(0, |client| client.end)
    }

    /// The run of a client that holds this clock.
    pub(in crate::crdt) fn run_with(&self, client: u64, clock: u32) -> Option<&Run> {
        self.find(Id { client, clock }).map(|handle| self.run(handle))
    }

    /// The run that holds this clock.
    fn find(&self, id: Id) -> Option<Handle> {
        self.clients.get(&id.client)?.run_at(id.clock)
    }

    /// What stands after a run, or first.
    fn after(&self, left: Option<Handle>) -> Option<Handle> {
        left.map_or(self.first, |left| self.run(left).next)
    }

    fn insert(&mut self, run: Run) -> Handle {
        if let Some(handle) = self.free.pop() {
            *self.run_mut(handle) = run;
            return handle;
        }
        self.runs.push(run);
        u32::try_from(self.runs.len() - 1).unwrap_or(u32::MAX)
    }

    /// Makes a run begin at this clock, which its client has; gives it, and the clocks that yrs
    /// would have to move for it.
    fn begin_at(&mut self, id: Id) -> Option<(Handle, u64)> {
        let client = self.clients.get(&id.client)?;
        let handle = client.run_at(id.clock)?;
        let whole = self.run(handle).clone();
        if whole.clock == id.clock {
            return Some((handle, 0));
        }
        // yrs keeps the items of a client in one row, and moves those behind.
        let moved = u64::from(whole.len) + client.runs.len() as u64;
        let rest = Run {
            clock: id.clock,
            len: whole.end() - id.clock,
            origin: Some(Id { client: id.client, clock: id.clock - 1 }),
            ..whole
        };
        let rest = self.insert(rest);
        let left = self.run_mut(handle);
        left.len = id.clock - whole.clock;
        if left.kind != Kind::Collected {
            left.next = Some(rest);
        }
        self.clients.get_mut(&id.client)?.runs.insert(id.clock, rest);
        Some((rest, moved))
    }

    /// Makes a run end at this clock, which its client has.
    fn end_at(&mut self, id: Id) -> Option<(Handle, u64)> {
        let handle = self.find(id)?;
        if self.run(handle).last() == id {
            return Some((handle, 0));
        }
        let (_, moved) = self.begin_at(Id { clock: id.clock + 1, ..id })?;
        Some((handle, moved))
    }
}
