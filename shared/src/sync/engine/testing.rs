//! A page in a test: an engine and its replica.

use super::{Effect, Moment, SyncEngine};
use crate::{
    crdt::{Change, TextDoc},
    sync::{
        CloseCode, Limits,
        yjs::{Frame, RefusedFrame, decode},
    },
};
use std::time::Duration;

/// A socket that was lost without a close frame.
pub(super) const ABNORMAL: u16 = 1006;

pub(super) struct Page {
    pub(super) engine: SyncEngine,
    pub(super) doc: TextDoc,
    pub(super) now: Duration,
    edits: usize,
}

impl Page {
    pub(super) fn new(text: &str) -> Self {
        let (_, state) = TextDoc::from_text(1, text);
        let doc = TextDoc::load(7, &state).unwrap();
        let engine = SyncEngine::new("one".to_owned(), 7);
        Self { engine, doc, now: Duration::from_secs(1_000), edits: 0 }
    }

    /// A page whose socket is open, with a server that has its replica.
    pub(super) fn ready(text: &str) -> Self {
        let mut page = Self::new(text);
        page.call(SyncEngine::start);
        page.come_up();
        page
    }

    pub(super) const fn at(&self) -> Moment {
        Moment { now: self.now, jitter: 0.0 }
    }

    pub(super) fn call(
        &mut self,
        call: impl FnOnce(&mut SyncEngine, Moment, &mut Vec<Effect>),
    ) -> Vec<Effect> {
        let mut out = Vec::new();
        let at = self.at();
        call(&mut self.engine, at, &mut out);
        out
    }

    /// Lets time pass, with a tick every second.
    pub(super) fn wait(&mut self, seconds: u64) -> Vec<Effect> {
        let mut out = Vec::new();
        for _ in 0..seconds {
            self.now += Duration::from_secs(1);
            out.extend(self.call(SyncEngine::tick));
        }
        out
    }

    pub(super) fn open(&mut self) -> Vec<Effect> {
        let mut out = Vec::new();
        self.engine.opened(self.at(), self.engine.socket, &self.doc, &mut out);
        out
    }

    pub(super) fn receive(&mut self, frame: &Frame<'_>) -> Vec<Effect> {
        let mut out = Vec::new();
        let (at, socket) = (self.at(), self.engine.socket);
        self.engine.received(at, socket, &frame.encode(), &self.doc, &mut out);
        out
    }

    /// The socket opens, and the server has what `server` has.
    pub(super) fn come_up_with(&mut self, server: &TextDoc) -> Vec<Effect> {
        self.open();
        self.receive(&Frame::Step1(&server.state_vector()))
    }

    pub(super) fn come_up(&mut self) -> Vec<Effect> {
        self.open();
        let vector = self.doc.state_vector();
        self.receive(&Frame::Step1(&vector))
    }

    pub(super) fn close(&mut self, code: u16) -> Vec<Effect> {
        let mut out = Vec::new();
        self.engine.closed(self.at(), self.engine.socket, code, &mut out);
        out
    }

    pub(super) fn refuse(&mut self, frame: u64, code: &str) -> Vec<Effect> {
        let (code, message) = (code.to_owned(), "No.".to_owned());
        let refused = RefusedFrame { frame, code, message };
        self.receive(&Frame::Refused(&serde_json::to_string(&refused).unwrap()));
        self.close(CloseCode::BadFrame.code())
    }

    /// Types at the beginning.
    pub(super) fn edit(&mut self, text: &str) -> Vec<Effect> {
        let update = self.doc.edit(&[Change { from: 0, to: 0, insert: text.to_owned() }]);
        self.send(update)
    }

    pub(super) fn send(&mut self, update: Vec<u8>) -> Vec<Effect> {
        self.edits += 1;
        let id = format!("edit-{}", self.edits);
        self.call(|engine, at, out| engine.edited(at, id, update, out))
    }
}

/// The updates in step 2 and update frames.
pub(super) fn updates(effects: &[Effect]) -> Vec<Vec<u8>> {
    let limits = Limits::default();
    let updates = effects.iter().filter_map(|effect| match effect {
        Effect::Send(message) => match decode(message, &limits).unwrap() {
            Frame::Step2(update) | Frame::Update(update) => Some(update.to_vec()),
            _ => None,
        },
        _ => None,
    });
    updates.collect()
}

pub(super) fn opens(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Open { .. }))
}

pub(super) fn acknowledged(effects: &[Effect]) -> Vec<String> {
    let ids = effects.iter().filter_map(|effect| match effect {
        Effect::Acknowledged(ids) => Some(ids.clone()),
        _ => None,
    });
    ids.flatten().collect()
}
