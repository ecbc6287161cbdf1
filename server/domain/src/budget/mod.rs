//! Budgets: the one place that bounds how much memory and processor time work may take (DESIGN §1).
//!
//! A request takes them in this order, so that no two requests can wait for each other: bytes of
//! its body, bytes of work in progress, room in memory for a document that it opens or enlarges, and
//! a thread of the pool. If it exceeds a budget, it waits up to [`BudgetSettings::wait`] and is then
//! refused with `Overloaded` (503 with `Retry-After`).
//!
//! A room never takes bytes of work. To persist its document it takes bytes of their own, for which
//! it waits as long as necessary, then a turn to load it, and a thread. A job on a pool thread never
//! takes a further budget.

mod pool;
mod reservation;
mod scope;
mod shares;
#[cfg(test)]
mod tests;

pub use reservation::Reservation;
pub(crate) use scope::covered;
pub use scope::{Held, in_request, in_task};
pub use shares::Caller;

use crate::error::{Error, Result};
use pool::Pool;
use reservation::Bytes;
use scope::Holder;
use shares::Shares;
use std::{fmt, sync::Arc, time::Duration};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// Work on fewer bytes than this is done in place: a pool thread would cost more than it saves.
pub const SMALL: usize = 64 * 1024;

const MIB: usize = 1024 * 1024;

/// Bytes of documents that wait to be sent on sockets, all of them together.
const SENDING_BYTES: usize = 96 * MIB;
/// Bytes of updates in the queues of rooms, all rooms together. Larger ones wait for each other.
const POSTED_BYTES: usize = 64 * MIB;
/// Bytes that persisting may hold, all rooms together.
const PERSISTING_BYTES: usize = 80 * MIB;
/// Peak memory of persisting a document, in bytes per byte of its state: the text, the state, its
/// copy that is read back, the edits and their segment.
const PERSIST_FACTOR: usize = 7;

/// How much work may be in progress. Every value can be set (DESIGN §10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetSettings {
    /// Threads for long work. They run at low priority, so more of them than processors let a short
    /// job overtake a long one.
    pub threads: usize,
    /// Jobs that may wait for a thread.
    pub queue: usize,
    /// How long a request waits for a budget before it is refused.
    pub wait: Duration,
    /// Bytes of request bodies in flight, all requests together.
    pub body_bytes: usize,
    /// Bytes that comparing, rendering, creating and committing may hold, all requests together.
    pub work_bytes: usize,
    /// Documents that may be loaded into rooms at the same time.
    pub loads: usize,
    /// Rooms in memory.
    pub rooms: usize,
    /// Estimated bytes of all rooms in memory.
    pub room_bytes: usize,
    /// Items a document may consist of: runs of text that were typed in one go, deletions and
    /// formats, plus the clients that wrote them.
    pub document_items: usize,
    /// Bytes of a document's encoded CRDT state.
    pub document_bytes: usize,
}

impl Default for BudgetSettings {
    fn default() -> Self {
        Self {
            threads: 8,
            queue: 512,
            wait: Duration::from_secs(5),
            body_bytes: 96 * MIB,
            work_bytes: 128 * MIB,
            loads: 2,
            rooms: 10_000,
            room_bytes: 128 * MIB,
            document_items: 400_000,
            document_bytes: 48 * MIB,
        }
    }
}

/// A place among the jobs of the pool.
#[derive(Debug)]
pub struct Place {
    budget: Budget,
    permit: OwnedSemaphorePermit,
}

impl Place {
    /// Runs a job, as [`Budget::run`].
    ///
    /// # Errors
    /// `Internal` when the job panics.
    pub async fn run<T: Send + 'static>(
        self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        self.budget.0.pool.run(self.permit, job).await
    }
}

/// The budgets of one process.
#[derive(Clone)]
pub struct Budget(Arc<Inner>);

struct Inner {
    settings: BudgetSettings,
    pool: Pool,
    bodies: Bytes,
    work: Bytes,
    loads: Arc<Semaphore>,
    /// What each caller may hold of `bodies` for messages on sockets.
    receiving: Shares,
    sending: Bytes,
    /// What each caller may hold of `sending`.
    answers: Shares,
    posted: Bytes,
    persisting: Bytes,
    /// Held by a request that gives back what it holds to get more.
    exchanging: Semaphore,
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Budget").field(&self.0.settings).finish()
    }
}

impl Budget {
    /// Starts the pool.
    ///
    /// # Errors
    /// `Internal` when the threads cannot be started.
    pub fn new(settings: BudgetSettings) -> Result<Self> {
        Ok(Self(Arc::new(Inner {
            settings,
            pool: Pool::start(settings.threads, settings.queue)?,
            bodies: Bytes::new(settings.body_bytes),
            work: Bytes::new(settings.work_bytes),
            loads: Arc::new(Semaphore::new(settings.loads.max(1))),
            receiving: Shares::new(settings.body_bytes / 3),
            sending: Bytes::new(SENDING_BYTES),
            answers: Shares::new(SENDING_BYTES / 4),
            posted: Bytes::new(POSTED_BYTES),
            persisting: Bytes::new(PERSISTING_BYTES),
            exchanging: Semaphore::new(1),
        })))
    }

    /// The limits.
    #[must_use]
    pub fn settings(&self) -> &BudgetSettings {
        &self.0.settings
    }

    /// Reserves room for a request body of `bytes` and what is parsed from it. Within a request
    /// ([`in_request`]) it is held until the answer has been sent; otherwise until the returned value
    /// is dropped. Small bodies need no room.
    ///
    /// # Errors
    /// `Overloaded`.
    pub async fn body(&self, bytes: usize) -> Result<Reservation> {
        Ok(scope::keep_body(self.reserve(&self.0.bodies, bytes).await?))
    }

    /// Reserves room for `bytes` of texts and results, as [`Self::body`]; take it before the texts
    /// are loaded. A request that has reserved before reserves what it lacks.
    ///
    /// # Errors
    /// `Overloaded`.
    pub async fn work(&self, bytes: usize) -> Result<Reservation> {
        let bytes = bytes.min(self.0.settings.work_bytes);
        match scope::holder() {
            Holder::Caller => self.reserve(&self.0.work, bytes).await,
            Holder::Request(held) => {
                self.hold(&held, bytes).await?;
                Ok(Reservation::none())
            }
            Holder::Covered => Ok(Reservation::none()),
        }
    }

    /// Makes a request hold at least these bytes of work.
    async fn hold(&self, held: &Held, bytes: usize) -> Result<()> {
        let has = held.work_bytes();
        let lacking = bytes.saturating_sub(has);
        if lacking < SMALL {
            return Ok(());
        }
        if has > 0 {
            if let Some(more) = self.0.work.try_reserve(lacking) {
                held.add(more, lacking);
                return Ok(());
            }
            // Two requests that wait for more while they hold some would wait for each other. So
            // this one gives back what it holds, although it uses the memory: only one at a time.
            let _exchanging = self.0.exchanging.try_acquire().map_err(|_| self.overloaded())?;
            held.give_back();
            held.add(self.reserve(&self.0.work, bytes).await?, bytes);
            return Ok(());
        }
        held.add(self.reserve(&self.0.work, bytes).await?, bytes);
        Ok(())
    }

    /// Adjusts what a request holds to the size of its response, which remains until it is sent.
    ///
    /// # Errors
    /// `Overloaded`: drop the response.
    pub async fn respond(&self, held: &Held, bytes: usize) -> Result<()> {
        let bytes = bytes.min(self.0.settings.work_bytes);
        held.shrink(bytes);
        self.hold(held, bytes).await
    }

    /// Reserves room for a long message that arrives on a socket. A caller gets at most a third of what
    /// all bodies get: its sender decides how long it takes.
    ///
    /// # Errors
    /// `Overloaded`.
    pub async fn receive(&self, caller: Caller, bytes: usize) -> Result<Reservation> {
        let part = self.share(&self.0.receiving, caller, bytes).await?;
        Ok(self.reserve(&self.0.bodies, bytes).await?.of_share(part))
    }

    /// Reserves room for a document that is sent on a socket, until it has been sent. A caller gets at
    /// most a quarter of what all get: its reader decides how long it takes.
    ///
    /// # Errors
    /// `Overloaded`.
    pub async fn send(&self, caller: Caller, bytes: usize) -> Result<Reservation> {
        let part = self.share(&self.0.answers, caller, bytes).await?;
        Ok(self.reserve(&self.0.sending, bytes).await?.of_share(part))
    }

    async fn share(&self, shares: &Shares, caller: Caller, bytes: usize) -> Result<Reservation> {
        if bytes < SMALL {
            return Ok(Reservation::none());
        }
        let reserved = timeout(self.0.settings.wait, shares.reserve(caller, bytes)).await;
        reserved.map_err(|_| self.overloaded())?
    }

    /// Takes one of the turns in which documents are loaded.
    ///
    /// # Errors
    /// `Overloaded`.
    pub async fn load(&self) -> Result<Reservation> {
        let turn = Arc::clone(&self.0.loads).acquire_owned();
        let turn = timeout(self.0.settings.wait, turn).await.map_err(|_| self.overloaded())?;
        Ok(Reservation::of(turn.map_err(Error::internal)?))
    }

    /// Reserves the memory of an update that a connection has sent, until it is answered. The connection
    /// is not read meanwhile, so it waits for as long as others need; first come, first served.
    ///
    /// # Errors
    /// `Internal` if the budget is closed.
    pub(crate) async fn posted(&self, bytes: usize) -> Result<Reservation> {
        self.0.posted.reserve(bytes).await
    }

    /// Reserves the memory for persisting a document with a state of `bytes`. It is background work,
    /// so it waits for as long as others need; first come, first served.
    ///
    /// # Errors
    /// `Internal` if the budget is closed.
    pub(crate) async fn persist(&self, bytes: usize) -> Result<Reservation> {
        self.0.persisting.reserve(bytes.saturating_mul(PERSIST_FACTOR)).await
    }

    /// Like [`Self::persist`], if the memory is free.
    pub(crate) fn try_persist(&self, bytes: usize) -> Option<Reservation> {
        self.0.persisting.try_reserve(bytes.saturating_mul(PERSIST_FACTOR))
    }

    async fn reserve(&self, bytes: &Bytes, wanted: usize) -> Result<Reservation> {
        if wanted < SMALL {
            return Ok(Reservation::none());
        }
        let reserved = timeout(self.0.settings.wait, bytes.reserve(wanted)).await;
        reserved.map_err(|_| self.overloaded())?
    }

    /// Runs a job on a pool thread. If the caller goes away, a job that has started runs to its end
    /// and one that has not is dropped.
    ///
    /// # Errors
    /// `Overloaded` when too many jobs wait; `Internal` when the job panics.
    pub async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        self.place().await?.run(job).await
    }

    /// Takes a place among the jobs of the pool. For jobs whose data must not be lost when the pool
    /// is full.
    ///
    /// # Errors
    /// `Overloaded`.
    pub async fn place(&self) -> Result<Place> {
        let permit = timeout(self.0.settings.wait, self.0.pool.place()).await;
        let permit = permit.map_err(|_| self.overloaded())??;
        Ok(Place { budget: self.clone(), permit })
    }

    /// Runs a job in place when it works on few bytes, otherwise as [`Self::run`].
    ///
    /// # Errors
    /// As [`Self::run`].
    pub async fn run_on<T: Send + 'static>(
        &self,
        bytes: usize,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        if bytes < SMALL { Ok(job()) } else { self.run(job).await }
    }

    /// The refusal of work beyond a budget.
    #[must_use]
    pub fn overloaded(&self) -> Error {
        Error::Overloaded(self.0.settings.wait.max(Duration::from_secs(1)))
    }
}
