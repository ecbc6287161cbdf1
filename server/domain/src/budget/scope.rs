//! Reservations that last as long as a request: until its response has been sent, and until work
//! that goes on without the client has ended.

use super::Reservation;
use parking_lot::Mutex;
use std::sync::Arc;

tokio::task_local! {
    static SCOPE: Scope;
}

#[derive(Clone)]
struct Scope {
    held: Held,
    /// Whether everything that happens here was reserved before.
    is_covered: bool,
}

/// What a request holds, shared by everything that works for it.
#[derive(Debug, Default, Clone)]
pub struct Held(Arc<Mutex<Reserved>>);

#[derive(Debug, Default)]
struct Reserved {
    bodies: Vec<Reservation>,
    /// With their bytes.
    work: Vec<(Reservation, usize)>,
}

impl Held {
    /// Whether nothing is reserved.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let held = self.0.lock();
        held.bodies.is_empty() && held.work.is_empty()
    }

    /// Bytes of work that are reserved.
    #[must_use]
    pub fn work_bytes(&self) -> usize {
        self.0.lock().work_bytes()
    }

    /// Gives back everything beyond these bytes of work: the request has been handled, and its
    /// response is what remains in memory. Tasks that still have a part in the reservation need all
    /// of it; those of a page do until the page has been sent.
    pub(super) fn shrink(&self, bytes: usize) {
        if Arc::strong_count(&self.0) > 1 {
            return;
        }
        let mut held = self.0.lock();
        held.bodies.clear();
        let mut left = bytes;
        held.work.retain_mut(|(reservation, bytes)| {
            *bytes = left.min(*bytes);
            left -= *bytes;
            reservation.shrink_to(*bytes);
            *bytes > 0
        });
    }

    /// Gives back all bytes of work.
    pub(super) fn give_back(&self) {
        self.0.lock().work.clear();
    }

    pub(super) fn add(&self, reservation: Reservation, work_bytes: usize) {
        self.0.lock().work.push((reservation, work_bytes));
    }
}

impl Reserved {
    fn work_bytes(&self) -> usize {
        self.work.iter().map(|(_, bytes)| bytes).sum()
    }
}

/// Runs the handler of a request; returns what it still holds, to be kept until the answer has been
/// sent.
pub async fn in_request<T>(handler: impl Future<Output = T>) -> (T, Held) {
    let held = Held::default();
    let scope = Scope { held: held.clone(), is_covered: false };
    (SCOPE.scope(scope, handler).await, held)
}

/// Returns a part of the current request that runs in a task of its own. The request's reservations
/// are also the task's.
pub fn in_task<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let scope = SCOPE.try_with(Scope::clone).ok();
    async move {
        match scope {
            Some(scope) => SCOPE.scope(scope, work).await,
            None => work.await,
        }
    }
}

/// Returns a part of the current request that may outlive it, for a task of its own. The request's
/// reservation covers it and is held until it ends.
pub(crate) fn covered<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let held = SCOPE.try_with(|scope| scope.held.clone()).unwrap_or_default();
    SCOPE.scope(Scope { held, is_covered: true }, work)
}

/// Who reserves what is needed here.
pub(super) enum Holder {
    /// The caller: this is not a request.
    Caller,
    /// The current request.
    Request(Held),
    /// Everything was reserved before.
    Covered,
}

pub(super) fn holder() -> Holder {
    let holder = SCOPE.try_with(|scope| match scope.is_covered {
        true => Holder::Covered,
        false => Holder::Request(scope.held.clone()),
    });
    holder.unwrap_or(Holder::Caller)
}

/// Gives the reservation of a body to the current request; outside of one it comes back to the
/// caller.
pub(super) fn keep_body(reservation: Reservation) -> Reservation {
    let mut reservation = Some(reservation);
    let _ = SCOPE.try_with(|scope| scope.held.0.lock().bodies.extend(reservation.take()));
    reservation.unwrap_or_else(Reservation::none)
}
