//! A page with the engine: its edits are stored on the device, so it can be reloaded.

use crate::{
    client::{Action, Message, Writer, apply},
    random::Random,
    room::{LINEAGE, Room},
};
use izanagi_shared::{
    crdt::{ClientRange, TextDoc, inspect_update},
    save_state::SaveState,
    sync::{
        Batch, Limits, SyncEngine,
        engine::{Effect, Moment, SignIn, Stop},
        yjs::{Frame, decode},
    },
};
use std::collections::BTreeMap;

pub(crate) struct Page {
    pub(crate) doc: TextDoc,
    pub(crate) writer: Writer,
    pub(crate) engine: SyncEngine,
    /// The device: edits by the order in which they were made.
    device: BTreeMap<u64, (String, Vec<u8>)>,
    edits: u64,
    /// The number that the engine gave to the present socket.
    socket: u32,
    /// What was acknowledged and must not be sent again.
    acknowledged: Vec<ClientRange>,
    deleted: Vec<ClientRange>,
}

impl Page {
    pub(crate) fn new(name: usize, load: u64, at: Moment, room: &Room) -> Self {
        let (doc, engine) = Self::load(load, room);
        let mut page = Self {
            doc,
            writer: Writer::new(name),
            engine,
            device: BTreeMap::new(),
            edits: 0,
            socket: 0,
            acknowledged: Vec::new(),
            deleted: Vec::new(),
        };
        page.restore(at);
        page
    }

    fn load(load: u64, room: &Room) -> (TextDoc, SyncEngine) {
        let state = room.missing(&[0]).unwrap().delta;
        let doc = TextDoc::load(load, &state).unwrap();
        (doc, SyncEngine::new(LINEAGE.to_owned(), load))
    }

    fn restore(&mut self, at: Moment) {
        for (id, update) in self.device.values() {
            apply(&mut self.doc, update);
            self.engine.restored(at, id.clone(), update.clone());
        }
    }

    /// Loads the page again: only the device remembers.
    pub(crate) fn reload(&mut self, load: u64, at: Moment, room: &Room) {
        (self.doc, self.engine) = Self::load(load, room);
        self.restore(at);
    }

    pub(crate) fn start(&mut self, at: Moment, room: &Room) -> Vec<Action> {
        let mut out = Vec::new();
        self.engine.present(at, Some("{\"user\":{\"name\":\"page\"}}"), &mut out);
        self.engine.start(at, &mut out);
        self.carry_out(at, out, room)
    }

    pub(crate) fn edit(&mut self, at: Moment, random: &mut Random, room: &Room) -> Vec<Action> {
        let change = self.writer.change(random, &self.doc.text());
        let update = self.doc.edit(&[change]);
        self.edits += 1;
        let id = format!("{}-{}", self.doc.client_id(), self.edits);
        self.device.insert(self.edits, (id.clone(), update.clone()));
        let mut out = Vec::new();
        self.engine.edited(at, id.clone(), update, &mut out);
        self.engine.stored(&id);
        self.carry_out(at, out, room)
    }

    pub(crate) fn opened(&mut self, at: Moment, room: &Room) -> Vec<Action> {
        let mut out = Vec::new();
        self.engine.opened(at, self.socket, &self.doc, &mut out);
        self.carry_out(at, out, room)
    }

    pub(crate) fn received(&mut self, at: Moment, message: Message, room: &Room) -> Vec<Action> {
        let mut out = Vec::new();
        match message {
            Message::Binary(bytes) => {
                self.engine.received(at, self.socket, &bytes, &self.doc, &mut out);
            }
            Message::Closed(code) => self.engine.closed(at, self.socket, code, &mut out),
            Message::Text(text) => panic!("a text message: {text}"),
        }
        self.carry_out(at, out, room)
    }

    pub(crate) fn tick(&mut self, at: Moment, room: &Room) -> Vec<Action> {
        let mut out = Vec::new();
        self.engine.tick(at, &mut out);
        self.carry_out(at, out, room)
    }

    /// What a poll over HTTP sends.
    pub(crate) fn batch(&mut self, random: &mut Random) -> Option<Batch> {
        self.engine.http_batch(|| format!("op-{}", random.next()))
    }

    pub(crate) fn batch_acknowledged(&mut self, at: Moment, room: &Room) -> Vec<Action> {
        let mut out = Vec::new();
        self.engine.http_acknowledged(&mut out);
        self.carry_out(at, out, room)
    }

    pub(crate) fn polled(&mut self, at: Moment, update: &[u8], room: &Room) -> Vec<Action> {
        apply(&mut self.doc, update);
        let mut out = Vec::new();
        self.engine.http_answered(at, &mut out);
        self.carry_out(at, out, room)
    }

    pub(crate) fn is_saved(&self) -> bool {
        let is_saved = self.engine.save_state() == SaveState::Saved;
        assert_eq!(self.device.len(), self.engine.unsaved());
        is_saved
    }

    fn carry_out(&mut self, at: Moment, effects: Vec<Effect>, room: &Room) -> Vec<Action> {
        let mut actions = Vec::new();
        for effect in effects {
            match effect {
                Effect::Open { socket } => {
                    self.socket = socket;
                    actions.push(Action::Connect);
                }
                Effect::Send(message) => {
                    self.check_sent(&message);
                    actions.push(Action::Send(Message::Binary(message)));
                }
                Effect::Close => actions.push(Action::Disconnect),
                Effect::Apply(update) => apply(&mut self.doc, &update),
                Effect::Acknowledged(ids) => self.acknowledged(&ids, room),
                Effect::Presence(_) | Effect::Document(_) => {}
                Effect::RenewSignIn => {
                    let mut more = Vec::new();
                    self.engine.signed_in(at, SignIn::Renewed, &mut more);
                    actions.extend(self.carry_out(at, more, room));
                }
                Effect::Http(is_on) => actions.push(Action::Poll(is_on)),
                Effect::Repaired => panic!("no document is damaged"),
                Effect::Rebase => panic!("another lineage"),
                Effect::Stopped(stop) => {
                    // An update whose predecessor was lost may be refused; it is complete next time.
                    assert!(matches!(stop, Stop::Refused { .. }), "{stop:?}");
                    panic!("refused: {stop:?}");
                }
            }
        }
        actions
    }

    /// An acknowledged edit must be durable. The device forgets it.
    fn acknowledged(&mut self, ids: &[String], room: &Room) {
        for id in ids {
            let edit = self.device.iter().find(|(_, (it, _))| it == id).map(|(order, _)| *order);
            let (_, update) = self.device.remove(&edit.expect("an edit of this page")).unwrap();
            assert!(room.has(&update), "{id} is acknowledged, but not durable");
            let summary = inspect_update(&update).unwrap();
            self.acknowledged.extend(summary.structs);
            self.deleted.extend(summary.deletes);
        }
    }

    /// Nothing is sent after it was acknowledged.
    fn check_sent(&self, message: &[u8]) {
        let frame = decode(message, &Limits::default()).unwrap();
        let (Frame::Step2(update) | Frame::Update(update)) = frame else { return };
        let summary = inspect_update(update).unwrap();
        let overlaps = |a: &ClientRange, b: &ClientRange| {
            a.client == b.client && a.start < b.end && b.start < a.end
        };
        let is_new = |range: &ClientRange, known: &[ClientRange]| {
            !known.iter().any(|acknowledged| overlaps(range, acknowledged))
        };
        assert!(
            summary.structs.iter().all(|range| is_new(range, &self.acknowledged)),
            "sent twice"
        );
        assert!(summary.deletes.iter().all(|range| is_new(range, &self.deleted)), "deleted twice");
    }
}
