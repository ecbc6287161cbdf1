//! The rooms in memory: which are open, how much they hold, and which leave when a budget is used
//! up (DESIGN §1, §6).

use super::command::Command;
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

/// A room that was used this recently does not leave for another.
const IN_USE: Duration = Duration::from_secs(1);
/// Estimated bytes of a room that has loaded nothing: its task and mailbox.
const EMPTY_ROOM: usize = 8 * 1024;

/// One room.
#[derive(Clone)]
pub(super) struct Handle {
    pub(super) commands: mpsc::Sender<Command>,
    /// Cancelled when the room shall leave memory.
    pub(super) leave: CancellationToken,
    number: u64,
}

struct Entry {
    handle: Handle,
    used_at: Instant,
    bytes: usize,
}

/// Counts what is in memory.
struct State {
    /// Least recently used first.
    open: LruCache<DocumentId, Entry>,
    next_number: u64,
    /// Estimated bytes of all rooms, of those that are leaving too.
    bytes: usize,
    /// Rooms that were told to leave and still hold memory.
    leaving: usize,
}

/// The rooms in memory.
#[derive(Clone)]
pub(super) struct OpenRooms {
    state: Arc<Mutex<State>>,
    /// Notified when memory was given back.
    freed: Arc<Notify>,
    budget: Budget,
}

/// Reports what a room holds; on drop, that the room has left.
pub(super) struct Footprint {
    rooms: OpenRooms,
    document: DocumentId,
    number: u64,
    bytes: usize,
}

impl OpenRooms {
    pub(super) fn new(budget: Budget) -> Self {
        let open = LruCache::unbounded();
        let state = State { open, next_number: 0, bytes: 0, leaving: 0 };
        Self { state: Arc::new(Mutex::new(state)), freed: Arc::default(), budget }
    }

    /// The open room of a document.
    pub(super) fn get(&self, document: DocumentId) -> Option<Handle> {
        self.state.lock().get(document)
    }

    /// Whether a document has a room.
    pub(super) fn contains(&self, document: DocumentId) -> bool {
        let state = self.state.lock();
        state.open.peek(&document).is_some_and(|entry| entry.handle.is_open())
    }

    /// How many rooms are open, and the bytes of all that hold memory.
    pub(super) fn size(&self) -> (usize, usize) {
        let state = self.state.lock();
        (state.open.len(), state.bytes)
    }

    /// Waits until there is room for one more; rooms that are not in use leave for it.
    ///
    /// # Errors
    /// `Overloaded` when all rooms stay in use.
    pub(super) async fn make_room(&self) -> Result<()> {
        let limits = self.budget.settings();
        let waiting = async {
            loop {
                let freed = self.freed.notified();
                if self.state.lock().evict(limits, 1) {
                    return;
                }
                // A room comes out of use by time alone, too.
                let _ = timeout(IN_USE, freed).await;
            }
        };
        timeout(limits.wait, waiting).await.map_err(|_| self.budget.overloaded())
    }

    /// Adds a room, unless another caller has just added one: then there is no footprint.
    pub(super) fn insert(
        &self,
        document: DocumentId,
        commands: mpsc::Sender<Command>,
    ) -> (Handle, Option<Footprint>) {
        let (handle, number) = self.state.lock().insert(document, commands);
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

    /// Adds a room; returns its number unless there is one already.
    fn insert(
        &mut self,
        document: DocumentId,
        commands: mpsc::Sender<Command>,
    ) -> (Handle, Option<u64>) {
        if let Some(open) = self.get(document) {
            return (open, None);
        }
        self.next_number += 1;
        self.bytes += EMPTY_ROOM;
        let number = self.next_number;
        let handle = Handle { commands, leave: CancellationToken::new(), number };
        let (used_at, bytes) = (Instant::now(), EMPTY_ROOM);
        // A closing room that stands in its place gives its memory back by its own footprint.
        if self.open.put(document, Entry { handle: handle.clone(), used_at, bytes }).is_some() {
            self.leaving += 1;
        }
        (handle, Some(number))
    }

    /// Tells rooms to leave while a budget is exceeded; returns whether there is room for `more`.
    fn evict(&mut self, limits: &BudgetSettings, more: usize) -> bool {
        let now = Instant::now();
        let mut excess = self.bytes.saturating_sub(limits.room_bytes);
        while excess > 0 || self.open.len() + more > limits.rooms {
            let in_use = |entry: &Entry| now.duration_since(entry.used_at) < IN_USE;
            match self.open.peek_lru() {
                Some((_, entry)) if !(entry.handle.is_open() && in_use(entry)) => {}
                _ => break,
            }
            let Some((_, entry)) = self.open.pop_lru() else { break };
            entry.handle.leave.cancel();
            excess = excess.saturating_sub(entry.bytes);
            self.leaving += 1;
        }
        self.bytes <= limits.room_bytes && self.open.len() + self.leaving + more <= limits.rooms
    }

    /// Counts what a room holds now instead of what it held.
    fn resize(&mut self, document: DocumentId, number: u64, was: usize, is: usize) {
        self.bytes = self.bytes - was + is;
        if let Some(entry) = self.open.peek_mut(&document)
            && entry.handle.number == number
        {
            entry.bytes = is;
        }
    }

    fn remove(&mut self, document: DocumentId, number: u64, bytes: usize) {
        self.bytes -= bytes;
        // Another room may be open in its place by now.
        if self.open.peek(&document).is_some_and(|entry| entry.handle.number == number) {
            self.open.pop(&document);
        } else {
            self.leaving = self.leaving.saturating_sub(1);
        }
    }
}

impl Handle {
    fn is_open(&self) -> bool {
        !self.commands.is_closed() && !self.leave.is_cancelled()
    }
}

impl Footprint {
    /// Reports the bytes that the room holds now.
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

/// The refusal of a command while the process shuts down.
pub(super) fn shutting_down() -> Error {
    Error::Unavailable(crate::error::Internal::new("shutting down"))
}
