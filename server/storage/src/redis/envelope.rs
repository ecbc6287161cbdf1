//! Messages of the bus: CBOR with a version, the sender and a number.

use izanagi_domain::storage::{BusEvent, NodeId};
use serde::{Deserialize, Serialize};

/// Changes when older nodes would misunderstand a message. What they do not know they ignore.
const VERSION: u8 = 1;
/// Longer messages are not from a node.
const LONGEST: usize = 1024 * 1024;

#[derive(Serialize, Deserialize)]
struct Envelope {
    v: u8,
    node: NodeId,
    /// Counts the events of the node; those it could not send too.
    number: u64,
    event: BusEvent,
}

/// Encodes an event; `None` if it is too long.
pub(super) fn encode(node: NodeId, number: u64, event: BusEvent) -> Option<Vec<u8>> {
    let mut message = Vec::new();
    let envelope = Envelope { v: VERSION, node, number, event };
    ciborium::into_writer(&envelope, &mut message).ok()?;
    (message.len() <= LONGEST).then_some(message)
}

/// Decodes a message; `None` if it is from elsewhere, or of another version.
pub(super) fn decode(message: &[u8]) -> Option<(NodeId, u64, BusEvent)> {
    if message.len() > LONGEST {
        return None;
    }
    let Envelope { v, node, number, event } = ciborium::from_reader(message).ok()?;
    // Nobody can tell another node that it has missed something.
    (v == VERSION && event.topic().is_some()).then_some((node, number, event))
}

#[cfg(test)]
mod tests {
    use super::*;
    use izanagi_domain::storage::{ClientPresence, NodePresence};
    use izanagi_shared::id::{DocumentId, SessionId};
    use std::sync::Arc;
    use uuid::Uuid;

    #[test]
    fn every_event_comes_back() {
        let (node, document) = (NodeId(Uuid::from_u128(1)), DocumentId(Uuid::from_u128(2)));
        let state = Some("{\"user\":{}}".to_owned());
        let clients = vec![ClientPresence { client: 1 << 50, clock: 2, actor: None, state }];
        let events = [
            BusEvent::DocumentChanged { document, by: None },
            BusEvent::SessionEnded(SessionId(Uuid::nil())),
            BusEvent::DocumentEdited { document, seq: u64::MAX },
            BusEvent::PresenceWanted { node, document },
            BusEvent::Presence(Arc::new(NodePresence { node, document, clients })),
        ];
        for event in events {
            let message = encode(node, 7, event.clone()).unwrap();
            assert_eq!(decode(&message), Some((node, 7, event)));
        }
    }

    #[test]
    fn other_messages_are_not_understood() {
        let node = NodeId(Uuid::nil());
        let event = BusEvent::SessionEnded(SessionId(Uuid::nil()));
        let message = encode(node, 1, event).unwrap();
        for length in 0..message.len() {
            assert_eq!(decode(&message[..length]), None);
        }
        assert_eq!(decode(b"hello"), None);
        assert_eq!(decode(&vec![0; LONGEST + 1]), None);
        assert_eq!(decode(&encode(node, 1, BusEvent::Lagged).unwrap()), None);
        let mut newer = Vec::new();
        ciborium::into_writer(&("v", 2), &mut newer).unwrap();
        assert_eq!(decode(&newer), None);
    }
}
