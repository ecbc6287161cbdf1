//! Rechecking rights for long-lived connections: a socket holds a handle and must notice when the
//! right behind it may have ended (DESIGN §1).

use super::Documents;
use crate::{principal::Principal, storage::BusEvent};
use izanagi_shared::id::DocumentId;
use std::time::Duration;
use tokio::{
    sync::broadcast::{self, error::RecvError},
    time::{Instant, sleep_until},
};

/// Rights are rechecked at this interval even without an event.
const RENEW_AFTER: Duration = Duration::from_secs(1);

/// Watches one caller's right to one document.
pub struct RightWatch {
    events: broadcast::Receiver<BusEvent>,
    who: Principal,
    document: DocumentId,
    renew_at: Instant,
}

impl std::fmt::Debug for RightWatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RightWatch").field("document", &self.document).finish_non_exhaustive()
    }
}

impl Documents {
    /// Starts watching. Create the watch before taking the handle, so that no change is missed.
    #[must_use]
    pub fn watch(&self, who: &Principal, document: DocumentId) -> RightWatch {
        let (events, who) = (self.core.stores.bus.subscribe(), who.clone());
        RightWatch { events, who, document, renew_at: Instant::now() + RENEW_AFTER }
    }

    /// Tells every holder of a right to this document to recheck it.
    pub(super) fn announce(&self, document: DocumentId) {
        self.core.stores.bus.publish(BusEvent::DocumentChanged(document));
    }
}

impl RightWatch {
    /// Completes when the right must be rechecked: on a relevant event or after one second. The
    /// caller then takes a new handle or closes the connection.
    pub async fn changed(&mut self) {
        loop {
            tokio::select! {
                event = self.events.recv() => match event {
                    Ok(event) if !self.concerns(event) => {}
                    Ok(_) | Err(RecvError::Lagged(_)) => break,
                    // Without a bus, only the interval remains.
                    Err(RecvError::Closed) => {
                        sleep_until(self.renew_at).await;
                        break;
                    }
                },
                () = sleep_until(self.renew_at) => break,
            }
        }
        self.renew_at = Instant::now() + RENEW_AFTER;
    }

    fn concerns(&self, event: BusEvent) -> bool {
        match event {
            BusEvent::DocumentChanged(document) => document == self.document,
            BusEvent::SessionEnded(session) => self.who.session() == Some(session),
            BusEvent::UserChanged(user) => self.who.user() == Some(user),
        }
    }
}
