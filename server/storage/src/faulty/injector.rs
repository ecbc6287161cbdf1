//! The injector: decides which calls to the stores that share it meet a fault.

use super::{
    fault::{Class, Fault},
    hook::Hook,
    plan::Plan,
    state::{CallInfo, Effect, State},
};
use izanagi_domain::storage::StoreResult;
use parking_lot::Mutex;
use std::{
    fmt::Debug,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::sync::Notify;

/// Decides about the calls of all stores wrapped with it.
pub struct Injector {
    plan: Plan,
    hook: Option<Arc<dyn Hook>>,
    state: Mutex<State>,
    fired: Notify,
    running: AtomicUsize,
}

/// A call that has not returned.
pub(super) struct Running<'a>(&'a AtomicUsize);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Injector {
    /// Injects nothing, only counts calls, so that a later run can target each of them.
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
    /// [`Self::release`]; after a kill, all calls fail until [`Self::revive`].
    #[must_use]
    pub fn seeded(seed: u64, probability: f64) -> Arc<Self> {
        Self::seeded_among(seed, probability, &Fault::ALL)
    }

    /// Like [`Self::seeded`], but only with these faults.
    #[must_use]
    pub fn seeded_among(seed: u64, probability: f64, among: &[Fault]) -> Arc<Self> {
        Self::with_plan(Plan::Seeded { seed, probability, among: among.to_vec() })
    }

    /// Injects nothing by itself; the hook decides over each call.
    #[must_use]
    pub fn hooked(hook: Arc<dyn Hook>) -> Arc<Self> {
        Arc::new(Self { hook: Some(hook), ..Self::of(Plan::Quiet) })
    }

    fn with_plan(plan: Plan) -> Arc<Self> {
        Arc::new(Self::of(plan))
    }

    fn of(plan: Plan) -> Self {
        let (state, fired) = (Mutex::default(), Notify::new());
        Self { plan, hook: None, state, fired, running: AtomicUsize::new(0) }
    }

    /// Returns the number of calls that have not returned.
    #[must_use]
    pub fn running(&self) -> usize {
        self.running.load(Ordering::Relaxed)
    }

    pub(super) fn run(&self) -> Running<'_> {
        self.running.fetch_add(1, Ordering::Relaxed);
        Running(&self.running)
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

    /// Returns all calls so far, including those of a killed process.
    #[must_use]
    pub fn calls(&self) -> Vec<CallInfo> {
        self.state.lock().calls.clone()
    }

    /// Returns the first call whose fault fired. `None` while the plan has had no effect: the call
    /// was not made, the fault does not fit it, or its answer had nothing to corrupt or was not
    /// stale.
    #[must_use]
    pub fn fired(&self) -> Option<CallInfo> {
        self.state.lock().fired.first().map(|(call, _)| *call)
    }

    /// Returns all calls whose fault fired, with the fault, in order.
    #[must_use]
    pub fn faults(&self) -> Vec<(CallInfo, Fault)> {
        self.state.lock().fired.clone()
    }

    /// Waits until a fault has fired; returns the first such call. A hanging call can be released
    /// from then on.
    pub async fn until_fired(&self) -> CallInfo {
        loop {
            // Created before the check, so that a fault between check and wait still wakes it.
            let notified = self.fired.notified();
            if let Some(call) = self.fired() {
                return call;
            }
            notified.await;
        }
    }

    /// Executes late effects and hanging calls, in the order of the calls; returns when they are
    /// done.
    pub async fn release(&self) {
        let held = self.state.lock().take_held();
        run(held).await;
    }

    /// Restarts the process after a kill: calls reach the stores again.
    pub fn revive(&self) {
        self.state.lock().dead = false;
    }

    /// Counts a call and returns the fault that is due. Fails if the process is killed.
    pub(super) fn begin(
        &self,
        store: &'static str,
        method: &'static str,
        class: Class,
    ) -> StoreResult<(CallInfo, Option<Fault>)> {
        self.state.lock().admit(&self.plan, store, method, class)
    }

    /// Records that a call's fault fired.
    pub(super) fn fire(&self, call: CallInfo, fault: Fault) {
        self.state.lock().fired.push((call, fault));
        self.fired.notify_waiters();
    }

    /// Stores a delayed effect, and records that the fault fired.
    pub(super) fn hold(&self, call: CallInfo, fault: Fault, effect: Effect) {
        self.state.lock().hold(call, fault, effect);
        self.fired.notify_waiters();
    }

    /// Executes the late effects of earlier calls.
    pub(super) async fn catch_up(&self, call: CallInfo) {
        let late = self.state.lock().take_late(call.index);
        run(late).await;
    }

    /// Stores the answer of a read if the plan may need a stale one.
    pub(super) fn remember<R: Clone + Send + 'static>(
        &self,
        key: impl FnOnce() -> String,
        answer: &StoreResult<R>,
    ) {
        if self.plan.includes(Fault::StaleRead) {
            self.state.lock().answers.insert(key(), Box::new(answer.clone()));
        }
    }

    /// Returns the answer last stored under this key.
    pub(super) fn recall<R: Clone + 'static>(&self, key: &str) -> Option<StoreResult<R>> {
        self.state.lock().answers.get(key)?.downcast_ref::<StoreResult<R>>().cloned()
    }
}

async fn run(effects: Vec<Effect>) {
    for effect in effects {
        effect.await;
    }
}
