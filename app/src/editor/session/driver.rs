//! Carries out what the engine asks for (`izanagi_shared::sync::engine`): the page's socket, timer and
//! storage, the replica and the editor.

use super::{
    bindings::{Socket, bytes},
    clock,
    open::{Session, with},
    transport::Failure,
};
use izanagi_shared::sync::{
    SyncEngine,
    engine::{Effect, Moment, SignIn},
};
use js_sys::Uint8Array;
use leptos::{prelude::*, task::spawn_local};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::{Rc, Weak},
    time::Duration,
};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};

/// The code of a socket that could not be opened.
const NOT_OPENED: u16 = 1006;
/// Interval of looks at the engine while edits have been unsaved for long.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// What belongs to the engine in the browser.
pub(super) struct Driver {
    socket: RefCell<Option<Socket>>,
    /// Told by sockets: number and event (`frontend/editor/socket.ts`).
    tell: Closure<dyn Fn(u32, JsValue)>,
    effects: RefCell<VecDeque<Effect>>,
    is_busy: Cell<bool>,
    /// When the engine is called next.
    wake: RefCell<Option<(Duration, TimeoutHandle)>>,
}

impl Driver {
    pub(super) fn new(session: &Weak<Session>) -> Self {
        let weak = session.clone();
        let tell = move |number, event| with(&weak, |it| it.socket_told(number, &event));
        Self {
            socket: RefCell::default(),
            tell: Closure::new(tell),
            effects: RefCell::default(),
            is_busy: Cell::default(),
            wake: RefCell::default(),
        }
    }
}

impl Session {
    /// Calls the engine and carries out what it asks for.
    pub(super) fn drive(
        self: &Rc<Self>,
        call: impl FnOnce(&mut SyncEngine, Moment, &mut Vec<Effect>),
    ) {
        let mut effects = Vec::new();
        call(&mut self.engine.borrow_mut(), clock::moment(), &mut effects);
        self.carry_out_all(effects);
    }

    /// Effects that follow from effects are carried out after those that are there already.
    #[inline(never)]
    fn carry_out_all(self: &Rc<Self>, effects: Vec<Effect>) {
        let driver = &self.driver;
        driver.effects.borrow_mut().extend(effects);
        if driver.is_busy.replace(true) {
            return;
        }
        loop {
            let next = driver.effects.borrow_mut().pop_front();
            let Some(effect) = next else { break };
            self.carry_out(effect);
        }
        driver.is_busy.set(false);
        self.tell();
        self.send();
        self.wake_later();
    }

    fn carry_out(self: &Rc<Self>, effect: Effect) {
        match effect {
            Effect::Open { socket } => self.open_socket(socket),
            Effect::Send(message) => {
                if let Some(socket) = self.driver.socket.borrow().as_ref() {
                    // A socket that fails closes, and says so.
                    let _ = socket.send(&bytes(&message));
                }
            }
            Effect::Close => self.close_socket(),
            Effect::Apply(update) => self.take_in(update),
            Effect::Acknowledged(ids) => {
                let session = Rc::clone(self);
                spawn_local(async move { session.kept.drop_all(ids).await });
                self.drop_backup_if_saved();
            }
            Effect::Presence(clients) => self.presence_changed(clients),
            Effect::Document(notice) => self.document_told(&notice),
            Effect::RenewSignIn => self.renew_sign_in(),
            Effect::Rebase => self.rebase_soon(),
            Effect::Stopped(stop) => self.stopped(stop),
            Effect::Repaired => self.repaired(),
            Effect::Http(on) => self.use_http(on),
        }
    }

    fn open_socket(self: &Rc<Self>, number: u32) {
        let lineage = self.engine.borrow().lineage().to_owned();
        let path = format!("/ws/yjs/{}?acks=1&lineage={lineage}", self.document);
        let opened =
            self.module().open_socket(&path, number, self.driver.tell.as_ref().unchecked_ref());
        match opened {
            Ok(socket) => *self.driver.socket.borrow_mut() = Some(socket),
            Err(_) => self.drive(|engine, at, out| engine.closed(at, number, NOT_OPENED, out)),
        }
    }

    pub(super) fn close_socket(&self) {
        if let Some(socket) = self.driver.socket.borrow_mut().take() {
            socket.close();
        }
    }

    fn socket_told(self: &Rc<Self>, number: u32, event: &JsValue) {
        if let Some(message) = event.dyn_ref::<Uint8Array>() {
            let message = message.to_vec();
            let doc = || self.doc.borrow();
            self.drive(|engine, at, out| engine.received(at, number, &message, &doc(), out));
        } else if let Some(code) = event.as_f64() {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "16 bits")]
            let code = code as u16;
            self.drive(|engine, at, out| engine.closed(at, number, code, out));
        } else {
            self.drive(|engine, at, out| engine.opened(at, number, &self.doc.borrow(), out));
        }
    }

    fn renew_sign_in(self: &Rc<Self>) {
        let session = Rc::clone(self);
        spawn_local(async move {
            let outcome = match session.renew().await {
                Ok(()) => SignIn::Renewed,
                Err(Failure::Lost | Failure::Later(_)) => SignIn::Unknown,
                Err(_) => SignIn::Ended,
            };
            session.drive(|engine, at, out| engine.signed_in(at, outcome, out));
        });
    }

    /// Calls the engine when it has something to do.
    fn wake_later(self: &Rc<Self>) {
        let now = clock::moment().now;
        let Some(at) = self.engine.borrow().wake_at(now) else { return };
        let at = if at > now { at } else { now + LOOK_AGAIN };
        let mut wake = self.driver.wake.borrow_mut();
        if let Some((planned, timer)) = wake.as_ref() {
            if *planned <= at {
                return;
            }
            timer.clear();
        }
        let weak = Rc::downgrade(self);
        let woken = move || {
            with(&weak, |session| {
                session.driver.wake.borrow_mut().take();
                session.drive(SyncEngine::tick);
            });
        };
        *wake = clock::later(at - now, woken).map(|timer| (at, timer));
    }

    /// The browser says that there may be a connection again.
    pub(super) fn reconnect(self: &Rc<Self>) {
        self.drive(SyncEngine::online);
        self.retry_http();
    }

    /// The page is shown again after it was frozen or hidden.
    pub(super) fn resume(self: &Rc<Self>) {
        self.come_back();
        self.reconnect();
    }
}
