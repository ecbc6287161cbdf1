//! The bus over Redis' publish and subscribe. Events of this node are delivered to it at once, without
//! Redis. Messages are numbered, so that a node notices when it has missed some.

use super::{backoff::Backoff, config::RedisPlace, connection::Connection, envelope};
use futures::StreamExt as _;
use izanagi_domain::{
    log_rate::LogRate,
    storage::{Bus, BusEvent, BusTopic, Ids, LocalBus, NodeId},
};
use lru::LruCache;
use parking_lot::Mutex;
use redis::{Client, aio::PubSub, pipe};
use std::{
    num::NonZeroUsize,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{broadcast, mpsc},
    task::{AbortHandle, JoinHandle},
    time::{sleep, timeout},
};

/// Events of a topic that wait to be sent.
const QUEUE: usize = 1_024;
/// Events that are sent at once.
const TOGETHER: usize = 64;
/// Sending takes at most this long.
const SEND_LIMIT: Duration = Duration::from_secs(1);
/// At the end, sending what is queued takes at most this long.
const CLOSE_LIMIT: Duration = Duration::from_millis(500);
/// Connecting and subscribing take at most this long.
const SUBSCRIBE_LIMIT: Duration = Duration::from_secs(2);
/// A subscription without messages is asked this often whether it still works.
const QUIET: Duration = Duration::from_secs(2);
/// It has this long to answer.
const PING_LIMIT: Duration = Duration::from_secs(1);
/// Nodes whose numbers are remembered.
const NODES: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1_023);

static DROPPED: LazyLock<LogRate> = LazyLock::new(LogRate::default);
static FOREIGN: LazyLock<LogRate> = LazyLock::new(LogRate::default);
static BROKEN: LazyLock<LogRate> = LazyLock::new(LogRate::default);

/// A bus that reaches the processes with the same Redis and prefix.
pub(crate) struct RedisBus {
    local: Arc<LocalBus>,
    /// `None` once it is closed.
    queues: Mutex<Option<Queues>>,
    dropped: Arc<AtomicU64>,
    sending: Mutex<Option<JoinHandle<()>>>,
    receiving: AbortHandle,
}

/// The ways to the task that sends.
struct Queues {
    rights: mpsc::Sender<BusEvent>,
    live: mpsc::Sender<BusEvent>,
}

impl RedisBus {
    /// Begins to send and to receive.
    pub(crate) fn start(
        connection: Arc<Connection>,
        client: Client,
        place: &RedisPlace,
        ids: &Arc<dyn Ids>,
    ) -> Arc<Self> {
        let (local, dropped) = (Arc::new(LocalBus::default()), Arc::new(AtomicU64::new(0)));
        let (node, channel) = (NodeId(ids.uuid()), place.key("bus"));
        let (rights, rights_queue) = mpsc::channel(QUEUE);
        let (live, live_queue) = mpsc::channel(QUEUE);
        let sender = Sender {
            connection,
            channel: channel.clone(),
            node,
            number: 0,
            dropped: Arc::clone(&dropped),
        };
        let receiver = Receiver {
            client,
            channel,
            node,
            local: Arc::clone(&local),
            numbers: LruCache::new(NODES),
        };
        let sending = tokio::spawn(sender.send_all(rights_queue, live_queue));
        let receiving = tokio::spawn(receiver.receive_all(Backoff::new(Arc::clone(ids))));
        let (queues, sending) = (Some(Queues { rights, live }), Some(sending));
        let (queues, sending) = (Mutex::new(queues), Mutex::new(sending));
        Arc::new(Self { local, queues, dropped, sending, receiving: receiving.abort_handle() })
    }

    /// Sends what is queued, such as who leaves with this node, and ends both tasks.
    pub(crate) async fn close(&self) {
        self.receiving.abort();
        drop(self.queues.lock().take());
        let sending = self.sending.lock().take();
        if let Some(mut sending) = sending
            && timeout(CLOSE_LIMIT, &mut sending).await.is_err()
        {
            sending.abort();
        }
    }
}

impl Drop for RedisBus {
    fn drop(&mut self) {
        self.receiving.abort();
    }
}

impl Bus for RedisBus {
    fn publish(&self, event: BusEvent) {
        self.local.publish(event.clone());
        let queues = self.queues.lock();
        let queue = match (&*queues, event.topic()) {
            (Some(queues), Some(BusTopic::Rights)) => &queues.rights,
            (Some(queues), Some(BusTopic::Live)) => &queues.live,
            // It is closed, or the event says something about this node alone.
            (None, _) | (_, None) => return,
        };
        let sent = queue.try_send(event);
        drop(queues);
        if sent.is_err() {
            note_dropped(&self.dropped, 1);
        }
    }

    fn subscribe(&self, topic: BusTopic) -> broadcast::Receiver<BusEvent> {
        self.local.subscribe(topic)
    }
}

fn note_dropped(dropped: &AtomicU64, count: u64) {
    dropped.fetch_add(count, Ordering::Relaxed);
    if let Some(omitted) = DROPPED.admit() {
        tracing::warn!(
            count,
            omitted,
            "events were not sent to other nodes; they learn of the changes from the database"
        );
    }
}

/// Sends the events of this node.
struct Sender {
    connection: Arc<Connection>,
    channel: String,
    node: NodeId,
    /// Of the last message.
    number: u64,
    /// Events that were dropped since the last message.
    dropped: Arc<AtomicU64>,
}

impl Sender {
    async fn send_all(
        mut self,
        mut rights: mpsc::Receiver<BusEvent>,
        mut live: mpsc::Receiver<BusEvent>,
    ) {
        let mut events = Vec::with_capacity(TOGETHER);
        loop {
            let first = tokio::select! {
                biased;
                Some(event) = rights.recv() => Some(event),
                Some(event) = live.recv() => Some(event),
                else => None,
            };
            let Some(first) = first else { return };
            events.push(first);
            while events.len() < TOGETHER
                && let Ok(event) = rights.try_recv().or_else(|_| live.try_recv())
            {
                events.push(event);
            }
            self.send(&mut events).await;
        }
    }

    /// Sends events. What cannot be sent now is dropped: it would be old news later. The next message
    /// shows the gap by its number.
    async fn send(&mut self, events: &mut Vec<BusEvent>) {
        self.number += self.dropped.swap(0, Ordering::Relaxed);
        let count = events.len() as u64;
        let mut messages = pipe();
        for event in events.drain(..) {
            self.number += 1;
            if let Some(message) = envelope::encode(self.node, self.number, event) {
                messages.cmd("PUBLISH").arg(&self.channel).arg(message).ignore();
            }
        }
        let sent = self.connection.run(SEND_LIMIT, |mut redis| async move {
            messages.query_async::<()>(&mut redis).await
        });
        if sent.await.is_err() {
            note_dropped(&self.dropped, 0);
            tracing::debug!(count, "events were not sent");
        }
    }
}

/// Receives the events of other nodes.
struct Receiver {
    client: Client,
    channel: String,
    node: NodeId,
    local: Arc<LocalBus>,
    /// The number of the last message of each node.
    numbers: LruCache<NodeId, u64>,
}

impl Receiver {
    async fn receive_all(mut self, mut backoff: Backoff) {
        loop {
            let error = match self.subscribe().await {
                Ok(subscription) => {
                    backoff.reset();
                    self.numbers.clear();
                    // Whatever was sent before was not received.
                    self.local.publish(BusEvent::Lagged);
                    self.receive(subscription).await;
                    "the subscription has ended".to_owned()
                }
                Err(error) => error,
            };
            if let Some(omitted) = BROKEN.admit() {
                tracing::warn!(
                    error,
                    omitted,
                    "events of other nodes are not received; their changes are read from the database"
                );
            }
            sleep(backoff.next()).await;
        }
    }

    async fn subscribe(&self) -> Result<PubSub, String> {
        let subscribing = async {
            let mut subscription = self.client.get_async_pubsub().await?;
            subscription.subscribe(&self.channel).await?;
            Ok::<_, redis::RedisError>(subscription)
        };
        let subscribed = timeout(SUBSCRIBE_LIMIT, subscribing).await;
        let subscribed = subscribed.map_err(|_| "Redis did not answer in time".to_owned())?;
        subscribed.map_err(|error| error.to_string())
    }

    /// Returns when the connection no longer works.
    async fn receive(&mut self, subscription: PubSub) {
        let (mut sink, mut messages) = subscription.split();
        loop {
            match timeout(QUIET, messages.next()).await {
                Ok(Some(message)) => self.take(message.get_payload_bytes()),
                Ok(None) => return,
                Err(_) => {
                    let answered = timeout(PING_LIMIT, sink.ping::<redis::Value>()).await;
                    if !matches!(answered, Ok(Ok(_))) {
                        return;
                    }
                }
            }
        }
    }

    fn take(&mut self, message: &[u8]) {
        let Some((node, number, event)) = envelope::decode(message) else {
            if let Some(omitted) = FOREIGN.admit() {
                let bytes = message.len();
                tracing::warn!(
                    channel = self.channel,
                    bytes,
                    omitted,
                    "a message that no Izanagi of this version sends was ignored"
                );
            }
            return;
        };
        // This node heard it when it was published.
        if node == self.node {
            return;
        }
        // Of a node that was not heard before, nothing was heard before: its first message has number 1.
        let last = self.numbers.get(&node).copied().unwrap_or_default();
        self.numbers.put(node, last.max(number));
        if number > last.saturating_add(1) {
            self.local.publish(BusEvent::Lagged);
        }
        self.local.publish(event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use izanagi_domain::storage::SystemIds;
    use izanagi_shared::id::SessionId;

    /// Messages that a new node could not send are noticed with the first that it could.
    #[test]
    fn a_gap_before_the_first_message_of_a_node_is_noticed() {
        let ids = SystemIds;
        let local = Arc::new(LocalBus::default());
        let mut receiver = Receiver {
            client: Client::open("redis://127.0.0.1").unwrap(),
            channel: "bus".to_owned(),
            node: NodeId(ids.uuid()),
            local: Arc::clone(&local),
            numbers: LruCache::new(NODES),
        };
        let mut events = local.subscribe(BusTopic::Rights);
        let event = BusEvent::SessionEnded(SessionId(ids.uuid()));
        let mut hear = |node, number| {
            let message = envelope::encode(node, number, event.clone()).unwrap();
            receiver.take(&message);
            let heard = std::iter::from_fn(|| events.try_recv().ok());
            heard.map(|heard| heard == BusEvent::Lagged).collect::<Vec<_>>()
        };
        let [whole, late] = [(); 2].map(|()| NodeId(ids.uuid()));
        assert_eq!(hear(whole, 1), [false]);
        assert_eq!(hear(whole, 2), [false]);
        assert_eq!(hear(late, 4), [true, false]);
        assert_eq!(hear(late, 5), [false]);
        assert_eq!(hear(whole, 4), [true, false]);
    }
}
