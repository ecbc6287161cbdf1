//! The seats of a room: the connections to a document. They stand behind a short lock of their own, so
//! that presence never waits for the room's task, which may be writing.
//!
//! A seat has a queue of updates, bounded in number and bytes. Presence takes no place in it: a seat
//! remembers only which clients have changed, and gets the newest state of each when there is little
//! else to send. A seat whose queue is full is closed.

#![allow(
    clippy::significant_drop_tightening,
    reason = "the lock is held for a whole, short method"
)]

mod abroad;
mod presence;
mod queue;
#[cfg(test)]
mod tests;

use super::event::{Closing, DocumentEvent, LiveUpdate, PresenceUpdate, SeatEvent};
use crate::storage::ClientPresence;
pub(super) use abroad::Abroad;
use bytes::Bytes;
use izanagi_shared::id::ActorId;
use parking_lot::Mutex;
use presence::{Holder, Presence};
use queue::Queue;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{sync::Notify, time::Instant};

/// Estimated memory of a seat without its queue: the connection behind it, and its tasks.
const SEAT_BYTES: usize = 4 * 1024;

/// Bounds of the seats of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SeatLimits {
    /// Seats.
    pub(super) seats: usize,
    /// Events in the queue of a seat.
    pub(super) messages: usize,
    /// Bytes of updates in the queue of a seat; the last one may exceed them.
    pub(super) bytes: usize,
}

/// Who takes a seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sitter {
    /// The actor of its edits.
    pub(crate) actor: Option<ActorId>,
    /// Whether it is shown who else is there. The public is not.
    pub(crate) sees_others: bool,
}

/// A seat's number, never used again in its room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SeatId(u64);

/// Why a seat is not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoSeat {
    /// The room closes; another one will open.
    Closed,
    /// All seats are taken.
    Full,
}

/// The seats of a room.
pub(crate) struct Seats {
    state: Mutex<State>,
    /// Bytes of updates that are queued or being sent, each counted once.
    used: Arc<AtomicUsize>,
    limits: SeatLimits,
    abroad: Abroad,
}

struct State {
    /// Whether new seats are refused.
    closed: bool,
    next_id: u64,
    /// Those that are not closed.
    open: usize,
    /// With those that are closed but not left yet.
    seats: BTreeMap<SeatId, Queue>,
    presence: Presence,
    abroad: Abroad,
    /// When the newest question who is present here was answered, or will be.
    answer_at: Option<Instant>,
}

/// A seat. Its holder leaves when it is dropped.
pub(crate) struct Seat {
    seats: Arc<Seats>,
    id: SeatId,
    wake: Arc<Notify>,
}

impl Seats {
    pub(super) fn new(limits: SeatLimits, abroad: Abroad) -> Arc<Self> {
        let (seats, presence) = (BTreeMap::new(), Presence::default());
        let (closed, next_id, open) = (false, 0, 0);
        let state = State {
            closed,
            next_id,
            open,
            seats,
            presence,
            abroad: abroad.clone(),
            answer_at: None,
        };
        Arc::new(Self { state: Mutex::new(state), used: Arc::default(), limits, abroad })
    }

    /// Takes a seat, which is told of all clients that are present.
    pub(super) fn join(self: &Arc<Self>, sitter: Sitter) -> Result<Seat, NoSeat> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(NoSeat::Closed);
        }
        if state.open >= self.limits.seats {
            return Err(NoSeat::Full);
        }
        state.next_id += 1;
        state.open += 1;
        let id = SeatId(state.next_id);
        let mut queue = Queue::new(sitter);
        queue.tell_of(state.presence.clients());
        let wake = queue.wake();
        state.seats.insert(id, queue);
        let is_first = state.open == 1;
        drop(state);
        if is_first {
            self.abroad.ask();
        }
        Ok(Seat { seats: Arc::clone(self), id, wake })
    }

    /// Whether a seat is taken.
    pub(super) fn are_taken(&self) -> bool {
        self.state.lock().open > 0
    }

    /// The number of taken seats.
    pub(super) fn taken(&self) -> usize {
        self.state.lock().open
    }

    /// Whether new seats are refused.
    pub(super) fn are_closed(&self) -> bool {
        self.state.lock().closed
    }

    /// Refuses new seats from now on, unless one is taken; returns whether it does.
    pub(super) fn close_if_free(&self) -> bool {
        let mut state = self.state.lock();
        state.closed |= state.open == 0;
        state.closed
    }

    /// Refuses new seats from now on, and closes all.
    pub(super) fn close(&self, why: Closing) {
        let mut state = self.state.lock();
        state.closed = true;
        state.dismiss_all(why);
    }

    /// Closes every seat that is taken now.
    pub(super) fn dismiss(&self, why: Closing) {
        self.state.lock().dismiss_all(why);
    }

    /// Creates an update for [`Self::broadcast`].
    pub(super) fn update(&self, seq: u64, actor: ActorId, delta: Bytes) -> Arc<LiveUpdate> {
        Arc::new(LiveUpdate::new(seq, actor, delta, &self.used))
    }

    /// Tells every seat but one of an update. A seat whose queue is full is closed.
    pub(super) fn broadcast(&self, update: &Arc<LiveUpdate>, except: Option<SeatId>) {
        let mut state = self.state.lock();
        let mut slow = Vec::new();
        for (id, queue) in &mut state.seats {
            if Some(*id) == except || queue.is_closed() {
                continue;
            }
            if queue.is_full(&self.limits) {
                slow.push(*id);
            } else {
                queue.push(SeatEvent::Update(Arc::clone(update)), update.delta.len());
            }
        }
        slow.into_iter().for_each(|id| state.close(id, Closing::TooSlow));
    }

    /// Tells one seat of a change of the document.
    pub(crate) fn tell(&self, seat: SeatId, event: Arc<DocumentEvent>) {
        let mut state = self.state.lock();
        let Some(queue) = state.seats.get_mut(&seat).filter(|queue| !queue.is_closed()) else {
            return;
        };
        if queue.is_full(&self.limits) {
            state.close(seat, Closing::TooSlow);
        } else {
            let bytes = size_of::<DocumentEvent>() + event.title.len();
            queue.push(SeatEvent::Document(event), bytes);
        }
    }

    /// Shows a seat who else is there, or not any more; then it is not shown to others either.
    pub(crate) fn show_others(&self, seat: SeatId, shows: bool) {
        let mut state = self.state.lock();
        let State { seats, presence, .. } = &mut *state;
        let Some(queue) = seats.get_mut(&seat) else { return };
        queue.show_others(shows);
        if shows {
            queue.tell_of(presence.clients());
        } else {
            state.forget(seat);
        }
    }

    /// Closes one seat.
    pub(crate) fn close_seat(&self, seat: SeatId, why: Closing) {
        self.state.lock().close(seat, why);
    }

    /// Takes the state that a seat presents, unless it is older than what is known, or the client
    /// belongs to another seat.
    pub(crate) fn present(&self, seat: SeatId, update: PresenceUpdate) {
        let mut state = self.state.lock();
        let State { seats, presence, .. } = &mut *state;
        let Some(queue) = seats.get_mut(&seat).filter(|queue| !queue.is_closed()) else { return };
        let (client, is_here) = (update.client, update.state.is_some());
        let (actor, clock) = (queue.sitter().actor, update.clock);
        let text = update.state.as_deref().map(str::to_owned);
        if presence.take(Holder::Seat(seat), actor, update) {
            state.tell_of(&[client]);
            state.abroad.tell([ClientPresence { client, clock, actor, state: text }]);
        } else if is_here && presence.has_left(client) {
            // A client of y-websocket that connects again repeats its last state, which left with the
            // former connection. Told so, it presents a newer one, instead of some seconds later.
            queue.tell_of([client]);
        }
    }

    /// Returns the estimated memory of all seats, in bytes.
    pub(super) fn memory(&self) -> usize {
        let state = self.state.lock();
        let queued: usize = state.seats.values().map(Queue::memory).sum();
        state.seats.len() * SEAT_BYTES
            + queued
            + state.presence.memory()
            + self.used.load(Ordering::Relaxed)
    }
}

impl State {
    /// Tells the seats that these presence clients have changed.
    fn tell_of(&mut self, clients: &[u64]) {
        for queue in self.seats.values_mut() {
            queue.tell_of(clients.iter().copied());
        }
    }

    fn close(&mut self, seat: SeatId, why: Closing) {
        if let Some(queue) = self.seats.get_mut(&seat)
            && queue.close(why)
        {
            self.open -= 1;
            self.forget(seat);
        }
    }

    fn dismiss_all(&mut self, why: Closing) {
        let seats: Vec<SeatId> = self.seats.keys().copied().collect();
        seats.into_iter().for_each(|seat| self.close(seat, why));
    }

    fn leave(&mut self, seat: SeatId) {
        if self.seats.remove(&seat).is_some_and(|queue| !queue.is_closed()) {
            self.open -= 1;
            self.forget(seat);
        }
    }

    /// Removes what a seat has presented.
    fn forget(&mut self, seat: SeatId) {
        let gone = self.presence.leave(seat);
        let clients: Vec<u64> = gone.iter().map(|gone| gone.client).collect();
        self.tell_of(&clients);
        self.abroad.tell(gone);
    }
}

impl Seat {
    pub(crate) const fn id(&self) -> SeatId {
        self.id
    }

    pub(crate) const fn seats(&self) -> &Arc<Seats> {
        &self.seats
    }

    /// Waits for events, then moves those that are queued. Nothing is lost if it is cancelled.
    pub(crate) async fn events(&mut self, into: &mut Vec<SeatEvent>) {
        while !self.take(into) {
            self.wake.notified().await;
        }
    }

    fn take(&self, into: &mut Vec<SeatEvent>) -> bool {
        let before = into.len();
        let mut state = self.seats.state.lock();
        let State { seats, presence, .. } = &mut *state;
        if let Some(queue) = seats.get_mut(&self.id) {
            queue.take(presence, &self.seats.limits, into);
        }
        into.len() > before
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.state.lock().leave(self.id);
    }
}
