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

use izanagi_domain::storage::{Relational, Stores};
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
    let from = stores.relational;
    let relational = Relational {
        users: faulty(from.users, injector),
        sessions: faulty(from.sessions, injector),
        catalog: faulty(from.catalog, injector),
        owners: faulty(from.owners, injector),
        versions: faulty(from.versions, injector),
        intents: faulty(from.intents, injector),
        atomic: from.atomic.map(|atomic| faulty(atomic, injector) as _),
        log: faulty(from.log, injector),
        segments: faulty(from.segments, injector),
        changes: faulty(from.changes, injector),
        outbox: faulty(from.outbox, injector),
        audit: faulty(from.audit, injector),
        keys: faulty(from.keys, injector),
        inspect: faulty(from.inspect, injector),
        mend: faulty(from.mend, injector),
        upkeep: faulty(from.upkeep, injector),
        moves: faulty(from.moves, injector),
    };
    Stores {
        relational,
        documents: faulty(stores.documents, injector),
        routing: stores.routing,
        revocations: faulty(stores.revocations, injector),
        // Events are best-effort; the tests of their consumers cover lost events.
        bus: stores.bus,
        cache: stores.cache,
        counters: stores.counters,
        movers: stores.movers,
    }
}
