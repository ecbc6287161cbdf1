//! A client of the Yjs protocol without acknowledgements, as y-websocket is.

use crate::{
    client::{Action, Message, Writer, apply},
    random::Random,
};
use izanagi_shared::{
    crdt::TextDoc,
    sync::{
        Limits,
        yjs::{Frame, decode},
    },
};

pub(crate) struct YjsClient {
    pub(crate) doc: TextDoc,
    pub(crate) writer: Writer,
    is_open: bool,
    is_synced: bool,
}

impl YjsClient {
    pub(crate) fn new(name: usize, load: u64) -> Self {
        let (doc, writer) = (TextDoc::new(load), Writer::new(name));
        Self { doc, writer, is_open: false, is_synced: false }
    }

    pub(crate) fn opened(&mut self) -> Vec<Action> {
        self.is_open = true;
        vec![send(&Frame::Step1(&self.doc.state_vector()))]
    }

    pub(crate) fn edit(&mut self, random: &mut Random) -> Vec<Action> {
        if self.doc.state_vector_map().is_empty() {
            return Vec::new();
        }
        let change = self.writer.change(random, &self.doc.text());
        let update = self.doc.edit(&[change]);
        if self.is_open { vec![send(&Frame::Update(&update))] } else { Vec::new() }
    }

    pub(crate) fn received(&mut self, message: Message) -> Vec<Action> {
        let bytes = match message {
            Message::Binary(bytes) => bytes,
            Message::Closed(_) => {
                self.disconnected();
                return Vec::new();
            }
            Message::Text(text) => panic!("a text message: {text}"),
        };
        match decode(&bytes, &Limits::default()).unwrap() {
            Frame::Step1(vector) => {
                self.is_synced = true;
                return vec![send(&Frame::Step2(&self.doc.missing_from(vector).unwrap()))];
            }
            Frame::Step2(update) | Frame::Update(update) => apply(&mut self.doc, update),
            Frame::Awareness(_) => {}
            frame => panic!("an unexpected frame: {frame:?}"),
        }
        Vec::new()
    }

    pub(crate) const fn disconnected(&mut self) {
        self.is_open = false;
        self.is_synced = false;
    }

    pub(crate) const fn is_synced(&self) -> bool {
        self.is_synced
    }
}

fn send(frame: &Frame<'_>) -> Action {
    Action::Send(Message::Binary(frame.encode()))
}
