//! State of an injector: calls so far, fired faults, delayed effects.

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
    /// Index among the calls of all stores, from 0.
    pub index: usize,
    /// The store: the name of a field of `Stores`.
    pub store: &'static str,
    /// The method.
    pub method: &'static str,
    /// Whether the method writes.
    pub class: Class,
}

/// A delayed effect of a call.
pub(super) type Effect = BoxFuture<'static, ()>;

/// State of an injector.
#[derive(Default)]
pub(super) struct State {
    /// All calls.
    pub(super) calls: Vec<CallInfo>,
    /// All calls whose fault fired.
    pub(super) fired: Vec<(CallInfo, Fault)>,
    /// Last answer of each read, by store, method and arguments.
    pub(super) answers: HashMap<String, Box<dyn Any + Send>>,
    /// Whether the process is killed.
    pub(super) dead: bool,
    late: Vec<(usize, Effect)>,
    hung: Vec<(usize, Effect)>,
}

impl State {
    /// Counts a call and returns the fault that is due. Fails if the process is killed.
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
            // Takes effect immediately, so that no concurrent call slips through; effects not yet
            // sent are lost with the process.
            self.dead = true;
            self.late.clear();
            self.hung.clear();
        }
        Ok((call, fault))
    }

    /// Stores a delayed effect, and records that the fault fired.
    pub(super) fn hold(&mut self, call: CallInfo, fault: Fault, effect: Effect) {
        self.fired.push((call, fault));
        // The process may have been killed since the call began; its effect is then lost.
        if !self.dead {
            let held = if fault == Fault::Hang { &mut self.hung } else { &mut self.late };
            held.push((call.index, effect));
        }
    }

    /// Takes the late effects of earlier calls.
    pub(super) fn take_late(&mut self, before: usize) -> Vec<Effect> {
        self.late.extract_if(.., |(index, _)| *index < before).map(|(_, effect)| effect).collect()
    }

    /// Takes all delayed effects, in the order of the calls.
    pub(super) fn take_held(&mut self) -> Vec<Effect> {
        let mut held = mem::take(&mut self.late);
        held.append(&mut self.hung);
        held.sort_by_key(|(index, _)| *index);
        held.into_iter().map(|(_, effect)| effect).collect()
    }
}
