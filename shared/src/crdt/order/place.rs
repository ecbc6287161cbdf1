//! Finding an item's place.

use super::{Handle, InvalidUpdate, Kind, Order, Run, Validation, take::Turn};
use crate::crdt::parse::Id;
use std::collections::HashMap;

/// Counts up to a limit.
pub(super) struct Meter {
    pub(super) used: u64,
    most: u64,
}

/// How far searches may go, and how far they came.
pub(super) struct Budget {
    /// Items that yrs passes by, too.
    pub(super) steps: Meter,
    /// Items that only the check of neighbours looks at.
    pub(super) looks: Meter,
}

impl Meter {
    pub(super) const fn of(most: u64) -> Self {
        Self { used: 0, most }
    }

    const fn count(&mut self) -> Result<(), InvalidUpdate> {
        self.used += 1;
        if self.used > self.most { Err(InvalidUpdate::Contested) } else { Ok(()) }
    }
}

impl Order {
    /// Puts an item in its place; gives also the last clock of what it stands behind. In the
    /// server's own state neighbours need not stand side by side, as yrs lets them. The item's
    /// client has come to its clock.
    pub(super) fn place(
        &mut self,
        mut item: Run,
        turn: &mut Turn,
    ) -> Result<(Handle, Option<Id>), InvalidUpdate> {
        let is_trusted = turn.validation == Validation::Trusted;
        let mut split = |found: Option<(Handle, u64)>| -> Result<Option<Handle>, InvalidUpdate> {
            let (handle, clocks) = found.ok_or(InvalidUpdate::NoNeighbour)?;
            turn.moved += clocks;
            Ok(Some(handle))
        };
        let left = match item.origin {
            Some(id) => split(self.end_at(id))?,
            None => None,
        };
        let right = match item.right_origin {
            Some(id) => split(self.begin_at(id))?,
            None => None,
        };
        // Where the right one is an earlier part of the same run, it was cut from it just now.
        let is_cut = left.is_some_and(|left| Some(self.run(left).last()) != item.origin);
        if is_cut && !is_trusted {
            return Err(InvalidUpdate::Crossed);
        }
        let is_nowhere = |handle: &Handle| self.run(*handle).kind == Kind::Collected;
        let (left, right) = match (left, right) {
            (left, right) if !left.iter().chain(&right).any(is_nowhere) => (left, right),
            (left, right) if is_trusted => (
                left.filter(|handle| !is_nowhere(handle)),
                right.filter(|handle| !is_nowhere(handle)),
            ),
            _ => return Err(InvalidUpdate::NoNeighbour),
        };
        let mut place = left;
        // What others put there meanwhile.
        if self.after(left) != right || (left.is_none() && right.is_none()) {
            if !is_trusted && !self.were_neighbours(&item, left, right) {
                self.check_neighbours(&item, left, right, &mut turn.budget)?;
            }
            place = self.resolve(&item, left, right, &mut turn.budget)?;
        }
        let after = place.map(|place| self.run(place).last());
        item.next = self.after(place);
        let handle = self.insert(item);
        match place {
            Some(place) => self.run_mut(place).next = Some(handle),
            None => self.first = Some(handle),
        }
        Ok((handle, after))
    }

    /// The conflict resolution of Yjs, `Item.integrate`: the run after which the item belongs.
    fn resolve(
        &mut self,
        item: &Run,
        left: Option<Handle>,
        right: Option<Handle>,
        budget: &mut Budget,
    ) -> Result<Option<Handle>, InvalidUpdate> {
        // A wrapped number is no danger: what it was given to last is four thousand million
        // searches ago.
        self.search = self.search.wrapping_add(1).max(1);
        let search = self.search;
        let mut place = left;
        // Items from this step on conflict with this one; those before it stand left of it.
        let mut conflicts_from = 0;
        let mut at = 0;
        let mut other = self.after(left);
        while let Some(handle) = other.filter(|handle| Some(*handle) != right) {
            budget.steps.count()?;
            let run = self.run_mut(handle);
            run.seen = (search, at);
            let (client, next) = (run.client, run.next);
            let (origin, right_origin) = (run.origin, run.right_origin);
            at += 1;
            if origin == item.origin {
                if client < item.client {
                    place = Some(handle);
                    conflicts_from = at;
                } else if right_origin == item.right_origin {
                    break;
                }
            } else {
                let Some(before) = origin.and_then(|id| self.find(id)) else { break };
                match self.run(before).seen {
                    (seen, step) if seen == search => {
                        if step < conflicts_from {
                            place = Some(handle);
                            conflicts_from = at;
                        }
                    }
                    _ => break,
                }
            }
            other = next;
        }
        Ok(place)
    }

    /// Whether it is plain that the left one stands before the right one: one of them was put beside
    /// the other.
    fn were_neighbours(&self, item: &Run, left: Option<Handle>, right: Option<Handle>) -> bool {
        let (left, right) = (left.map(|left| self.run(left)), right.map(|right| self.run(right)));
        left.is_some_and(|left| left.right_origin == item.right_origin)
            || right.is_some_and(|right| right.origin == item.origin)
    }

    /// Whether an author can have seen the two neighbours side by side: the left one stands before
    /// the right one, and nothing between them that the author must have had.
    fn check_neighbours(
        &self,
        item: &Run,
        left: Option<Handle>,
        right: Option<Handle>,
        budget: &mut Budget,
    ) -> Result<(), InvalidUpdate> {
        let before = item.clock.checked_sub(1).map(|clock| Id { client: item.client, clock });
        let ids = [item.origin, item.right_origin, before];
        let known = self.known_with(ids.into_iter().flatten(), budget)?;
        let mut between = self.after(left);
        while between != right {
            let Some(run) = between.map(|handle| self.run(handle)) else {
                return Err(InvalidUpdate::Crossed);
            };
            budget.looks.count()?;
            if known.get(&run.client).is_some_and(|end| run.clock < *end) {
                return Err(InvalidUpdate::Crossed);
            }
            between = run.next;
        }
        Ok(())
    }

    /// All that who has these must have: by client, the clock after the last.
    fn known_with(
        &self,
        ids: impl Iterator<Item = Id>,
        budget: &mut Budget,
    ) -> Result<HashMap<u64, u32>, InvalidUpdate> {
        let mut known: HashMap<u64, u32> = HashMap::new();
        let mut news: Vec<Id> = ids.collect();
        while let Some(Id { client, clock }) = news.pop() {
            let end = known.entry(client).or_default();
            // From where the last look at this client ended.
            let (from, to) = (*end, clock + 1);
            if from >= to {
                continue;
            }
            *end = to;
            let runs = self.clients.get(&client).map(|client| client.runs.range(from..to));
            for (_, handle) in runs.into_iter().flatten() {
                budget.looks.count()?;
                let run = self.run(*handle);
                news.extend(run.origin.into_iter().chain(run.right_origin));
            }
        }
        Ok(known)
    }
}
