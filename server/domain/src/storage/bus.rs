//! The bus: tells the other parts of the system, on every node, what has changed. It is a hint: an
//! event may be lost, and every consumer also looks for itself now and then (DESIGN §6).

use izanagi_shared::id::{DocumentId, SessionId, UserId};
use tokio::sync::broadcast;

/// A change that others must hear of soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BusEvent {
    /// A document's details, owners or state of deletion changed: rights to it may have, too.
    DocumentChanged(DocumentId),
    /// A session ended.
    SessionEnded(SessionId),
    /// An account was deactivated or deleted, or its role changed.
    UserChanged(UserId),
}

/// The bus.
pub trait Bus: Send + Sync {
    /// Tells all subscribers of an event, if there are any.
    fn publish(&self, event: BusEvent);
    /// The events from now on. A subscriber that is too slow gets `Lagged` and must assume that
    /// anything may have changed.
    fn subscribe(&self) -> broadcast::Receiver<BusEvent>;
}
