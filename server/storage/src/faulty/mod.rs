//! Faults for tests: [`Faulty`] stands in front of a store and makes its calls go wrong as
//! networks, disks and processes do (DESIGN §4).
//!
//! All stores wrapped with one [`Injector`] share its count of calls. A test makes a quiet run to
//! learn which calls there are ([`Injector::calls`]), then one run for each call and each fault
//! ([`Injector::nth`]), and asks whether the fault fired ([`Injector::fired`]). Faults are put in
//! front of the store: a method that is one transaction stays one.

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

/// A store whose calls can go wrong. It implements every storage trait that `T` implements.
pub struct Faulty<T: ?Sized> {
    inner: Arc<T>,
    injector: Arc<Injector>,
}

impl<T: ?Sized> Faulty<T> {
    /// Puts the injector in front of a store.
    #[must_use]
    pub fn new(inner: Arc<T>, injector: &Arc<Injector>) -> Self {
        Self { inner, injector: Arc::clone(injector) }
    }
}

/// Puts the injector in front of every store.
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
        // Events are hints; losing one is covered by the tests of their consumers.
        bus: stores.bus,
    }
}
