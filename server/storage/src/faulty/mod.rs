//! Fault injection for tests: [`Faulty`] wraps a store and makes its calls fail like networks,
//! disks and processes do (DESIGN §4).
//!
//! All stores wrapped with one [`Injector`] share its call counter. A test first runs without
//! faults to list the calls ([`Injector::calls`]), then once per call and fault
//! ([`Injector::nth`]), and checks whether the fault fired ([`Injector::fired`]). Faults are
//! injected in front of the store, so a method that is one transaction stays one.

mod answer;
mod argument;
mod fault;
mod flip;
mod hook;
mod injector;
mod perform;
mod plan;
mod state;
mod stores;

pub use fault::{Class, Fault};
pub use hook::Hook;
pub use injector::Injector;
pub use state::CallInfo;

use izanagi_domain::storage::Stores;
use std::sync::Arc;

/// A store with fault injection. It implements every storage trait that `T` implements.
pub struct Faulty<T: ?Sized> {
    inner: Arc<T>,
    injector: Arc<Injector>,
}

impl<T: ?Sized> Faulty<T> {
    /// Wraps a store.
    #[must_use]
    pub fn new(inner: Arc<T>, injector: &Arc<Injector>) -> Self {
        Self { inner, injector: Arc::clone(injector) }
    }
}

/// Wraps every store.
#[must_use]
pub fn wrap(stores: Stores, injector: &Arc<Injector>) -> Stores {
    fn faulty<T: ?Sized>(inner: Arc<T>, injector: &Arc<Injector>) -> Arc<Faulty<T>> {
        Arc::new(Faulty::new(inner, injector))
    }
    Stores {
        records: faulty(stores.records, injector),
        users: faulty(stores.users, injector),
        sessions: faulty(stores.sessions, injector),
        revocations: faulty(stores.revocations, injector),
        catalog: faulty(stores.catalog, injector),
        owners: faulty(stores.owners, injector),
        versions: faulty(stores.versions, injector),
        intents: faulty(stores.intents, injector),
        atomic: stores.atomic.map(|atomic| faulty(atomic, injector) as _),
        log: faulty(stores.log, injector),
        segments: faulty(stores.segments, injector),
        outbox: faulty(stores.outbox, injector),
        audit: faulty(stores.audit, injector),
        inspect: faulty(stores.inspect, injector),
        upkeep: faulty(stores.upkeep, injector),
        // Events are best-effort; the tests of their consumers cover lost events.
        bus: stores.bus,
    }
}
