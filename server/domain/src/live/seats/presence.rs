//! Who is there: the newest state of each presence client of a room (y-protocols, awareness).

use super::{PresenceUpdate, SeatId};
use izanagi_shared::id::ActorId;
use lru::LruCache;
use std::{collections::BTreeMap, num::NonZeroUsize, sync::Arc};

/// Clients that one seat may present. A browser presents one.
const CLIENTS_OF_SEAT: usize = 16;

/// Clients that are remembered after they have left.
const REMEMBERED: usize = 256;

/// The newest state of each presence client.
pub(super) struct Presence {
    here: BTreeMap<u64, Present>,
    /// Clients that have left, with their last clocks. Clients of y-websocket send back the states of
    /// others, late ones too, which would bring back a client that has left.
    left: LruCache<u64, Arc<PresenceUpdate>>,
    /// Bytes of all states.
    bytes: usize,
}

struct Present {
    seat: SeatId,
    actor: Option<ActorId>,
    state: Arc<PresenceUpdate>,
}

impl Default for Presence {
    fn default() -> Self {
        // `new` would allocate for all of them, in every room.
        let mut left = LruCache::unbounded();
        left.resize(NonZeroUsize::new(REMEMBERED).unwrap_or(NonZeroUsize::MIN));
        Self { here: BTreeMap::new(), left, bytes: 0 }
    }
}

impl Presence {
    /// The clients that are there.
    pub(super) fn clients(&self) -> impl Iterator<Item = u64> {
        self.here.keys().copied()
    }

    /// The newest state of a client.
    pub(super) fn newest(&self, client: u64) -> Option<Arc<PresenceUpdate>> {
        let here = self.here.get(&client).map(|present| &present.state);
        here.or_else(|| self.left.peek(&client)).cloned()
    }

    /// Whether the client was here and has left.
    pub(super) fn has_left(&self, client: u64) -> bool {
        self.left.contains(&client)
    }

    /// Takes a state; returns whether it is newer than what was known.
    pub(super) fn take(
        &mut self,
        seat: SeatId,
        actor: Option<ActorId>,
        update: PresenceUpdate,
    ) -> bool {
        let PresenceUpdate { client, clock, .. } = update;
        match self.here.get(&client) {
            Some(present) => {
                let known = present.state.clock;
                // After an interruption, the same person comes back on another seat, while the server
                // may not have noticed yet that the first one is dead.
                let moves = actor.is_some() && present.actor == actor && clock > known;
                let is_newer = clock > known || (clock == known && update.state.is_none());
                if !is_newer || (present.seat != seat && !moves) {
                    return false;
                }
            }
            None => {
                let is_known = self.left.peek(&client).is_some_and(|left| left.clock >= clock);
                let own = self.here.values().filter(|present| present.seat == seat).count();
                if update.state.is_none() || is_known || own >= CLIENTS_OF_SEAT {
                    return false;
                }
            }
        }
        if let Some(before) = self.here.remove(&client) {
            self.bytes -= bytes(&before.state);
        }
        let state = Arc::new(update);
        if state.state.is_none() {
            self.left.put(client, state);
        } else {
            self.left.pop(&client);
            self.bytes += bytes(&state);
            self.here.insert(client, Present { seat, actor, state });
        }
        true
    }

    /// Removes the clients of a seat, and returns them.
    pub(super) fn leave(&mut self, seat: SeatId) -> Vec<u64> {
        let gone: Vec<_> = self.here.extract_if(.., |_, present| present.seat == seat).collect();
        let mut clients = Vec::with_capacity(gone.len());
        for (client, Present { state, .. }) in gone {
            self.bytes -= bytes(&state);
            self.left.put(client, Arc::new(PresenceUpdate::new(client, state.clock, None)));
            clients.push(client);
        }
        clients
    }

    /// Returns the estimated memory, in bytes.
    pub(super) fn memory(&self) -> usize {
        const ENTRY: usize = 2 * size_of::<PresenceUpdate>();
        self.bytes + (self.here.len() + self.left.len()) * ENTRY
    }
}

/// Of the state, and of its frames in both protocols.
fn bytes(update: &PresenceUpdate) -> usize {
    3 * update.state.as_ref().map_or(0, |state| state.len())
}
