//! Pending updates: they depend on updates that have not arrived.

use super::order::Need;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

/// Pending updates, in the order in which they arrived.
#[derive(Debug, Clone, Default)]
pub(super) struct Pending {
    updates: BTreeMap<u64, Waiting>,
    /// By client: the clocks that are needed, and the keys of the updates that need them.
    needs: HashMap<u64, BTreeSet<(u32, u64)>>,
    /// Clients whose clock has advanced since their needs were last checked.
    moved: Vec<u64>,
    next_key: u64,
    bytes: usize,
    /// How many have been released so far.
    released: u64,
}

#[derive(Debug, Clone)]
struct Waiting {
    /// The caller's name for the update.
    tag: u64,
    /// Shared, because a copy of the checker is made for each batch of updates.
    update: Arc<[u8]>,
    /// Once one of these is met, the update is tried again.
    needs: Vec<Need>,
}

impl Pending {
    /// The number of pending updates.
    pub(super) fn len(&self) -> usize {
        self.updates.len()
    }

    /// Their bytes.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many updates have been released so far, to be tried again.
    pub(super) const fn released(&self) -> u64 {
        self.released
    }

    /// Whether an update is released once this client's next clock is `end`.
    pub(super) fn waits_for(&self, client: u64, end: u32) -> bool {
        let first = self.needs.get(&client).and_then(BTreeSet::first);
        first.is_some_and(|(clock, _)| *clock <= end)
    }

    /// Notes that the clock of a client has advanced.
    pub(super) fn moved(&mut self, client: u64) {
        if !self.updates.is_empty() {
            self.moved.push(client);
        }
    }

    /// Keeps an update until a need is met. The same bytes are kept once.
    pub(super) fn hold(&mut self, tag: u64, update: Vec<u8>, needs: Vec<Need>) {
        if self.updates.values().any(|held| *held.update == *update) {
            return;
        }
        let key = self.next_key;
        self.next_key += 1;
        for need in &needs {
            self.needs.entry(need.client).or_default().insert((need.clock, key));
        }
        self.bytes += update.len();
        self.updates.insert(key, Waiting { tag, update: update.into(), needs });
    }

    /// Removes and returns an update one of whose needs is met. `clock_of` is the next clock of a
    /// client.
    pub(super) fn take_met(&mut self, clock_of: impl Fn(u64) -> u32) -> Option<(u64, Arc<[u8]>)> {
        while let Some(client) = self.moved.last().copied() {
            let first = self.needs.get(&client).and_then(BTreeSet::first).copied();
            if let Some((_, key)) = first.filter(|(clock, _)| *clock <= clock_of(client)) {
                return self.release(key);
            }
            self.moved.pop();
        }
        None
    }

    fn release(&mut self, key: u64) -> Option<(u64, Arc<[u8]>)> {
        let Waiting { tag, update, needs } = self.updates.remove(&key)?;
        for Need { client, clock } in needs {
            if let Some(waiting) = self.needs.get_mut(&client) {
                waiting.remove(&(clock, key));
                if waiting.is_empty() {
                    self.needs.remove(&client);
                }
            }
        }
        self.bytes -= update.len();
        self.released += 1;
        Some((tag, update))
    }
}
