//! Other people: who they are and where, and what they see of this user.

use super::{
    bindings::{Announce, Peer, get},
    clock,
    open::{Session, with},
};
use crate::{
    editor::Trouble,
    flash::Notice,
    toasts::{Message, say},
    words,
};
use izanagi_shared::crdt::TextDoc;
use js_sys::JSON;
use leptos::prelude::*;
use serde_json::Value;
use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    rc::Rc,
    sync::Arc,
    time::Duration,
};
use wasm_bindgen::{JsValue, closure::Closure};

/// States of others are shown together, at most so often.
const SHOW_AFTER: Duration = Duration::from_millis(50);
/// A page that is hidden for so long shows its user no more: the browser slows its timers.
const AWAY_AFTER: Duration = Duration::from_secs(60);
/// The server tells this page of its own commit within this time.
const OWN_COMMIT_MS: f64 = 10_000.0;

/// What the page knows of other clients.
#[derive(Default)]
pub(super) struct Peers {
    announce: RefCell<Option<Announce>>,
    /// The announced state of this client.
    announced: RefCell<Option<String>>,
    away: RefCell<Option<TimeoutHandle>>,
    /// Clients whose states have changed since they were shown.
    changed: RefCell<BTreeSet<u64>>,
    is_planned: Cell<bool>,
    shown: RefCell<BTreeSet<u64>>,
    /// Clients whose cursors are in a part of the text that has not arrived.
    ahead: RefCell<BTreeSet<u64>>,
}

impl Session {
    /// Shows people beside the editor, which has just been mounted.
    pub(super) fn start_peers(self: &Rc<Self>) {
        let Some(host) = self.view.people.try_get_untracked().flatten() else { return };
        let weak = Rc::downgrade(self);
        let announce = Announce::from(Closure::new(move |user: String, anchor, head| {
            with(&weak, |session| session.announce(&user, anchor, head));
        }));
        let user = (self.user.as_str(), self.user_name.as_str());
        self.with_editor(|editor| editor.start(&host, user, &announce));
        *self.peers.announce.borrow_mut() = Some(announce);
        // An editor that is mounted again knows nobody.
        let known = std::mem::take(&mut *self.peers.shown.borrow_mut());
        self.presence_changed(known.into_iter().collect());
    }

    /// Tells others where the user is, if that has changed.
    fn announce(self: &Rc<Self>, user: &str, anchor: Option<u32>, head: Option<u32>) {
        let cursor = {
            let doc = self.doc.borrow();
            let position = |offset: Option<u32>| doc.position_at(offset?);
            position(anchor).zip(position(head))
        };
        let cursor = cursor.map_or_else(
            || "null".to_owned(),
            |(anchor, head)| format!("{{\"anchor\":{anchor},\"head\":{head}}}"),
        );
        let state = format!("{{\"user\":{user},\"cursor\":{cursor}}}");
        if self.peers.announced.borrow().as_ref() == Some(&state) {
            return;
        }
        *self.peers.announced.borrow_mut() = Some(state);
        if !document().hidden() {
            self.come_back();
        }
    }

    /// Says good-bye to others, when the page is left.
    pub(super) fn say_goodbye(self: &Rc<Self>) {
        self.drive(|engine, _, out| engine.leave(out));
    }

    /// The page was hidden or is shown again.
    pub(super) fn visibility_changed(self: &Rc<Self>) {
        if !document().hidden() {
            return self.resume();
        }
        self.back_up();
        let weak = Rc::downgrade(self);
        let away = clock::later(AWAY_AFTER, move || with(&weak, |it| it.say_goodbye()));
        *self.peers.away.borrow_mut() = away;
    }

    /// The user is there: others see what was announced last.
    pub(super) fn come_back(self: &Rc<Self>) {
        if let Some(away) = self.peers.away.borrow_mut().take() {
            away.clear();
        }
        let state = self.peers.announced.borrow().clone();
        let is_known = |session: &Self| {
            let engine = session.engine.borrow();
            engine.presences().own_state().map(|known| known.as_ref().to_owned()) == state
        };
        if !is_known(self) {
            self.drive(|engine, at, out| engine.present(at, state.as_deref(), out));
        }
    }

    /// The states of these clients have changed.
    pub(super) fn presence_changed(self: &Rc<Self>, clients: Vec<u64>) {
        if clients.is_empty() {
            return;
        }
        self.peers.changed.borrow_mut().extend(clients);
        if self.peers.is_planned.replace(true) {
            return;
        }
        let weak = Rc::downgrade(self);
        let _ = clock::later(SHOW_AFTER, move || {
            with(&weak, |session| {
                session.peers.is_planned.set(false);
                session.show_peers();
            });
        });
    }

    /// The text has changed: cursors that were ahead of it may be in it now.
    pub(super) fn show_cursors_ahead(self: &Rc<Self>) {
        let ahead = std::mem::take(&mut *self.peers.ahead.borrow_mut());
        self.presence_changed(ahead.into_iter().collect());
    }

    fn show_peers(&self) {
        let changed = std::mem::take(&mut *self.peers.changed.borrow_mut());
        let (peers, gone) = {
            let (engine, doc) = (self.engine.borrow(), self.doc.borrow());
            let mut gone = changed.clone();
            let mut peers = Vec::new();
            for (client, state) in engine.presences().others() {
                if gone.remove(&client) {
                    peers.extend(self.peer(client, state, &doc));
                }
            }
            (peers, gone)
        };
        let mut shown = self.peers.shown.borrow_mut();
        shown.retain(|client| !gone.contains(client));
        shown.extend(peers.iter().map(|peer| peer.client));
        drop(shown);
        let gone: Vec<u64> = gone.into_iter().collect();
        self.with_editor(|editor| editor.show(&peers, &gone));
    }

    /// Returns a client to show; `None` if it is shown already, and where it is now is not here yet.
    fn peer(&self, client: u64, state: &Arc<str>, doc: &TextDoc) -> Option<Peer> {
        let cursor = serde_json::from_str::<Value>(state).ok();
        let cursor = cursor.as_ref().and_then(|state| state.get("cursor"));
        let ends = cursor.and_then(|it| Some((it.get("anchor")?, it.get("head")?)));
        let selection = ends.map(|(anchor, head)| doc.offset_of(anchor).zip(doc.offset_of(head)));
        if selection == Some(None) {
            self.peers.ahead.borrow_mut().insert(client);
            if self.peers.shown.borrow().contains(&client) {
                return None;
            }
        }
        Some(Peer { client, state: Arc::clone(state), selection: selection.flatten() })
    }

    /// Shows what has happened to the document besides its text. Its fields are read one by one, as
    /// those of responses.
    pub(super) fn document_told(self: &Rc<Self>, notice: &str) {
        let Ok(notice) = JSON::parse(notice) else { return };
        if let Some(title) = get(&notice, "title").as_string() {
            let _ = self.view.title_elsewhere.try_set(Some(title));
        }
        if let Some(number) = whole(&get(&notice, "headVersion")) {
            let _ = self.view.head_version.try_set(number);
        }
        let is_in_trash = get(&notice, "deletedAt").is_string();
        match (self.is_in_trash.replace(is_in_trash), is_in_trash) {
            // Before the server refuses the next edit.
            (false, true) => self.report(Trouble::Trashed),
            (true, false) => self.try_again(),
            _ => {}
        }
        let change = get(&notice, "change");
        if change.is_object() {
            self.tell_change(&change);
        }
    }

    /// Reports a version that was committed or restored elsewhere.
    fn tell_change(&self, change: &JsValue) {
        let Some(number) = whole(&get(change, "number")) else { return };
        let by = get(change, "by").as_string();
        let committed_at = self.view.committed_at.try_get_value().unwrap_or_default();
        let is_own =
            by.as_ref() == Some(&self.user_name) && clock::now() - committed_at < OWN_COMMIT_MS;
        if is_own {
            return;
        }
        let by = by.filter(|name| !name.is_empty()).unwrap_or_else(words::another_person);
        let words = match get(change, "kind").as_string().as_deref() {
            Some("restored") => {
                match (whole(&get(change, "restoredVersion")), whole(&get(change, "restoredEdit")))
                {
                    (Some(version), _) => words::restored_elsewhere(&by, &version.to_string()),
                    (None, Some(seq)) => words::restored_edit_elsewhere(&by, &words::grouped(seq)),
                    (None, None) => words::committed_elsewhere(&by, &number.to_string()),
                }
            }
            Some("committed") => words::committed_elsewhere(&by, &number.to_string()),
            _ => return,
        };
        let document = format!("/documents/{}", self.document);
        let link = match number {
            0 | 1 => format!("{document}/versions/{number}"),
            _ => format!("{document}/compare?from={}&to={number}", number - 1),
        };
        let notice = Notice::new(words).with_link(link);
        let kind = Some("committed elsewhere".to_owned());
        say(Message { notice, is_problem: false, kind });
    }
}

fn whole(value: &JsValue) -> Option<u64> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts versions")]
    value.as_f64().map(|number| number as u64)
}
