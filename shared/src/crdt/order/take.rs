//! Taking an update in.

use super::{Client, Kind, Order, Run, place::Budget};
use crate::crdt::{
    ClientRange, Refusal,
    walk::{Content, Id, Struct, walk_each},
};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

/// How much an update is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scrutiny {
    /// The server's own state: it is there, and whatever is in it must be taken.
    Own,
    /// It was let in before. It may cost more than then, for the machine is the only one to count.
    Again,
    /// Nobody was told yet that it is taken.
    New,
}

/// Why an update is not integrated. The words go to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
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
pub struct Cost {
    /// Items passed by in search of a place.
    pub steps: u64,
    /// Clocks that yrs moves in memory to split runs.
    pub moved: u64,
}

/// The steps that an update may cost: yrs takes about 130 ns for one.
const MOST_STEPS: u64 = 1_000_000;
/// After that many steps a document takes seconds to load, and an update may cost few.
const MOST_STEPS_OF_ALL: u64 = 20_000_000;
const FEW_STEPS: u64 = 1_000;
/// What is read again stands among other items than the first time, if the log was cut meanwhile.
const AGAIN: u64 = 8;
/// Above this, runs are joined in one sweep.
const MANY: usize = 64;

/// A struct to come, without its text.
struct Fresh {
    run: Run,
    second_halves: Vec<u32>,
}

impl Order {
    /// Takes in an update of which nothing has to wait. After an error the order must be thrown
    /// away.
    ///
    /// # Errors
    /// See [`Unfit`].
    pub fn take(&mut self, update: &[u8], scrutiny: Scrutiny) -> Result<Cost, Unfit> {
        let mut coming: HashMap<u64, VecDeque<Fresh>> = HashMap::new();
        let mut clients = Vec::new();
        let walked = walk_each(update, |item| {
            let queue = coming.entry(item.client).or_insert_with(|| {
                clients.push(item.client);
                VecDeque::new()
            });
            queue.push_back(Fresh::new(&item));
        })?;
        let mut budget = Budget { left: self.allowance(scrutiny), spent: 0 };
        let mut cost = Cost::default();
        let before: Vec<(u64, u32)> =
            clients.iter().map(|client| (*client, self.end_of(*client))).collect();
        let mut waiting: BTreeMap<Id, Vec<u64>> = BTreeMap::new();
        clients.reverse();
        while let Some(client) = clients.pop() {
            let queue = coming.entry(client).or_default();
            let awaited = self.integrate(queue, scrutiny, &mut budget, &mut cost)?;
            if let Some(id) = awaited {
                waiting.entry(id).or_default().push(client);
            }
            let met = Id { client, clock: 0 }..Id { client, clock: self.end_of(client) };
            clients.extend(waiting.extract_if(met, |_, _| true).flat_map(|(_, clients)| clients));
        }
        if !waiting.is_empty() {
            return Err(Unfit::NoNeighbour);
        }
        cost.moved += self.delete(&walked.deletes, scrutiny)?;
        for (client, end) in before {
            self.merge(client, end..self.end_of(client));
        }
        cost.steps = budget.spent;
        self.steps += budget.spent;
        Ok(cost)
    }

    const fn allowance(&self, scrutiny: Scrutiny) -> u64 {
        let most = if self.steps > MOST_STEPS_OF_ALL { FEW_STEPS } else { MOST_STEPS };
        match scrutiny {
            Scrutiny::Own => u64::MAX,
            Scrutiny::Again => MOST_STEPS * AGAIN,
            Scrutiny::New => most,
        }
    }

    /// Integrates structs of one client as far as they do not build on what is not there yet; gives
    /// that.
    fn integrate(
        &mut self,
        queue: &mut VecDeque<Fresh>,
        scrutiny: Scrutiny,
        budget: &mut Budget,
        cost: &mut Cost,
    ) -> Result<Option<Id>, Unfit> {
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
            cost.moved += self.add(fresh, scrutiny, budget)?;
        }
        Ok(None)
    }

    /// Adds what is not known of a struct.
    fn add(&mut self, fresh: Fresh, scrutiny: Scrutiny, budget: &mut Budget) -> Result<u64, Unfit> {
        let Fresh { mut run, second_halves } = fresh;
        let reached = self.end_of(run.client);
        if run.clock > reached {
            return Err(Unfit::NoNeighbour);
        }
        if run.clock < reached {
            run.len = run.end() - reached;
            run.clock = reached;
            run.origin = Some(Id { client: run.client, clock: reached - 1 });
        }
        let is_own = scrutiny == Scrutiny::Own;
        let boundaries = [
            run.origin.map(|id| (id.client, id.clock + 1)),
            run.right_origin.map(|id| (id.client, id.clock)),
        ];
        if !is_own
            && boundaries.into_iter().flatten().any(|(client, clock)| self.is_inside(client, clock))
        {
            return Err(Unfit::HalfCharacter);
        }
        let (client, clock, end) = (run.client, run.clock, run.end());
        let (handle, moved) = if run.kind == Kind::Collected {
            (self.insert(run), 0)
        } else {
            self.place(run, is_own, budget)?
        };
        let client: &mut Client = self.clients.entry(client).or_default();
        client.runs.insert(clock, handle);
        client.end = end;
        client.second_halves.extend(second_halves.into_iter().filter(|half| *half >= clock));
        Ok(moved)
    }

    /// Whether the boundary before this clock is inside a character.
    fn is_inside(&self, client: u64, clock: u32) -> bool {
        let client = self.clients.get(&client);
        client.is_some_and(|client| client.second_halves.binary_search(&clock).is_ok())
    }

    /// Marks what is deleted.
    fn delete(&mut self, deletes: &[ClientRange], scrutiny: Scrutiny) -> Result<u64, Unfit> {
        let mut moved = 0;
        for range in deletes {
            let ClientRange { client, start, end } = *range;
            let cuts = [start, end].into_iter().any(|clock| self.is_inside(client, clock));
            if cuts && scrutiny != Scrutiny::Own {
                return Err(Unfit::HalfCharacter);
            }
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
        self.merge_deleted(deletes);
        Ok(moved)
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
