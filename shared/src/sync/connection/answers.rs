use super::{Posted, Refusal};
use std::collections::{BTreeMap, BTreeSet};

/// The room's answers to the updates of a connection, in the order of the updates.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// The number of updates so far.
    frames: u64,
    /// The first so many have been answered.
    answered: u64,
    /// Answers that came before that of an earlier update.
    early: BTreeMap<u64, Result<Posted, Refusal>>,
    /// Answers that change an earlier one: the update is no longer pending.
    late: Vec<(u64, Result<Posted, Refusal>)>,
    /// Updates that are pending.
    pending: BTreeSet<u64>,
    /// The first update that was refused.
    refused: Option<u64>,
    /// The count that was acknowledged last.
    acknowledged: u64,
}

impl Answers {
    /// Numbers an update.
    pub(super) const fn number(&mut self) -> u64 {
        self.frames += 1;
        self.frames
    }

    pub(super) fn unanswered(&self) -> usize {
        usize::try_from(self.frames - self.answered).unwrap_or(usize::MAX)
    }

    pub(super) fn insert(&mut self, frame: u64, result: Result<Posted, Refusal>) {
        if frame > self.answered {
            self.early.insert(frame, result);
        } else if self.pending.contains(&frame) {
            self.late.push((frame, result));
        }
    }

    /// Removes and returns the next answer in order.
    pub(super) fn next(&mut self) -> Option<(u64, Result<Posted, Refusal>)> {
        if let Some((frame, result)) = self.late.pop() {
            self.note(frame, &result);
            return Some((frame, result));
        }
        let frame = self.answered + 1;
        let result = self.early.remove(&frame)?;
        self.answered = frame;
        self.note(frame, &result);
        Some((frame, result))
    }

    fn note(&mut self, frame: u64, result: &Result<Posted, Refusal>) {
        match result {
            Ok(Posted { pending: true, .. }) => {
                self.pending.insert(frame);
            }
            Ok(Posted { pending: false, .. }) => {
                self.pending.remove(&frame);
            }
            Err(_) => {
                self.pending.remove(&frame);
                self.refused = Some(self.refused.map_or(frame, |first| first.min(frame)));
            }
        }
    }

    /// The number of updates from the first that are durable, if it has grown.
    pub(super) fn newly_durable(&mut self) -> Option<u64> {
        let not_durable = self.pending.first().into_iter().chain(&self.refused).min();
        let durable = not_durable.map_or(self.answered, |first| first - 1);
        let has_grown = durable > self.acknowledged;
        self.acknowledged = durable.max(self.acknowledged);
        has_grown.then_some(durable)
    }
}
