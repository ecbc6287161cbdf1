//! Where records are now, and the gate that writes pass.

use super::{
    counters::{Class, Counters},
    marks::ShadowMarks,
    repair::Ages,
};
use izanagi_domain::storage::{Clock, DocumentStore, RoutingCounters, StoreError, StoreResult};
use parking_lot::{Mutex, RwLock};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard};

/// How long a write waits while writes are held.
const HELD: Duration = Duration::from_secs(4);
/// How long a node may work without having seen the row of the move, if others work beside it. The
/// move ignores nodes that it has not heard of for longer.
const TRUSTED: Duration = Duration::from_secs(20);
/// After a failure the second place is left alone for this long; the marks remember what it lacks.
const REST: Duration = Duration::from_secs(5);

/// Which place answers reads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reads {
    /// The first.
    #[default]
    Primary,
    /// The second, where a copy is good enough; the first where it decides.
    Shadow,
    /// Both are compared, and the first answers.
    Both,
}

/// One or two places.
#[derive(Clone)]
pub(crate) struct Route {
    /// Decides.
    pub(crate) primary: Arc<dyn DocumentStore>,
    /// Follows, if it is there.
    pub(crate) shadow: Option<Arc<dyn DocumentStore>>,
    /// Whether writes are marked and go to the second place too.
    pub(crate) mirrors: bool,
    /// Which place answers reads.
    pub(crate) reads: Reads,
    /// Whether commits may be one transaction: the relational database is the only place, and no move
    /// is known.
    pub(crate) is_atomic: bool,
}

impl Route {
    /// A single place.
    pub(crate) fn single(primary: Arc<dyn DocumentStore>, is_atomic: bool) -> Self {
        Self { primary, shadow: None, mirrors: false, reads: Reads::Primary, is_atomic }
    }
}

/// A write that may begin: where, and what keeps the route as it is meanwhile.
pub(super) type Admitted = (Arc<Route>, OwnedRwLockReadGuard<()>);

/// The document store of the services.
pub(crate) struct Routed {
    route: RwLock<Arc<Route>>,
    /// Every write holds it for reading. Who holds it for writing holds all writes.
    gate: Arc<tokio::sync::RwLock<()>>,
    /// When this node saw the row of the move, if it has to.
    seen: Mutex<Option<Instant>>,
    /// Until when the second place is left alone.
    rests_until: Mutex<Option<Instant>>,
    pub(super) marks: Arc<dyn ShadowMarks>,
    pub(super) counters: Counters,
    pub(super) clock: Arc<dyn Clock>,
    /// When each mark was seen first.
    pub(super) ages: Mutex<Ages>,
}

impl Routed {
    /// A store over a route.
    pub(crate) fn new(
        route: Route,
        marks: Arc<dyn ShadowMarks>,
        clock: Arc<dyn Clock>,
    ) -> Arc<Self> {
        Arc::new(Self {
            route: RwLock::new(Arc::new(route)),
            gate: Arc::default(),
            seen: Mutex::default(),
            rests_until: Mutex::default(),
            marks,
            counters: Counters::default(),
            clock,
            ages: Mutex::default(),
        })
    }

    /// Returns what the store has done.
    pub(super) fn counters(&self) -> RoutingCounters {
        self.counters.snapshot()
    }

    /// Returns the present route, without asking whether it can be trusted.
    pub(super) fn route(&self) -> Arc<Route> {
        Arc::clone(&self.route.read())
    }

    /// Begins an operation that does not write.
    pub(super) fn begin(&self, class: Class) -> StoreResult<Arc<Route>> {
        self.counters.count(class);
        self.require_trust()?;
        Ok(self.route())
    }

    /// Begins a write. Waits a little while writes are held.
    pub(super) async fn begin_write(&self) -> StoreResult<Admitted> {
        self.counters.count(Class::Write);
        let gate = Arc::clone(&self.gate);
        let pass = tokio::time::timeout(HELD, gate.read_owned()).await.map_err(|_| {
            StoreError::Unavailable("the documents are being moved to another place".to_owned())
        })?;
        self.require_trust()?;
        Ok((self.route(), pass))
    }

    /// Ends a write in one place. If this node stood still meanwhile, a move may have gone on without
    /// it, and the write may have reached a place that nobody reads any more.
    pub(super) fn end_write<T>(
        &self,
        pass: OwnedRwLockReadGuard<()>,
        result: StoreResult<T>,
    ) -> StoreResult<T> {
        let result = match (result, self.require_trust()) {
            (Ok(_), Err(StoreError::Unavailable(why))) => Err(StoreError::Unknown(why)),
            (result, _) => result,
        };
        drop(pass);
        result
    }

    /// Waits for the writes that are under way, and holds those that come.
    pub(super) async fn hold(&self) -> OwnedRwLockWriteGuard<()> {
        Arc::clone(&self.gate).write_owned().await
    }

    /// Takes another route. The caller holds the writes.
    pub(super) fn set(&self, route: Route, _held: &OwnedRwLockWriteGuard<()>) {
        *self.route.write() = Arc::new(route);
        *self.rests_until.lock() = None;
    }

    /// Notes that the row of the move was read at this moment.
    pub(super) fn saw(&self, at: Instant) {
        *self.seen.lock() = Some(at);
    }

    fn require_trust(&self) -> StoreResult<()> {
        match *self.seen.lock() {
            Some(seen) if seen.elapsed() > TRUSTED => Err(StoreError::Unavailable(
                "this node could not find out for a while where the documents are".to_owned(),
            )),
            _ => Ok(()),
        }
    }

    /// Whether the second place failed just now.
    pub(super) fn rests(&self) -> bool {
        self.rests_until.lock().is_some_and(|until| Instant::now() < until)
    }

    /// Notes that the second place failed.
    pub(super) fn rest(&self) {
        *self.rests_until.lock() = Some(Instant::now() + REST);
    }
}
