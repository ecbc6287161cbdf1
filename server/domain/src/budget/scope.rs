//! Reservations that last as long as a request: until its answer has been sent, and until work that
//! goes on without the client has ended.

use super::Reservation;
use parking_lot::Mutex;
use std::sync::Arc;

tokio::task_local! {
    static SCOPE: Scope;
}

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
    reservations: Vec<Reservation>,
    work_bytes: usize,
}

/// Runs the handler of a request; returns what it still holds, to be kept until the answer has been
/// sent.
pub async fn in_request<T>(handler: impl Future<Output = T>) -> (T, Held) {
    let held = Held::default();
    let scope = Scope { held: held.clone(), is_covered: false };
    (SCOPE.scope(scope, handler).await, held)
}

/// Returns a part of the current request that may outlive it, for a task of its own. The request's
/// reservation covers it and is held until it ends.
pub(crate) fn covered<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let held = SCOPE.try_with(|scope| scope.held.clone()).unwrap_or_default();
    SCOPE.scope(Scope { held, is_covered: true }, work)
}

/// How many of these bytes of work the current request has yet to reserve.
pub(super) fn lacking(bytes: usize) -> usize {
    let lacking = SCOPE.try_with(|scope| {
        if scope.is_covered { 0 } else { bytes.saturating_sub(scope.held.0.lock().work_bytes) }
    });
    lacking.unwrap_or(bytes)
}

/// Gives a reservation to the current request; outside of one it comes back to the caller.
pub(super) fn keep(reservation: Reservation, work_bytes: usize) -> Reservation {
    let mut reservation = Some(reservation);
    let _ = SCOPE.try_with(|scope| {
        let mut held = scope.held.0.lock();
        held.reservations.extend(reservation.take());
        held.work_bytes += work_bytes;
    });
    reservation.unwrap_or_else(Reservation::none)
}
