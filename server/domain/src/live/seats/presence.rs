//! Who is there: the newest state of each presence client of a room (y-protocols, awareness), of the
//! seats here and of those on other nodes.

use super::{PresenceUpdate, SeatId};
use crate::storage::{ClientPresence, NodeId};
use izanagi_shared::id::ActorId;
use lru::LruCache;
use std::{collections::BTreeMap, num::NonZeroUsize, sync::Arc, time::Duration};
use tokio::time::Instant;

/// Clients that one seat may present. A browser presents one.
const CLIENTS_OF_SEAT: usize = 16;

/// Clients of all other nodes.
const CLIENTS_ELSEWHERE: usize = 2_000;

/// Clients that are remembered after they have left.
const REMEMBERED: usize = 256;

/// A client of another node is gone when its node has not told of it for this long.
const SILENT_FOR: Duration = Duration::from_secs(30);

/// Where a client is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holder {
    /// To a seat of this room.
    Seat(SeatId),
    /// To another node.
    Node(NodeId),
}

/// The newest state of each presence client.
pub(super) struct Presence {
    here: BTreeMap<u64, Present>,
    /// Clients that have left, with their last clocks. Clients of y-websocket send back the states of
    /// others, late ones too, which would bring back a client that has left.
    left: LruCache<u64, Left>,
    /// Bytes of all states.
    bytes: usize,
    /// Clients of other nodes.
    elsewhere: usize,
}

struct Present {
    holder: Holder,
    actor: Option<ActorId>,
    state: Arc<PresenceUpdate>,
    heard_at: Instant,
}

struct Left {
    state: Arc<PresenceUpdate>,
    /// Its node fell silent, so the same state may return.
    may_return: bool,
}

impl Default for Presence {
    fn default() -> Self {
        // `new` would allocate for all of them, in every room.
        let mut left = LruCache::unbounded();
        left.resize(NonZeroUsize::new(REMEMBERED).unwrap_or(NonZeroUsize::MIN));
        Self { here: BTreeMap::new(), left, bytes: 0, elsewhere: 0 }
    }
}

impl Presence {
    /// The clients that are there.
    pub(super) fn clients(&self) -> impl Iterator<Item = u64> {
        self.here.keys().copied()
    }

    /// The newest states of the clients that are connected here.
    pub(super) fn own(&self) -> impl Iterator<Item = ClientPresence> {
        let own = self.here.values().filter(|present| matches!(present.holder, Holder::Seat(_)));
        own.map(|present| told(&present.state, present.actor))
    }

    /// The newest state of a client.
    pub(super) fn newest(&self, client: u64) -> Option<Arc<PresenceUpdate>> {
        let here = self.here.get(&client).map(|present| &present.state);
        here.or_else(|| self.left.peek(&client).map(|left| &left.state)).cloned()
    }

    /// Whether the client was here and has left.
    pub(super) fn has_left(&self, client: u64) -> bool {
        self.left.contains(&client)
    }

    /// Takes a state; returns whether it is newer than what was known.
    pub(super) fn take(
        &mut self,
        holder: Holder,
        actor: Option<ActorId>,
        update: PresenceUpdate,
    ) -> bool {
        let PresenceUpdate { client, clock, .. } = update;
        let heard_at = Instant::now();
        match self.here.get_mut(&client) {
            Some(present) => {
                let known = present.state.clock;
                if present.holder == holder {
                    present.heard_at = heard_at;
                }
                // After an interruption, the same person comes back on another seat or node, while
                // the server may not have noticed yet that the first one is dead.
                let moves = actor.is_some() && present.actor == actor && clock > known;
                let is_newer = clock > known || (clock == known && update.state.is_none());
                if !is_newer || (present.holder != holder && !moves) {
                    return false;
                }
            }
            None => {
                let is_known = self.left.peek(&client).is_some_and(|left| {
                    left.state.clock > clock || (left.state.clock == clock && !left.may_return)
                });
                if update.state.is_none() || is_known || self.is_full(holder) {
                    return false;
                }
            }
        }
        self.remove(client);
        let state = Arc::new(update);
        if state.state.is_none() {
            self.left.put(client, Left { state, may_return: false });
        } else {
            self.left.pop(&client);
            self.bytes += bytes(&state);
            self.elsewhere += usize::from(matches!(holder, Holder::Node(_)));
            self.here.insert(client, Present { holder, actor, state, heard_at });
        }
        true
    }

    /// Removes the clients of a seat; returns them as those who have left.
    pub(super) fn leave(&mut self, seat: SeatId) -> Vec<ClientPresence> {
        self.leave_if(false, |present| present.holder == Holder::Seat(seat))
    }

    /// Removes the clients of nodes that are silent; returns them.
    pub(super) fn expire(&mut self) -> Vec<u64> {
        let is_gone = |present: &Present| {
            matches!(present.holder, Holder::Node(_)) && present.heard_at.elapsed() >= SILENT_FOR
        };
        self.leave_if(true, is_gone).into_iter().map(|gone| gone.client).collect()
    }

    fn leave_if(
        &mut self,
        may_return: bool,
        is_gone: impl Fn(&Present) -> bool,
    ) -> Vec<ClientPresence> {
        let here = self.here.iter().filter(|(_, present)| is_gone(present));
        let gone: Vec<u64> = here.map(|(client, _)| *client).collect();
        let mut left = Vec::with_capacity(gone.len());
        for client in gone {
            let Some(Present { state, actor, .. }) = self.remove(client) else { continue };
            let state = Arc::new(PresenceUpdate::new(client, state.clock, None));
            left.push(told(&state, actor));
            self.left.put(client, Left { state, may_return });
        }
        left
    }

    fn remove(&mut self, client: u64) -> Option<Present> {
        let present = self.here.remove(&client)?;
        self.bytes -= bytes(&present.state);
        self.elsewhere -= usize::from(matches!(present.holder, Holder::Node(_)));
        Some(present)
    }

    /// Whether a holder may present no further clients.
    fn is_full(&self, holder: Holder) -> bool {
        match holder {
            Holder::Seat(_) => {
                let own = self.here.values().filter(|present| present.holder == holder);
                own.count() >= CLIENTS_OF_SEAT
            }
            Holder::Node(_) => self.elsewhere >= CLIENTS_ELSEWHERE,
        }
    }

    /// Returns the estimated memory, in bytes.
    pub(super) fn memory(&self) -> usize {
        const ENTRY: usize = 2 * size_of::<PresenceUpdate>();
        self.bytes + (self.here.len() + self.left.len()) * ENTRY
    }
}

/// A state as other nodes are told of it.
fn told(state: &PresenceUpdate, actor: Option<ActorId>) -> ClientPresence {
    let PresenceUpdate { client, clock, state, .. } = state;
    ClientPresence {
        client: *client,
        clock: *clock,
        actor,
        state: state.as_deref().map(str::to_owned),
    }
}

/// Of the state, and of its frames in both protocols.
fn bytes(update: &PresenceUpdate) -> usize {
    3 * update.state.as_ref().map_or(0, |state| state.len())
}
