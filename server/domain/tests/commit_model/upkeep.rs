//! Collectors, demoters and the reader.
//!
//! Each keeps one piece of state outside the stores: a collector the commit id it is about to
//! delete, a demoter the update it has sent, the reader the patches it has read. Crashes need no
//! separate action: a collector that crashes equals one that never picked, a demoter that crashes
//! leaves its update in flight while the next one starts, and the reader changes nothing.

use super::flaw::Flaw;
use super::model::{CommitModel, State};
use super::stores::{Change, FOUNDING, GARBAGE, Intent, Patch, Record, Update};

/// Progress of the reader from version 1 upward: the composition of the patches read so far. Its
/// base is the next record to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Reading {
    patch: Patch,
}

/// Possible next steps of collectors, demoters and the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UpkeepAction {
    /// A collector closes an intent that it considers expired.
    Mark(u8),
    /// A collector picks a closed intent whose content still exists.
    Pick(u8),
    /// The collector in a slot deletes the content it picked.
    Delete(usize),
    /// A collector forgets a committed intent.
    Forget(u8),
    /// A demoter reads versions n and n + 1 and sends the next update of step 6, or marks the job
    /// done.
    Demote(u8),
    /// The update in a slot executes.
    Apply(usize),
    /// The update executes, but the store damages the patch.
    Damage(usize),
    /// The update is lost.
    Lose(usize),
    /// The reader opens version 1 and finds a delta.
    Open,
    /// The reader follows the delta to its base.
    Follow,
}

impl CommitModel {
    pub(crate) fn upkeep_actions(&self, state: &State, actions: &mut Vec<UpkeepAction>) {
        self.collector_actions(state, actions);
        if self.bounds.demotes {
            self.demoter_actions(state, actions);
            match state.reading {
                Some(_) => actions.push(UpkeepAction::Follow),
                None if state.contents.record(FOUNDING).content().is_none() => {
                    actions.push(UpkeepAction::Open);
                }
                None => {}
            }
        }
    }

    fn collector_actions(&self, state: &State, actions: &mut Vec<UpkeepAction>) {
        let free = state.collectors.contains(&None);
        for (commit, intent) in (0..).zip(&state.sql.intents) {
            let may_mark = free || !self.has(Flaw::GcOnlyOwnMarks);
            if *intent == Intent::Open && may_mark && !self.has(Flaw::GcWithoutMark) {
                actions.push(UpkeepAction::Mark(commit));
            }
            let doomed = match intent {
                Intent::Gc => !self.has(Flaw::GcOnlyOwnMarks),
                Intent::Open => self.has(Flaw::GcWithoutMark),
                Intent::Missing | Intent::Committed => false,
            };
            if *intent == Intent::Committed {
                actions.push(UpkeepAction::Forget(commit));
            }
            // A collector looks for a version before it deletes. None can appear afterwards.
            let doomed =
                doomed && (!state.sql.is_listed(commit) || self.has(Flaw::VersionsUnchecked));
            if doomed && free && state.contents.record(commit).is_present() {
                actions.push(UpkeepAction::Pick(commit));
            }
        }
        for (slot, picked) in state.collectors.iter().enumerate() {
            if picked.is_some() {
                actions.push(UpkeepAction::Delete(slot));
            }
        }
    }

    fn demoter_actions(&self, state: &State, actions: &mut Vec<UpkeepAction>) {
        let free = state.updates.contains(&None);
        for (number, wanted) in (0..).zip(&state.sql.demotions) {
            if *wanted && free {
                actions.push(UpkeepAction::Demote(number));
            }
        }
        for (slot, update) in state.updates.iter().enumerate() {
            let Some(update) = update else { continue };
            actions.push(UpkeepAction::Apply(slot));
            actions.push(UpkeepAction::Lose(slot));
            if state.damage_left && matches!(update.change, Change::AddPatch(_)) {
                actions.push(UpkeepAction::Damage(slot));
            }
        }
    }

    pub(crate) fn upkeep_step(&self, state: &mut State, action: UpkeepAction) {
        match action {
            UpkeepAction::Mark(commit) => {
                state.sql.close(commit);
                if self.has(Flaw::GcOnlyOwnMarks) {
                    put(&mut state.collectors, commit);
                }
            }
            UpkeepAction::Forget(commit) => state.sql.forget(commit),
            UpkeepAction::Pick(commit) => put(&mut state.collectors, commit),
            UpkeepAction::Delete(slot) => {
                if let Some(commit) = take(&mut state.collectors, slot) {
                    state.contents.delete(commit);
                }
            }
            UpkeepAction::Demote(number) => self.demote(state, number),
            UpkeepAction::Apply(slot) => {
                if let Some(update) = take(&mut state.updates, slot) {
                    state.contents.update(update, !self.has(Flaw::UpdateUnchecked));
                }
            }
            UpkeepAction::Damage(slot) => {
                if let Some(mut update) = take(&mut state.updates, slot) {
                    if let Change::AddPatch(patch) = &mut update.change {
                        patch.to = GARBAGE;
                    }
                    state.damage_left = false;
                    state.contents.update(update, !self.has(Flaw::UpdateUnchecked));
                }
            }
            UpkeepAction::Lose(slot) => {
                take(&mut state.updates, slot);
            }
            UpkeepAction::Open => {
                let patch = state.contents.record(FOUNDING).patch();
                state.reading = patch.map(|patch| Reading { patch });
                state.misread |= patch.is_none();
            }
            UpkeepAction::Follow => Self::follow(state),
        }
    }

    /// Step 6, resumed from the state of version n's record.
    fn demote(&self, state: &mut State, number: u8) {
        let (Some(old), Some(new)) =
            (state.sql.by_number(number).copied(), state.sql.by_number(number + 1).copied())
        else {
            return;
        };
        let Record::Present { content, patch, revision } = *state.contents.record(old.commit)
        else {
            return;
        };
        // Both texts are read back and compared with their hashes before they are used.
        let base_text = state.contents.text(new.commit);
        if base_text != Some(new.text) || state.contents.text(old.commit) != Some(old.text) {
            return;
        }
        let rebuilt = patch.and_then(|patch| base_text.map(|base| patch.apply(base)));
        let verified = rebuilt == Some(old.text);
        let trusted = verified || (patch.is_some() && self.has(Flaw::DropUnverified));
        let change = match content {
            None => {
                state.sql.demotions[usize::from(number)] = false;
                return;
            }
            Some(_) if trusted => Change::DropContent,
            Some(_) => Change::AddPatch(Patch { base: new.commit, from: new.text, to: old.text }),
        };
        put(&mut state.updates, Update { commit: old.commit, expected: revision, change });
    }

    /// Drops updates planned on an outdated record version; they would be rejected.
    pub(crate) fn forget_dead_updates(&self, state: &mut State) {
        if self.has(Flaw::UpdateUnchecked) {
            return;
        }
        for slot in &mut state.updates {
            let current = slot.map(|update| state.contents.revision(update.commit));
            if slot.map(|update| Some(update.expected)) != current {
                *slot = None;
            }
        }
        state.updates.sort_unstable();
    }

    fn follow(state: &mut State) {
        let Some(Reading { patch: read }) = state.reading.take() else {
            return;
        };
        let record = state.contents.record(read.base);
        if let Some(whole) = record.content() {
            state.misread |= read.apply(whole) != FOUNDING;
        } else if let Some(next) = record.patch() {
            let patch = Patch { base: next.base, from: next.from, to: read.apply(next.to) };
            state.reading = Some(Reading { patch });
        } else {
            state.misread = true;
        }
    }
}

/// Takes a free slot. Slots are sorted because equal processes are interchangeable.
fn put<T: Copy + Ord>(slots: &mut [Option<T>; 2], value: T) {
    if let Some(slot) = slots.iter_mut().find(|slot| slot.is_none()) {
        *slot = Some(value);
    }
    slots.sort_unstable();
}

fn take<T: Copy + Ord>(slots: &mut [Option<T>; 2], slot: usize) -> Option<T> {
    let taken = slots[slot].take();
    slots.sort_unstable();
    taken
}
