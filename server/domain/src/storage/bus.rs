//! The bus: notifies all nodes of changes. Delivery is not guaranteed: consumers also poll
//! occasionally (DESIGN §6).

use izanagi_shared::id::{ActorId, DocumentId, SessionId, UserId};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

/// A change that other parts of the system should learn of soon. What is true now is in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
}

/// The bus.
pub trait Bus: Send + Sync {
    /// Publishes an event to all subscribers.
    fn publish(&self, event: BusEvent);
    /// Subscribes to events from now on. A subscriber that is too slow gets `Lagged` and must
    /// assume that anything may have changed.
    fn subscribe(&self) -> broadcast::Receiver<BusEvent>;
}
