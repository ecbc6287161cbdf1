//! The bus: notifies all nodes of changes. Delivery is not guaranteed, and events can arrive twice or
//! in another order: consumers also poll (DESIGN §6).

use izanagi_shared::id::{ActorId, DocumentId, SessionId, UserId};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tokio::sync::broadcast;
use uuid::Uuid;

/// A running process, drawn anew at each start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub Uuid);

/// A change that other parts of the system should learn of soon. What is true now is in the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum BusEvent {
    /// The details, owners, versions or trash state of a document changed, and so possibly rights to it.
    DocumentChanged {
        /// The document.
        document: DocumentId,
        /// Who changed it, if that is known.
        by: Option<ActorId>,
    },
    /// A session ended.
    SessionEnded(SessionId),
    /// An account was deactivated or deleted, or its role changed.
    UserChanged(UserId),
    /// The live log of a document has grown.
    DocumentEdited {
        /// The document.
        document: DocumentId,
        /// The newest seq that the sender knows.
        seq: u64,
    },
    /// States of presence clients that are connected to a node.
    Presence(Arc<NodePresence>),
    /// A node wants to know who is present at the other nodes.
    PresenceWanted {
        /// The node that asks.
        node: NodeId,
        /// The document.
        document: DocumentId,
    },
    /// Events may have been lost: anything may have changed.
    Lagged,
}

/// States of presence clients that are connected to a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodePresence {
    /// The node.
    pub node: NodeId,
    /// The document.
    pub document: DocumentId,
    /// Some or all of its clients, or clients that have left.
    pub clients: Vec<ClientPresence>,
}

/// The newest state of one presence client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientPresence {
    /// The client's id.
    pub client: u64,
    /// Increases with every state of the client.
    pub clock: u32,
    /// Who presents it.
    pub actor: Option<ActorId>,
    /// JSON; `None` if the client has left.
    pub state: Option<String>,
}

/// A stream of events. Presence is frequent and must not displace what rights depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BusTopic {
    /// Changes of documents, sessions and accounts.
    Rights,
    /// Edits and presence.
    Live,
}

impl BusEvent {
    /// The topic of the event; `None` if it concerns all.
    #[must_use]
    pub const fn topic(&self) -> Option<BusTopic> {
        match self {
            Self::DocumentChanged { .. } | Self::SessionEnded(_) | Self::UserChanged(_) => {
                Some(BusTopic::Rights)
            }
            Self::DocumentEdited { .. } | Self::Presence(_) | Self::PresenceWanted { .. } => {
                Some(BusTopic::Live)
            }
            Self::Lagged => None,
        }
    }
}

/// The bus.
pub trait Bus: Send + Sync {
    /// Publishes an event to all subscribers. Never waits; an event that cannot be sent is dropped.
    fn publish(&self, event: BusEvent);
    /// Subscribes to events of a topic from now on. A subscriber that is too slow gets
    /// `RecvError::Lagged`; after a gap in the connection to other nodes it gets
    /// [`BusEvent::Lagged`]. In both cases it must assume that anything may have changed.
    fn subscribe(&self, topic: BusTopic) -> broadcast::Receiver<BusEvent>;
}

/// Delivers events to subscribers in this process.
#[derive(Debug)]
pub struct LocalBus {
    rights: broadcast::Sender<BusEvent>,
    live: broadcast::Sender<BusEvent>,
}

impl LocalBus {
    /// Number of events that a slow subscriber may lag behind.
    pub const CAPACITY: usize = 1_024;
}

impl Default for LocalBus {
    fn default() -> Self {
        let sender = || broadcast::channel(Self::CAPACITY).0;
        Self { rights: sender(), live: sender() }
    }
}

impl Bus for LocalBus {
    fn publish(&self, event: BusEvent) {
        // Errors mean that there are no subscribers.
        match event.topic() {
            Some(BusTopic::Rights) => drop(self.rights.send(event)),
            Some(BusTopic::Live) => drop(self.live.send(event)),
            None => {
                drop(self.rights.send(event.clone()));
                drop(self.live.send(event));
            }
        }
    }

    fn subscribe(&self, topic: BusTopic) -> broadcast::Receiver<BusEvent> {
        match topic {
            BusTopic::Rights => self.rights.subscribe(),
            BusTopic::Live => self.live.subscribe(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::broadcast::error::RecvError;

    fn event(number: u128) -> BusEvent {
        BusEvent::DocumentChanged { document: DocumentId(Uuid::from_u128(number)), by: None }
    }

    fn edited(seq: u64) -> BusEvent {
        BusEvent::DocumentEdited { document: DocumentId(Uuid::nil()), seq }
    }

    #[tokio::test]
    async fn every_subscriber_hears_every_event_of_its_topic() {
        let bus = LocalBus::default();
        bus.publish(event(0));
        let (mut a, mut b) = (bus.subscribe(BusTopic::Rights), bus.subscribe(BusTopic::Rights));
        let mut live = bus.subscribe(BusTopic::Live);
        bus.publish(event(1));
        bus.publish(edited(7));
        bus.publish(BusEvent::Lagged);
        assert_eq!((a.recv().await, b.recv().await), (Ok(event(1)), Ok(event(1))));
        assert_eq!(a.recv().await, Ok(BusEvent::Lagged));
        assert_eq!((live.recv().await, live.recv().await), (Ok(edited(7)), Ok(BusEvent::Lagged)));
    }

    #[tokio::test]
    async fn a_slow_subscriber_learns_that_it_lags_and_presence_displaces_no_rights() {
        let bus = LocalBus::default();
        let (mut rights, mut live) =
            (bus.subscribe(BusTopic::Rights), bus.subscribe(BusTopic::Live));
        bus.publish(event(1));
        for seq in 0..=LocalBus::CAPACITY as u64 {
            bus.publish(edited(seq));
        }
        assert!(matches!(live.recv().await, Err(RecvError::Lagged(_))));
        assert_eq!(rights.recv().await, Ok(event(1)));
    }
}
