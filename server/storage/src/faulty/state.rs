//! What an injector knows: the calls so far, the faults that fired, what is still to happen.

use super::{
    fault::{Class, Fault},
    plan::Plan,
};
use futures::future::BoxFuture;
use izanagi_domain::storage::{StoreError, StoreResult};
use std::{any::Any, collections::HashMap, mem};

/// A call to a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CallInfo {
    /// Its place among the calls of all stores, from 0.
    pub index: usize,
    /// The store: a field of `Stores`.
    pub store: &'static str,
    /// The method.
    pub method: &'static str,
    /// Whether the method writes.
    pub class: Class,
}

/// What a call is still to do.
pub(super) type Effect = BoxFuture<'static, ()>;

/// What an injector knows.
#[derive(Default)]
pub(super) struct State {
    /// Every call.
    pub(super) calls: Vec<CallInfo>,
    /// Every call that met its fault.
    pub(super) fired: Vec<(CallInfo, Fault)>,
    /// The last answer to each read, by store, method and arguments.
    pub(super) answers: HashMap<String, Box<dyn Any + Send>>,
    /// Whether the process is dead.
    pub(super) dead: bool,
    late: Vec<(usize, Effect)>,
    hung: Vec<(usize, Effect)>,
}

impl State {
    /// Counts a call and says which fault is due. Fails when the process is dead.
    pub(super) fn admit(
        &mut self,
        plan: &Plan,
        store: &'static str,
        method: &'static str,
        class: Class,
    ) -> StoreResult<(CallInfo, Option<Fault>)> {
        let call = CallInfo { index: self.calls.len(), store, method, class };
        self.calls.push(call);
        if self.dead {
            return Err(StoreError::Unavailable("injected: the process is dead".into()));
        }
        let fault = plan.choose(call.index, class);
        if fault.is_some_and(Fault::kills) {
            // From this moment, so that no call at the same time slips through; and what the
            // process had not sent yet dies with it.
            self.dead = true;
            self.late.clear();
            self.hung.clear();
        }
        Ok((call, fault))
    }

    /// Keeps what a call is still to do, and notes that it met its fault.
    pub(super) fn hold(&mut self, call: CallInfo, fault: Fault, effect: Effect) {
        self.fired.push((call, fault));
        // The process may have died since the call began; then nothing more comes of it.
        if !self.dead {
            let held = if fault == Fault::Hang { &mut self.hung } else { &mut self.late };
            held.push((call.index, effect));
        }
    }

    /// Hands out the late effects of calls before this one.
    pub(super) fn take_late(&mut self, before: usize) -> Vec<Effect> {
        self.late.extract_if(.., |(index, _)| *index < before).map(|(_, effect)| effect).collect()
    }

    /// Hands out everything that is held, in the order of the calls.
    pub(super) fn take_held(&mut self) -> Vec<Effect> {
        let mut held = mem::take(&mut self.late);
        held.append(&mut self.hung);
        held.sort_by_key(|(index, _)| *index);
        held.into_iter().map(|(_, effect)| effect).collect()
    }
}
