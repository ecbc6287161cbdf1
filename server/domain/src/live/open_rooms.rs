//! The rooms in memory: which are open, how much memory they use, and which are evicted when a
//! budget is exhausted (DESIGN §1, §6).

use super::{command::Command, hear::Heard, seats::Seats};
use crate::{
    budget::{Budget, BudgetSettings},
    error::{Error, Result},
};
use izanagi_shared::id::DocumentId;
use lru::LruCache;
use parking_lot::Mutex;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, mpsc},
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

/// A room used this recently is not evicted.
const IN_USE: Duration = Duration::from_secs(1);
/// Estimated bytes of a room without a loaded document: its task and mailbox.
const EMPTY_ROOM: usize = 8 * 1024;

/// An open room.
#[derive(Clone)]
pub(super) struct Handle {
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) seats: Arc<Seats>,
    pub(super) heard: Arc<Heard>,
    /// Cancelled to evict the room.
    pub(super) leave: CancellationToken,
    number: u64,
}

struct Entry {
    handle: Handle,
    used_at: Instant,
    bytes: usize,
}

/// Bookkeeping of the rooms in memory.
struct State {
    /// Least recently used first.
    open: LruCache<DocumentId, Entry>,
    next_number: u64,
    /// Estimated bytes of all rooms, including those being evicted.
    bytes: usize,
    /// Evicted rooms that still hold memory, and their bytes.
    leaving: usize,
    leaving_bytes: usize,
}

/// The rooms in memory.
#[derive(Clone)]
pub(super) struct OpenRooms {
    state: Arc<Mutex<State>>,
    /// Notified when memory is released.
    freed: Arc<Notify>,
    budget: Budget,
}

/// Reports a room's memory use; on drop, that the room is gone.
pub(super) struct Footprint {
    rooms: OpenRooms,
    document: DocumentId,
    number: u64,
    bytes: usize,
}

impl OpenRooms {
    pub(super) fn new(budget: Budget) -> Self {
        let open = LruCache::unbounded();
        let state = State { open, next_number: 0, bytes: 0, leaving: 0, leaving_bytes: 0 };
        Self { state: Arc::new(Mutex::new(state)), freed: Arc::default(), budget }
    }

    /// Returns the open room of a document.
    pub(super) fn get(&self, document: DocumentId) -> Option<Handle> {
        self.state.lock().get(document)
    }

    /// Whether a document has a room.
    pub(super) fn contains(&self, document: DocumentId) -> bool {
        let state = self.state.lock();
        state.open.peek(&document).is_some_and(|entry| entry.handle.is_open())
    }

    /// Returns the number of open rooms, and the bytes of all rooms that hold memory.
    pub(super) fn size(&self) -> (usize, usize) {
        let state = self.state.lock();
        (state.open.len(), state.bytes)
    }

    /// Returns the number of taken seats.
    pub(super) fn seats(&self) -> usize {
        self.state.lock().open.iter().map(|(_, entry)| entry.handle.seats.taken()).sum()
    }

    /// Returns what tells the open room of a document what happens elsewhere. Does not count as use.
    pub(super) fn listener(&self, document: DocumentId) -> Option<(Arc<Seats>, Arc<Heard>)> {
        self.state.lock().open.peek(&document).and_then(Entry::listener)
    }

    /// As [`Self::listener`], for all open rooms.
    pub(super) fn listeners(&self) -> Vec<(Arc<Seats>, Arc<Heard>)> {
        self.state.lock().open.iter().filter_map(|(_, entry)| entry.listener()).collect()
    }

    /// Waits until another room fits; evicts unused rooms.
    ///
    /// # Errors
    /// `Overloaded` if all rooms remain in use.
    pub(super) async fn make_room(&self) -> Result<()> {
        self.until_fits(1).await
    }

    /// Waits until the rooms in memory fit, because one of them is about to grow; evicts unused
    /// rooms.
    ///
    /// # Errors
    /// As [`Self::make_room`].
    pub(super) async fn before_growth(&self) -> Result<()> {
        self.until_fits(0).await
    }

    async fn until_fits(&self, more: usize) -> Result<()> {
        let limits = self.budget.settings();
        let waiting = async {
            loop {
                let freed = self.freed.notified();
                if self.state.lock().evict(limits, more) {
                    return;
                }
                // A room can also become unused by the passage of time.
                let _ = timeout(IN_USE, freed).await;
            }
        };
        timeout(limits.wait, waiting).await.map_err(|_| self.budget.overloaded())
    }

    /// Adds a room; `None` for the footprint if another caller has just added one.
    pub(super) fn insert(
        &self,
        document: DocumentId,
        commands: mpsc::Sender<Command>,
        seats: Arc<Seats>,
    ) -> (Handle, Option<Footprint>) {
        let (handle, number) = self.state.lock().insert(document, commands, seats);
        let footprint = number.map(|number| Footprint {
            rooms: self.clone(),
            document,
            number,
            bytes: EMPTY_ROOM,
        });
        (handle, footprint)
    }
}

impl State {
    fn get(&mut self, document: DocumentId) -> Option<Handle> {
        let entry = self.open.get_mut(&document).filter(|entry| entry.handle.is_open())?;
        entry.used_at = Instant::now();
        Some(entry.handle.clone())
    }

    /// Adds a room; returns its number unless there already is one.
    fn insert(
        &mut self,
        document: DocumentId,
        commands: mpsc::Sender<Command>,
        seats: Arc<Seats>,
    ) -> (Handle, Option<u64>) {
        if let Some(open) = self.get(document) {
            return (open, None);
        }
        self.next_number += 1;
        self.bytes += EMPTY_ROOM;
        let number = self.next_number;
        let (leave, heard) = (CancellationToken::new(), Arc::default());
        let handle = Handle { commands, seats, heard, leave, number };
        let (used_at, bytes) = (Instant::now(), EMPTY_ROOM);
        // A closing room that is replaced here releases its memory through its own footprint.
        let entry = Entry { handle: handle.clone(), used_at, bytes };
        if let Some(replaced) = self.open.put(document, entry) {
            self.leaves(&replaced);
        }
        (handle, Some(number))
    }

    /// Evicts rooms while a budget is exceeded; returns whether `more` fits. A room with seats counts as
    /// in use.
    fn evict(&mut self, limits: &BudgetSettings, more: usize) -> bool {
        let now = Instant::now();
        let staying = self.bytes.saturating_sub(self.leaving_bytes);
        let mut excess = staying.saturating_sub(limits.room_bytes);
        while excess > 0 || self.open.len() + more > limits.rooms {
            let in_use = |entry: &Entry| now.duration_since(entry.used_at) < IN_USE;
            match self.open.peek_lru() {
                Some((_, entry)) if !(entry.handle.is_open() && in_use(entry)) => {}
                _ => break,
            }
            let Some((document, mut entry)) = self.open.pop_lru() else { break };
            if !entry.handle.seats.close_if_free() {
                // It is looked at again when it has not been used for a while.
                entry.used_at = now;
                self.open.put(document, entry);
                continue;
            }
            entry.handle.leave.cancel();
            excess = excess.saturating_sub(entry.bytes);
            self.leaves(&entry);
        }
        self.bytes <= limits.room_bytes && self.open.len() + self.leaving + more <= limits.rooms
    }

    /// Counts a room that is no longer open until it is removed.
    const fn leaves(&mut self, entry: &Entry) {
        self.leaving += 1;
        self.leaving_bytes += entry.bytes;
    }

    /// Updates the recorded size of a room.
    fn resize(&mut self, document: DocumentId, number: u64, was: usize, is: usize) {
        self.bytes = self.bytes - was + is;
        if let Some(entry) = self.open.peek_mut(&document)
            && entry.handle.number == number
        {
            entry.bytes = is;
        } else {
            self.leaving_bytes = self.leaving_bytes.saturating_sub(was) + is;
        }
    }

    fn remove(&mut self, document: DocumentId, number: u64, bytes: usize) {
        self.bytes -= bytes;
        // Another room may have replaced it.
        if self.open.peek(&document).is_some_and(|entry| entry.handle.number == number) {
            self.open.pop(&document);
        } else {
            self.leaving = self.leaving.saturating_sub(1);
            self.leaving_bytes = self.leaving_bytes.saturating_sub(bytes);
        }
    }
}

impl Entry {
    fn listener(&self) -> Option<(Arc<Seats>, Arc<Heard>)> {
        let Handle { seats, heard, .. } = &self.handle;
        self.handle.is_open().then(|| (Arc::clone(seats), Arc::clone(heard)))
    }
}

impl Handle {
    fn is_open(&self) -> bool {
        !self.commands.is_closed() && !self.leave.is_cancelled() && !self.seats.are_closed()
    }
}

impl Footprint {
    /// Reports the room's current size in bytes.
    pub(super) fn set(&mut self, bytes: usize) {
        let (was, is) = (self.bytes, EMPTY_ROOM + bytes);
        if was == is {
            return;
        }
        self.bytes = is;
        let rooms = &self.rooms;
        rooms.state.lock().resize(self.document, self.number, was, is);
        if is > was {
            rooms.state.lock().evict(rooms.budget.settings(), 0);
        } else {
            rooms.freed.notify_waiters();
        }
    }
}

impl Drop for Footprint {
    fn drop(&mut self) {
        self.rooms.state.lock().remove(self.document, self.number, self.bytes);
        self.rooms.freed.notify_waiters();
    }
}

/// The error for commands during a shutdown.
pub(super) fn shutting_down() -> Error {
    Error::Unavailable(crate::error::Internal::new("shutting down"))
}
