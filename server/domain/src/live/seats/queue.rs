//! What one seat still has to be told.

use super::{Closing, SeatEvent, SeatLimits, Sitter, presence::Presence};
use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};
use tokio::sync::Notify;

/// What one seat still has to be told.
pub(super) struct Queue {
    sitter: Sitter,
    events: VecDeque<SeatEvent>,
    /// Bytes of the events.
    bytes: usize,
    /// Presence clients whose newest state it lacks.
    lacks: BTreeSet<u64>,
    closing: Option<Closing>,
    wake: Arc<Notify>,
}

impl Queue {
    pub(super) fn new(sitter: Sitter) -> Self {
        let (events, lacks) = (VecDeque::new(), BTreeSet::new());
        Self { sitter, events, bytes: 0, lacks, closing: None, wake: Arc::default() }
    }

    pub(super) const fn sitter(&self) -> &Sitter {
        &self.sitter
    }

    /// Notified when there is something to take.
    pub(super) fn wake(&self) -> Arc<Notify> {
        Arc::clone(&self.wake)
    }

    pub(super) const fn is_closed(&self) -> bool {
        self.closing.is_some()
    }

    pub(super) fn is_full(&self, limits: &SeatLimits) -> bool {
        self.events.len() >= limits.messages || self.bytes >= limits.bytes
    }

    pub(super) fn push(&mut self, event: SeatEvent, bytes: usize) {
        self.events.push_back(event);
        self.bytes += bytes;
        self.wake.notify_one();
    }

    /// Shows its holder who else is there, or not any more.
    pub(super) fn show_others(&mut self, shows: bool) {
        self.sitter.sees_others = shows;
        if !shows {
            self.lacks = BTreeSet::new();
        }
    }

    /// Notes that these presence clients have changed.
    pub(super) fn tell_of(&mut self, clients: impl IntoIterator<Item = u64>) {
        if !self.sitter.sees_others || self.is_closed() {
            return;
        }
        let before = self.lacks.len();
        self.lacks.extend(clients);
        if self.lacks.len() > before {
            self.wake.notify_one();
        }
    }

    /// Drops what is queued, except that the document was moved to the trash, if it ends for that
    /// reason; returns false if it has ended already.
    pub(super) fn close(&mut self, why: Closing) -> bool {
        if self.is_closed() {
            return false;
        }
        self.closing = Some(why);
        self.lacks = BTreeSet::new();
        self.events
            .retain(|event| why == Closing::Trashed && matches!(event, SeatEvent::Document(_)));
        self.events.shrink_to_fit();
        self.wake.notify_one();
        true
    }

    /// Moves what is queued. If the queue was filling up, presence waits for the next call, so that a
    /// slow reader gets the text first.
    pub(super) fn take(
        &mut self,
        presence: &Presence,
        limits: &SeatLimits,
        into: &mut Vec<SeatEvent>,
    ) {
        if let Some(why) = self.closing {
            into.extend(std::mem::take(&mut self.events));
            into.push(SeatEvent::Closed(why));
            return;
        }
        let is_filling = self.events.len() * 4 > limits.messages || self.bytes * 4 > limits.bytes;
        into.extend(self.events.drain(..));
        self.bytes = 0;
        if !is_filling {
            let lacked = std::mem::take(&mut self.lacks);
            let states = lacked.into_iter().filter_map(|client| presence.newest(client));
            into.extend(states.map(SeatEvent::Presence));
        }
    }

    /// Returns its memory, without that of the updates, which all seats share.
    pub(super) fn memory(&self) -> usize {
        self.events.capacity() * size_of::<SeatEvent>() + self.lacks.len() * 2 * size_of::<u64>()
    }
}
