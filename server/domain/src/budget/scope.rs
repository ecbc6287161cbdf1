//! Reservations that last as long as a request: until its answer has been sent.

use super::Reservation;
use std::cell::RefCell;

tokio::task_local! {
    static HELD: RefCell<Held>;
}

/// What a request holds.
#[derive(Debug, Default)]
pub struct Held {
    reservations: Vec<Reservation>,
    has_work: bool,
}

/// Runs the handler of a request; returns what it still holds, to be kept until the answer has been
/// sent.
pub async fn in_request<T>(handler: impl Future<Output = T>) -> (T, Held) {
    let handler = async {
        let result = handler.await;
        (result, HELD.try_with(RefCell::take).unwrap_or_default())
    };
    HELD.scope(RefCell::default(), handler).await
}

/// Runs a part of a request in a task of its own: the request's reservation covers it.
pub(crate) async fn covered<T>(work: impl Future<Output = T>) -> T {
    let held = Held { has_work: true, ..Held::default() };
    HELD.scope(RefCell::new(held), work).await
}

/// Whether this request holds bytes of work already.
pub(super) fn holds_work() -> bool {
    HELD.try_with(|held| held.borrow().has_work).unwrap_or(false)
}

/// Gives a reservation to the current request; outside of one it comes back to the caller.
pub(super) fn keep(reservation: Reservation, is_work: bool) -> Reservation {
    let mut reservation = Some(reservation);
    let _ = HELD.try_with(|held| held.borrow_mut().add(&mut reservation, is_work));
    reservation.unwrap_or_else(Reservation::none)
}

impl Held {
    fn add(&mut self, reservation: &mut Option<Reservation>, is_work: bool) {
        self.has_work |= is_work;
        self.reservations.extend(reservation.take());
    }
}
