//! Presence across nodes: each tells the others of the clients that are connected to it, again and
//! again, so that a lost message or a dead node shows for half a minute at most.

use super::{PresenceUpdate, Seats, presence::Holder};
use crate::storage::{Bus, BusEvent, ClientPresence, NodeId, NodePresence};
use izanagi_shared::id::DocumentId;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// Bytes of states in one message.
const MESSAGE_BYTES: usize = 64 * 1024;
/// Answers to the other nodes are at least this far apart: one is heard by all that have asked.
const ANSWER_EVERY: Duration = Duration::from_secs(1);
/// Clients in one message.
const MESSAGE_CLIENTS: usize = 256;

/// The way to the rooms of a document on other nodes.
#[derive(Clone)]
pub(in crate::live) struct Abroad {
    pub(in crate::live) bus: Arc<dyn Bus>,
    pub(in crate::live) node: NodeId,
    pub(in crate::live) document: DocumentId,
    /// Maximum size of the presence of a client, in bytes.
    pub(in crate::live) presence_bytes: usize,
}

impl Abroad {
    /// Asks who is present elsewhere.
    pub(super) fn ask(&self) {
        let Self { node, document, .. } = *self;
        self.bus.publish(BusEvent::PresenceWanted { node, document });
    }

    /// Tells the other nodes of clients of this one.
    pub(super) fn tell(&self, clients: impl IntoIterator<Item = ClientPresence>) {
        let (mut message, mut bytes) = (Vec::new(), 0);
        for client in clients {
            let size = client.state.as_ref().map_or(0, String::len);
            if message.len() == MESSAGE_CLIENTS || bytes + size > MESSAGE_BYTES {
                self.publish(std::mem::take(&mut message));
                bytes = 0;
            }
            message.push(client);
            bytes += size;
        }
        self.publish(message);
    }

    fn publish(&self, clients: Vec<ClientPresence>) {
        if !clients.is_empty() {
            let Self { node, document, .. } = *self;
            let presence = Arc::new(NodePresence { node, document, clients });
            self.bus.publish(BusEvent::Presence(presence));
        }
    }
}

impl Seats {
    /// Takes what another node tells of its clients.
    pub(in crate::live) fn present_elsewhere(&self, presence: &NodePresence) {
        let mut state = self.state.lock();
        let holder = Holder::Node(presence.node);
        let mut changed = Vec::new();
        for ClientPresence { client, clock, actor, state: text } in &presence.clients {
            let text = text.as_deref();
            if text.is_some_and(|text| text.len() > self.abroad.presence_bytes) {
                continue;
            }
            let update = PresenceUpdate::new(*client, *clock, text.map(Into::into));
            if state.presence.take(holder, *actor, update) {
                changed.push(*client);
            }
        }
        state.tell_of(&changed);
    }

    /// Tells the other nodes who is present here.
    pub(in crate::live) fn tell_elsewhere(&self) {
        let state = self.state.lock();
        self.abroad.tell(state.presence.own());
    }

    /// Returns when to answer the question who is present here; nothing if another answer is due.
    pub(in crate::live) fn answer_at(&self) -> Option<Instant> {
        let (now, mut state) = (Instant::now(), self.state.lock());
        let at = state.answer_at.map_or(now, |last| now.max(last + ANSWER_EVERY));
        if state.answer_at.is_some_and(|due| due > now) {
            return None;
        }
        state.answer_at = Some(at);
        Some(at)
    }

    /// Asks the other nodes who is present there, if anyone is connected here.
    pub(in crate::live) fn ask_elsewhere(&self) {
        if self.are_taken() {
            self.abroad.ask();
        }
    }

    /// Removes the clients of nodes that are silent.
    pub(in crate::live) fn expire_elsewhere(&self) {
        let mut state = self.state.lock();
        let gone = state.presence.expire();
        state.tell_of(&gone);
    }
}
