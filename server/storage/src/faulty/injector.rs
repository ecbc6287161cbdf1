//! The injector: decides which call to any of the stores that share it meets a fault.

use super::{
    fault::{Class, Fault},
    hook::Hook,
    plan::Plan,
    state::{CallInfo, Effect, State},
};
use izanagi_domain::storage::StoreResult;
use parking_lot::Mutex;
use std::{fmt::Debug, sync::Arc};
use tokio::sync::Notify;

/// Decides over the calls of all stores wrapped with it.
pub struct Injector {
    plan: Plan,
    hook: Option<Arc<dyn Hook>>,
    state: Mutex<State>,
    fired: Notify,
}

impl Injector {
    /// Injects nothing; counts the calls, so that each can be given its fault in a later run.
    #[must_use]
    pub fn quiet() -> Arc<Self> {
        Self::with_plan(Plan::Quiet)
    }

    /// Injects one fault, at the call with this index, from 0.
    #[must_use]
    pub fn nth(index: usize, fault: Fault) -> Arc<Self> {
        Self::with_plan(Plan::Nth { index, fault })
    }

    /// Injects any fault at any call with this probability, 0 to 1. Calls that hang wait for
    /// [`Self::release`], and after a kill all fail until [`Self::revive`].
    #[must_use]
    pub fn seeded(seed: u64, probability: f64) -> Arc<Self> {
        Self::seeded_among(seed, probability, &Fault::ALL)
    }

    /// Like [`Self::seeded`], with these faults only.
    #[must_use]
    pub fn seeded_among(seed: u64, probability: f64, among: &[Fault]) -> Arc<Self> {
        Self::with_plan(Plan::Seeded { seed, probability, among: among.to_vec() })
    }

    /// Injects nothing by itself; the hook decides over each call.
    #[must_use]
    pub fn hooked(hook: Arc<dyn Hook>) -> Arc<Self> {
        let (state, fired) = (Mutex::default(), Notify::new());
        Arc::new(Self { plan: Plan::Quiet, hook: Some(hook), state, fired })
    }

    fn with_plan(plan: Plan) -> Arc<Self> {
        Arc::new(Self { plan, hook: None, state: Mutex::default(), fired: Notify::new() })
    }

    /// Lets the hook, if there is one, delay or refuse a call.
    pub(super) async fn ask_hook(
        &self,
        method: &'static str,
        args: &(dyn Debug + Sync),
    ) -> StoreResult<()> {
        match &self.hook {
            Some(hook) => hook.before(method, args).await,
            None => Ok(()),
        }
    }

    /// Every call so far, those of a dead process too.
    #[must_use]
    pub fn calls(&self) -> Vec<CallInfo> {
        self.state.lock().calls.clone()
    }

    /// The first call that met its fault. `None` while the plan has changed nothing: the call was
    /// not made, the fault does not fit it, or its answer held nothing to corrupt or was not stale.
    #[must_use]
    pub fn fired(&self) -> Option<CallInfo> {
        self.state.lock().fired.first().map(|(call, _)| *call)
    }

    /// Every call that met a fault, with the fault, in order.
    #[must_use]
    pub fn faults(&self) -> Vec<(CallInfo, Fault)> {
        self.state.lock().fired.clone()
    }

    /// Waits until a fault has fired; gives the first call that met one. A call that hangs can be
    /// released from then on.
    pub async fn until_fired(&self) -> CallInfo {
        loop {
            // Made before looking, so that a fault between looking and waiting still wakes it.
            let notified = self.fired.notified();
            if let Some(call) = self.fired() {
                return call;
            }
            notified.await;
        }
    }

    /// Lets late effects happen and hanging calls go on, in the order of the calls; comes back when
    /// they are done.
    pub async fn release(&self) {
        let held = self.state.lock().take_held();
        run(held).await;
    }

    /// Starts the process again after a kill: calls reach the stores from here on.
    pub fn revive(&self) {
        self.state.lock().dead = false;
    }

    /// Counts a call and says which fault is due. Fails when the process is dead.
    pub(super) fn begin(
        &self,
        store: &'static str,
        method: &'static str,
        class: Class,
    ) -> StoreResult<(CallInfo, Option<Fault>)> {
        self.state.lock().admit(&self.plan, store, method, class)
    }

    /// Notes that a call met its fault.
    pub(super) fn fire(&self, call: CallInfo, fault: Fault) {
        self.state.lock().fired.push((call, fault));
        self.fired.notify_waiters();
    }

    /// Keeps what a call is still to do, and notes that it met its fault.
    pub(super) fn hold(&self, call: CallInfo, fault: Fault, effect: Effect) {
        self.state.lock().hold(call, fault, effect);
        self.fired.notify_waiters();
    }

    /// Lets the late effects of calls before this one happen.
    pub(super) async fn catch_up(&self, call: CallInfo) {
        let late = self.state.lock().take_late(call.index);
        run(late).await;
    }

    /// Keeps the answer to a read, where the plan may ask for a stale one.
    pub(super) fn remember<R: Clone + Send + 'static>(
        &self,
        key: impl FnOnce() -> String,
        answer: &StoreResult<R>,
    ) {
        if self.plan.includes(Fault::StaleRead) {
            self.state.lock().answers.insert(key(), Box::new(answer.clone()));
        }
    }

    /// The answer last remembered under this key.
    pub(super) fn recall<R: Clone + 'static>(&self, key: &str) -> Option<StoreResult<R>> {
        self.state.lock().answers.get(key)?.downcast_ref::<StoreResult<R>>().cloned()
    }
}

async fn run(effects: Vec<Effect>) {
    for effect in effects {
        effect.await;
    }
}
