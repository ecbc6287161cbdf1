//! Deleting, and joining runs again as yrs joins items, so that the order stays as short as the
//! document.

use super::{Handle, Kind, Order, Run};
use crate::crdt::{ClientRange, parse::Id};
use std::{collections::BTreeSet, ops::Range};

/// Above this, runs are joined in one sweep.
const MANY: usize = 64;

impl Order {
    /// Marks what is deleted; gives the clocks that yrs moves to cut it out.
    pub(super) fn delete(&mut self, deletes: &[ClientRange]) -> u64 {
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

    pub(super) fn merge_deleted(&mut self, deletes: &[ClientRange]) {
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

    /// Joins the runs of a client that hold these clocks, and those beside them, where they can be.
    pub(super) fn merge(&mut self, client_id: u64, clocks: Range<u32>) {
        let Some(client) = self.clients.get(&client_id) else { return };
        let before = client.runs.range(..clocks.start).next_back().map(|(_, handle)| *handle);
        let inside = client.runs.range(clocks.start..=clocks.end).map(|(_, handle)| *handle);
        let runs: Vec<Handle> = before.into_iter().chain(inside).collect();
        let mut joined = Vec::new();
        let mut last: Option<Handle> = None;
        for run in runs {
            match last {
                Some(left) if self.can_join(left, run) => {
                    joined.push(self.run(run).clock);
                    self.join(left, run);
                }
                _ => last = Some(run),
            }
        }
        if let Some(client) = self.clients.get_mut(&client_id) {
            for clock in joined {
                client.runs.remove(&clock);
            }
        }
    }

    fn can_join(&self, left: Handle, right: Handle) -> bool {
        let (a, b): (&Run, &Run) = (self.run(left), self.run(right));
        let is_joined =
            a.next == Some(right) && b.origin == Some(a.last()) && a.right_origin == b.right_origin;
        a.kind == b.kind && a.kind != Kind::Format && (is_joined || a.kind == Kind::Collected)
    }

    fn join(&mut self, left: Handle, right: Handle) {
        let Run { len, next, .. } = *self.run(right);
        let left = self.run_mut(left);
        left.len += len;
        left.next = next;
        self.free.push(right);
    }
}
