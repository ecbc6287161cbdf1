//! A simple client of the JSON protocol: it sends what is not acknowledged again, with the same ids.

use crate::{
    client::{Action, Message, Writer, apply},
    random::Random,
    room::Room,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use izanagi_shared::{crdt::TextDoc, sync::json::to_base64};
use serde_json::{Value, json};

pub(crate) struct JsonClient {
    pub(crate) doc: TextDoc,
    pub(crate) writer: Writer,
    outbox: Vec<(String, Vec<u8>)>,
    edits: u64,
    is_ready: bool,
}

impl JsonClient {
    pub(crate) fn new(name: usize, load: u64) -> Self {
        let (doc, writer) = (TextDoc::new(load), Writer::new(name));
        Self { doc, writer, outbox: Vec::new(), edits: 0, is_ready: false }
    }

    pub(crate) fn edit(&mut self, random: &mut Random) -> Vec<Action> {
        let change = self.writer.change(random, &self.doc.text());
        let update = self.doc.edit(&[change]);
        self.edits += 1;
        self.outbox.push((format!("{}-{}", self.doc.client_id(), self.edits), update));
        if !self.is_ready {
            return Vec::new();
        }
        vec![self.send(self.outbox.len() - 1)]
    }

    fn send(&self, index: usize) -> Action {
        let (id, update) = &self.outbox[index];
        let message = json!({"type": "update", "opId": id, "deltaB64": to_base64(update)});
        Action::Send(Message::Text(message.to_string()))
    }

    pub(crate) fn received(&mut self, message: Message, room: &Room) -> Vec<Action> {
        let text = match message {
            Message::Text(text) => text,
            Message::Closed(_) => {
                self.is_ready = false;
                return Vec::new();
            }
            Message::Binary(_) => panic!("a binary message"),
        };
        let message: Value = serde_json::from_str(&text).unwrap();
        let update = |name: &str| STANDARD.decode(message[name].as_str().unwrap()).unwrap();
        match message["type"].as_str().unwrap() {
            "state" => {
                apply(&mut self.doc, &update("snapshotB64"));
                if std::mem::replace(&mut self.is_ready, true) {
                    return Vec::new();
                }
                let vector = to_base64(&self.doc.state_vector());
                let join = json!({"type": "join", "displayName": "Ann", "stateVectorB64": vector});
                let cursor = json!({"type": "presence", "cursor": {"from": 0, "to": 0}});
                let texts = [join, cursor].map(|it| Action::Send(Message::Text(it.to_string())));
                return texts
                    .into_iter()
                    .chain((0..self.outbox.len()).map(|at| self.send(at)))
                    .collect();
            }
            "remote_update" => apply(&mut self.doc, &update("deltaB64")),
            "ack" if message["pending"] == true => {}
            "ack" => {
                let id = message["opId"].as_str().unwrap();
                if let Some(at) = self.outbox.iter().position(|(it, _)| it == id) {
                    let (_, update) = self.outbox.remove(at);
                    assert!(room.has(&update), "{id} is acknowledged, but not durable");
                }
            }
            "error" => {
                assert_eq!(message["code"], "unavailable", "{message}");
                // It starts again, so that the order stays.
                self.is_ready = false;
                return vec![Action::Disconnect];
            }
            "presence" | "pong" | "document" => {}
            other => panic!("a message of type {other}"),
        }
        Vec::new()
    }

    pub(crate) const fn disconnected(&mut self) {
        self.is_ready = false;
    }

    pub(crate) fn describe(&self) -> String {
        format!("ready: {}, outbox: {:?}", self.is_ready, self.outbox)
    }

    pub(crate) fn is_saved(&self) -> bool {
        self.is_ready && self.outbox.is_empty()
    }
}
