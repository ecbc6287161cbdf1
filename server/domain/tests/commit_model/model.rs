//! State, actions and bounds of the model.

use std::ops::Range;

use stateright::{Model, Property};

use super::attempt::{Attempt, Request};
use super::flaw::Flaw;
use super::properties;
use super::saver::SaverAction;
use super::stores::{ATTEMPTS, Contents, Sql, Update};
use super::upkeep::{Reading, UpkeepAction};

/// Number of clients; each has one request with its own key.
pub(crate) const REQUESTS: u8 = 2;

/// Bounds of a check.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Attempts of the first and of the second request; `ATTEMPTS` at most in total.
    pub(crate) attempts: [u8; 2],
    /// A client may retry while a saver of its request is still alive, not only after a crash.
    pub(crate) impatient: bool,
    /// Both stores are one SQLite file: steps 2 to 4 are one transaction in the queue of its single
    /// writer.
    pub(crate) one_file: bool,
    /// Demoters and the reader are included.
    pub(crate) demotes: bool,
}

impl Bounds {
    /// Returns the attempts of a request.
    pub(crate) fn slots(&self, request: u8) -> Range<u8> {
        let [first, second] = self.attempts;
        if request == 0 { 0..first } else { first..first + second }
    }

    pub(crate) fn request_of(&self, attempt: u8) -> u8 {
        u8::from(attempt >= self.attempts[0])
    }
}

/// The protocol of DESIGN §5, optionally with a flaw, within bounds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CommitModel {
    pub(crate) bounds: Bounds,
    pub(crate) flaw: Option<Flaw>,
}

impl CommitModel {
    pub(crate) fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }
}

/// State of both stores and all processes, and the messages in flight between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) sql: Sql,
    pub(crate) contents: Contents,
    pub(crate) attempts: [Attempt; ATTEMPTS],
    pub(crate) requests: [Request; REQUESTS as usize],
    /// Commit id that each of two collectors is about to delete.
    pub(crate) collectors: [Option<u8>; 2],
    /// Updates of demoters in flight: from two demoters, or from a dead one and its successor.
    pub(crate) updates: [Option<Update>; 2],
    pub(crate) reading: Option<Reading>,
    /// The reader received something other than version 1.
    pub(crate) misread: bool,
    /// The document store may still damage one patch.
    pub(crate) damage_left: bool,
}

impl State {
    pub(crate) fn attempt(&mut self, attempt: u8) -> &mut Attempt {
        &mut self.attempts[usize::from(attempt)]
    }
}

/// One step of any process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Saver(SaverAction),
    Upkeep(UpkeepAction),
}

impl Model for CommitModel {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            sql: Sql::founded(),
            contents: Contents::founded(),
            attempts: [Attempt::UNUSED; ATTEMPTS],
            requests: [Request::NEW; REQUESTS as usize],
            collectors: [None; 2],
            updates: [None; 2],
            reading: None,
            misread: false,
            damage_left: self.bounds.demotes,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let mut savers = Vec::with_capacity(16);
        self.saver_actions(state, &mut savers);
        actions.extend(savers.into_iter().map(Action::Saver));
        let mut upkeep = Vec::with_capacity(16);
        self.upkeep_actions(state, &mut upkeep);
        actions.extend(upkeep.into_iter().map(Action::Upkeep));
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = *state;
        match action {
            Action::Saver(action) => self.saver_step(&mut next, action),
            Action::Upkeep(action) => self.upkeep_step(&mut next, action),
        }
        self.forget_dead_statements(&mut next);
        self.forget_dead_updates(&mut next);
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::of(self)
    }
}
