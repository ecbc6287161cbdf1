//! What other nodes tell of open rooms. The bus is a hint: a room also looks at the log by itself
//! ([`Room::look`](super::room::Room::look)), so a lost event only costs time.

use super::open_rooms::OpenRooms;
use crate::{
    contained::contained,
    storage::{Bus, BusEvent, BusTopic, NodeId},
};
use futures::future::OptionFuture;
use izanagi_shared::id::DocumentId;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{
        Notify,
        broadcast::{Receiver, error::RecvError},
    },
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

/// Other nodes are told this often who is present here.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// Seq of an event that does not say one.
const UNKNOWN: u64 = u64::MAX;

/// What a room has heard of its document's log and not looked at yet.
#[derive(Debug, Default)]
pub(super) struct Heard {
    seq: AtomicU64,
    wake: Notify,
}

impl Heard {
    fn of(&self, seq: u64) {
        self.seq.fetch_max(seq, Ordering::Relaxed);
        self.wake.notify_one();
    }

    /// Waits until there is something.
    pub(super) async fn something(&self) {
        self.wake.notified().await;
    }

    /// Returns the highest seq, once.
    pub(super) fn take(&self) -> u64 {
        self.seq.swap(0, Ordering::Relaxed)
    }
}

/// Passes events on to open rooms, until the process stops.
pub(super) struct Ear {
    pub(super) open: OpenRooms,
    pub(super) bus: Arc<dyn Bus>,
    pub(super) node: NodeId,
    pub(super) stop: CancellationToken,
    /// Whether something about who is elsewhere was lost.
    pub(super) asks: bool,
}

impl Ear {
    pub(super) async fn listen(mut self) {
        let mut events = self.bus.subscribe(BusTopic::Live);
        let mut is_on_bus = true;
        // `None` while nobody is here. The first seat of a room asks who is elsewhere, which is heard
        // here too.
        let mut tell_at = None;
        let stop = self.stop.clone();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                event = next(&mut events), if is_on_bus => match event {
                    Some(event) => {
                        tell_at = tell_at.or_else(|| Some(Instant::now() + TELL_EVERY));
                        // A panic in one room must not make the others deaf.
                        let heard = contained(async {
                            self.hear(event);
                            Ok(())
                        });
                        drop(heard.await);
                    }
                    None => is_on_bus = false,
                },
                Some(()) = OptionFuture::from(tell_at.map(sleep_until)) => {
                    let asks = std::mem::take(&mut self.asks);
                    tell_at = self.tell(asks).then(|| Instant::now() + TELL_EVERY);
                }
            }
        }
    }

    /// Tells the other nodes who is here, and asks who is there; returns whether anybody is here.
    fn tell(&self, asks: bool) -> bool {
        let mut is_anybody_here = false;
        for (seats, _) in self.open.listeners() {
            if seats.are_taken() {
                is_anybody_here = true;
                seats.expire_elsewhere();
                seats.tell_elsewhere();
                if asks {
                    seats.ask_elsewhere();
                }
            }
        }
        is_anybody_here
    }

    fn hear(&mut self, event: BusEvent) {
        match event {
            BusEvent::DocumentEdited { document, seq } => self.edited(document, seq),
            BusEvent::Presence(presence) if presence.node != self.node => {
                if let Some((seats, _)) = self.open.listener(presence.document) {
                    seats.present_elsewhere(&presence);
                }
            }
            BusEvent::PresenceWanted { node, document } if node != self.node => {
                if let Some((seats, _)) = self.open.listener(document)
                    && let Some(at) = seats.answer_at()
                {
                    tokio::spawn(async move {
                        sleep_until(at).await;
                        seats.tell_elsewhere();
                    });
                }
            }
            BusEvent::Lagged => {
                for (_, heard) in self.open.listeners() {
                    heard.of(UNKNOWN);
                }
                // Not at once: many rooms would fill the bus again, and this would be told so again.
                self.asks = true;
            }
            // Those of this node, and of the other topic.
            BusEvent::Presence(_)
            | BusEvent::PresenceWanted { .. }
            | BusEvent::DocumentChanged { .. }
            | BusEvent::SessionEnded(_)
            | BusEvent::UserChanged(_) => {}
        }
    }

    fn edited(&self, document: DocumentId, seq: u64) {
        if let Some((_, heard)) = self.open.listener(document) {
            heard.of(seq);
        }
    }
}

/// Returns the next event; `None` if there will be no more.
async fn next(events: &mut Receiver<BusEvent>) -> Option<BusEvent> {
    match events.recv().await {
        Ok(event) => Some(event),
        Err(RecvError::Lagged(_)) => Some(BusEvent::Lagged),
        Err(RecvError::Closed) => None,
    }
}
