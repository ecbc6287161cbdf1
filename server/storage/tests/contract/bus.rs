//! The bus, within a process and between nodes. Without Redis, the other node is the same process.

use crate::{fixtures::*, provider::TestStore};
use izanagi_domain::storage::{Bus, BusEvent, BusTopic, ClientPresence, NodeId, NodePresence};
use izanagi_shared::id::{DocumentId, SessionId};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::broadcast::{Receiver, error::TryRecvError},
    time::timeout,
};

suite!(with_redis:
    every_node_hears_an_event_once,
    events_of_a_node_keep_their_order,
    presence_crosses_nodes,
);

const PATIENCE: Duration = Duration::from_secs(20);

fn ended() -> BusEvent {
    BusEvent::SessionEnded(SessionId(fresh_uuid()))
}

/// The next event that is not about a gap.
pub(crate) async fn next(events: &mut Receiver<BusEvent>) -> BusEvent {
    loop {
        match timeout(PATIENCE, events.recv()).await.expect("no event came").unwrap() {
            BusEvent::Lagged => {}
            event => return event,
        }
    }
}

/// Publishes on one bus until a subscriber of the other hears it: subscribing takes a moment.
pub(crate) async fn until_connected(from: &dyn Bus, to: &dyn Bus) {
    let mut events = to.subscribe(BusTopic::Rights);
    for _ in 0..400 {
        let probe = ended();
        from.publish(probe.clone());
        while let Ok(Ok(event)) = timeout(Duration::from_millis(50), events.recv()).await {
            if event == probe {
                return;
            }
        }
    }
    panic!("the nodes do not hear each other");
}

async fn buses(store: &TestStore) -> (Arc<dyn Bus>, Arc<dyn Bus>, Option<izanagi_storage::Opened>) {
    let other = store.another_node().await;
    let there = other.as_ref().map_or(&store.bus, |other| &other.stores.bus);
    let (here, there) = (Arc::clone(&store.bus), Arc::clone(there));
    until_connected(&*here, &*there).await;
    until_connected(&*there, &*here).await;
    (here, there, other)
}

async fn every_node_hears_an_event_once(store: &TestStore) {
    let (here, there, _other) = buses(store).await;
    let topic = BusTopic::Rights;
    let (mut own, mut others) = (here.subscribe(topic), there.subscribe(topic));
    let mut live = there.subscribe(BusTopic::Live);
    let (first, last) = (ended(), ended());
    here.publish(first.clone());
    // At once, without the way over the network.
    assert_eq!(own.try_recv(), Ok(first.clone()));
    assert_eq!(next(&mut others).await, first);
    there.publish(last.clone());
    assert_eq!(next(&mut own).await, last);
    assert_eq!(next(&mut others).await, last);
    assert_eq!(own.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(live.try_recv(), Err(TryRecvError::Empty));
}

async fn events_of_a_node_keep_their_order(store: &TestStore) {
    let (here, there, _other) = buses(store).await;
    let mut events = there.subscribe(BusTopic::Live);
    let document = DocumentId(fresh_uuid());
    for seq in 0..500 {
        here.publish(BusEvent::DocumentEdited { document, seq });
    }
    for seq in 0..500 {
        assert_eq!(next(&mut events).await, BusEvent::DocumentEdited { document, seq });
    }
}

async fn presence_crosses_nodes(store: &TestStore) {
    let (here, there, _other) = buses(store).await;
    let mut events = there.subscribe(BusTopic::Live);
    let (node, document) = (NodeId(fresh_uuid()), DocumentId(fresh_uuid()));
    let state = Some("x".repeat(16 * 1024));
    let client = ClientPresence { client: 7, clock: 1, actor: Some(SERVER), state };
    let presence = NodePresence { node, document, clients: vec![client; 4] };
    let event = BusEvent::Presence(Arc::new(presence));
    here.publish(event.clone());
    assert_eq!(next(&mut events).await, event);
}
