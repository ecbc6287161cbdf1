//! A bus for a single node.

use izanagi_domain::storage::{Bus, BusEvent};
use tokio::sync::broadcast;

/// Number of events a slow subscriber may lag behind.
const CAPACITY: usize = 1_024;

/// A bus within this process.
pub(crate) struct ProcessBus(broadcast::Sender<BusEvent>);

impl Default for ProcessBus {
    fn default() -> Self {
        Self(broadcast::channel(CAPACITY).0)
    }
}

impl Bus for ProcessBus {
    fn publish(&self, event: BusEvent) {
        // An error means that there are no subscribers.
        let _ = self.0.send(event);
    }

    fn subscribe(&self) -> broadcast::Receiver<BusEvent> {
        self.0.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use izanagi_shared::id::DocumentId;
    use tokio::sync::broadcast::error::RecvError;
    use uuid::Uuid;

    fn event(number: u128) -> BusEvent {
        BusEvent::DocumentChanged { document: DocumentId(Uuid::from_u128(number)), by: None }
    }

    #[tokio::test]
    async fn every_subscriber_hears_every_event() {
        let bus = ProcessBus::default();
        bus.publish(event(0));
        let (mut a, mut b) = (bus.subscribe(), bus.subscribe());
        bus.publish(event(1));
        assert_eq!((a.recv().await, b.recv().await), (Ok(event(1)), Ok(event(1))));
    }

    #[tokio::test]
    async fn a_slow_subscriber_learns_that_it_lags() {
        let bus = ProcessBus::default();
        let mut slow = bus.subscribe();
        for number in 0..=CAPACITY as u128 {
            bus.publish(event(number));
        }
        assert!(matches!(slow.recv().await, Err(RecvError::Lagged(_))));
    }
}
