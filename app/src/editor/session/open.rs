//! The session: a replica of the document, kept in sync with editor and server.

use super::{
    backup::Backup,
    bindings::{Callbacks, EarlyEdits, EditorHandle, EditorModule, MountOptions},
    clock,
    driver::Driver,
    events,
    former::{Former, typed_in},
    http::Http,
    incoming::Incoming,
    kept::{Kept, KeptUpdate},
    peers::Peers,
    transport::{self, Failure, Updates},
};
use crate::{
    editor::{Answer, EditorView, OpenedText, Trouble, split_long_inserts},
    words,
};
use izanagi_shared::{
    crdt::{Change, TextDoc},
    id::DocumentId,
    rules::{DocumentKind, MAX_CONTENT_BYTES},
    sync::{self, SyncEngine},
};
use leptos::{prelude::*, task::spawn_local};
use send_wrapper::SendWrapper;
use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
};
use wasm_bindgen::JsValue;

/// A document open in an editor.
pub(super) struct Session {
    pub(super) document: DocumentId,
    pub(super) kind: DocumentKind,
    pub(super) view: EditorView,
    pub(super) doc: RefCell<TextDoc>,
    /// Decides what is sent when.
    pub(super) engine: RefCell<SyncEngine>,
    pub(super) driver: Driver,
    pub(super) http: Http,
    pub(super) incoming: Incoming,
    /// The text before the first edit that the server does not have.
    pub(super) base: RefCell<Option<String>>,
    /// Moving to another lineage.
    pub(super) is_rebasing: Cell<bool>,
    /// What the user has decided about words that the document lacks.
    pub(super) answer: Cell<Option<Answer>>,
    /// What the user has decided about edits of a former lineage is being done.
    pub(super) is_answering: Cell<bool>,
    /// The server said that the document is in the trash.
    pub(super) is_in_trash: Cell<bool>,
    pub(super) peers: Peers,
    pub(super) user: String,
    pub(super) user_name: String,
    pub(super) kept: Kept,
    pub(super) backup: Backup,
    /// Edits of former lineages about which the user has to decide.
    pub(super) former: RefCell<Vec<Former>>,
    /// Edits made before there was a replica, which could not be stored as updates.
    pub(super) early: RefCell<Vec<EarlyEdits>>,
    module: EditorModule,
    title: String,
    is_read_only: bool,
    editor: RefCell<Option<(EditorHandle, Callbacks)>>,
}

/// Why a session cannot start.
pub(super) enum Stop {
    /// The server refuses the document's state, with this message.
    Refused(String),
    /// Something is broken.
    Failed(JsValue),
}

impl From<JsValue> for Stop {
    fn from(error: JsValue) -> Self {
        Self::Failed(error)
    }
}

impl Session {
    /// Loads the editor, restores updates that an earlier session did not send, and mounts.
    ///
    /// # Errors
    /// Fails if the editor module or the document's state cannot be loaded.
    pub(super) async fn begin(opened: OpenedText, view: EditorView) -> Result<Rc<Self>, Stop> {
        let module = EditorModule::load().await?;
        let state = fetch_state(opened.id, opened.length).await;
        let Updates { seq, delta, lineage } = state.map_err(|failure| match failure {
            Failure::Refused(reason) | Failure::Damaged(reason) => Stop::Refused(reason),
            failure => Stop::Failed(format!("{failure:?}").into()),
        })?;
        let doc = TextDoc::load(clock::random_client_id(), &delta);
        let doc = doc.map_err(|error| JsValue::from(error.to_string()))?;
        let document = opened.id;
        let user = opened.user.map(|user| user.to_string()).unwrap_or_default();
        let kept_module = EditorModule::load().await?;
        let client = clock::random_client_id();
        let session = Rc::new_cyclic(|weak| Self {
            document,
            kind: opened.kind,
            view,
            doc: RefCell::new(doc),
            engine: RefCell::new(SyncEngine::new(lineage, client)),
            driver: Driver::new(weak),
            http: Http::new(seq, opened.revision),
            incoming: Incoming::default(),
            base: RefCell::default(),
            is_rebasing: Cell::default(),
            answer: Cell::default(),
            is_answering: Cell::default(),
            is_in_trash: Cell::default(),
            peers: Peers::default(),
            kept: Kept::new(kept_module, document.to_string(), user.clone()),
            backup: Backup::new(clock::random_id()),
            former: RefCell::default(),
            user: user.clone(),
            user_name: opened.user_name,
            early: RefCell::default(),
            module,
            title: opened.title,
            is_read_only: opened.is_trashed,
            editor: RefCell::new(None),
        });
        if !session.is_read_only {
            session.take_over_kept().await;
            session.take_over_left(&document.to_string(), &user).await;
        }
        match session.adopt().await {
            Ok(true) => {}
            Ok(false) => session.mount()?,
            Err(error) => {
                // What was typed is kept on this device, and taken over after the next start.
                leptos::logging::error!("cannot connect the editor of {document}: {error:?}");
                session.mount()?;
            }
        }
        events::listen(&Rc::downgrade(&session));
        session.start_preview();
        session.offer_former();
        session.back_up_later();
        if !session.is_read_only {
            session.drive(SyncEngine::start);
        }
        Ok(session)
    }

    /// Mounts an editor with the current text.
    fn mount(self: &Rc<Self>) -> Result<(), JsValue> {
        let Some(host) = self.view.host.try_get_untracked().flatten() else { return Ok(()) };
        let callbacks = Callbacks::new(&Rc::downgrade(self));
        let text = self.doc.borrow().text();
        let label = words::text_of(&self.title);
        let nonce = nonce();
        let options = MountOptions {
            text: &text,
            kind: self.kind.as_str(),
            label: &label,
            read_only: self.is_read_only,
            nonce: &nonce,
        };
        host.set_inner_html("");
        let handle = self.module.mount_editor(&host, &options, &callbacks)?;
        self.connect(handle, callbacks);
        Ok(())
    }

    /// Takes over an editor that shows the replica's text.
    pub(super) fn connect(self: &Rc<Self>, handle: EditorHandle, callbacks: Callbacks) {
        *self.editor.borrow_mut() = Some((handle, callbacks));
        let weak = Rc::downgrade(self);
        let text =
            move || weak.upgrade().map(|session| session.doc.borrow().text()).unwrap_or_default();
        self.view.text.set_value(Some(SendWrapper::new(Box::new(text))));
        if !self.is_read_only {
            self.start_peers();
        }
    }

    pub(super) fn module(&self) -> &EditorModule {
        &self.module
    }

    /// Handles local changes from the editor.
    pub(super) fn edited(self: &Rc<Self>, changes: Vec<Change>) {
        self.edit(changes);
        self.go_on_if_it_fits();
    }

    /// Keeps the text as the server has it, before the first edit that it does not have.
    pub(super) fn remember_base(&self) {
        if self.engine.borrow().unsaved() == 0 {
            *self.base.borrow_mut() = Some(self.doc.borrow().text());
        }
    }

    /// Makes an edit in the replica, which the editor shows already.
    pub(super) fn edit(self: &Rc<Self>, changes: Vec<Change>) {
        self.remember_base();
        for edit in split_long_inserts(changes) {
            let update = self.doc.borrow_mut().edit(&edit);
            self.keep(update, typed_in(&edit));
        }
    }

    /// Sends an update of the replica that inserts `typed`, and stores it until it is saved.
    pub(super) fn keep(self: &Rc<Self>, update: Vec<u8>, typed: String) {
        let id = clock::random_id();
        let lineage = self.engine.borrow().lineage().to_owned();
        self.drive(|engine, at, out| engine.edited(at, id.clone(), update.clone(), out));
        self.back_up_later();
        let session = Rc::clone(self);
        spawn_local(async move {
            let kept = KeptUpdate { id, update, lineage, typed };
            if !session.kept.put(&kept).await {
                return;
            }
            let id = kept.id;
            let still_waits = session.engine.borrow_mut().stored(&id);
            session.tell();
            if !still_waits {
                // The server acknowledged it before it was stored.
                session.kept.drop_all(vec![id]).await;
            }
        });
    }

    /// Applies remote updates; returns whether that succeeded.
    pub(super) fn merge(self: &Rc<Self>, delta: &[u8]) -> bool {
        let applied = self.doc.borrow_mut().apply_and_tell(delta);
        let changes = match applied {
            Ok(changes) => changes,
            Err(error) => {
                leptos::logging::error!("cannot apply an update to {}: {error}", self.document);
                return false;
            }
        };
        if changes.is_empty() {
            return true;
        }
        let taken = self.with_editor(|editor| editor.take_over(&changes));
        if taken.is_some_and(|taken| taken.is_err()) {
            // Editor and replica are out of sync; the replica is authoritative.
            self.remount();
        }
        self.back_up_later();
        self.show_cursors_ahead();
        self.go_on_if_it_fits();
        true
    }

    /// Mounts the editor again, with the replica's text.
    pub(super) fn remount(self: &Rc<Self>) {
        self.with_editor(EditorHandle::destroy);
        if let Err(error) = self.mount() {
            leptos::logging::error!("cannot restart the editor of {}: {error:?}", self.document);
        }
    }

    pub(super) fn with_editor<T>(&self, call: impl FnOnce(&EditorHandle) -> T) -> Option<T> {
        self.editor.borrow().as_ref().map(|(editor, _)| call(editor))
    }

    /// Updates the displayed save state. An unchanged state triggers no rendering.
    pub(super) fn tell(&self) {
        let is_kept = !self.is_at_risk();
        if self.view.is_kept.try_with_untracked(|told| *told != is_kept) == Some(true) {
            self.view.is_kept.set(is_kept);
        }
        self.drop_early();
        let has_unsaved = self.engine.borrow().unsaved() > 0 || self.backup.is_asked();
        if self.view.has_unsaved.try_with_untracked(|told| *told != has_unsaved) == Some(true) {
            self.view.has_unsaved.set(has_unsaved);
        }
        let now = clock::moment().now;
        let state = Some(self.engine.borrow().save_state_at(now));
        if self.view.save.try_with_untracked(|told| *told != state) == Some(true) {
            self.view.save.set(state);
        }
        let lateness = self.engine.borrow().lateness(now);
        if self.view.lateness.try_with_untracked(|told| *told != lateness) == Some(true) {
            self.view.lateness.set(lateness);
        }
    }

    /// Reports a problem that only the user can resolve.
    ///
    /// Once the user is gone, the page is covered, and nothing else is reported before they sign in
    /// again.
    pub(super) fn report(&self, trouble: Trouble) {
        if !trouble.covers() && self.is_user_gone() {
            return;
        }
        self.show_trouble(Some(trouble));
    }

    pub(super) fn show_trouble(&self, trouble: Option<Trouble>) {
        // A report that is repeated is not announced again, and its buttons keep the focus. The page may
        // have been closed while edits were in flight.
        if self.view.trouble.try_with_untracked(|told| *told != trouble) == Some(true) {
            let _ = self.view.trouble.try_set(trouble);
        }
    }

    /// Returns whether the page is covered, because its user has signed out or another one has signed in.
    pub(super) fn is_user_gone(&self) -> bool {
        let is_covered =
            self.view.trouble.try_with_untracked(|told| told.as_ref().is_some_and(Trouble::covers));
        is_covered == Some(true)
            && matches!(self.engine.borrow().stopped(), Some(sync::engine::Stop::SignedOut))
    }

    /// Returns whether the text fits the limit of a document.
    pub(super) fn fits(&self) -> bool {
        self.doc.borrow().text().len() <= MAX_CONTENT_BYTES
    }

    /// Returns whether closing the page now would lose edits.
    pub(super) fn is_at_risk(&self) -> bool {
        self.engine.borrow().is_at_risk() || self.backup.is_at_risk()
    }

    /// Returns whether the document is in the trash, where no client can edit it.
    pub(super) fn is_read_only(&self) -> bool {
        self.is_read_only
    }
}

/// Fetches the state of a document; once more if the access token has expired.
pub(super) async fn fetch_state(document: DocumentId, length: usize) -> Result<Updates, Failure> {
    let mut state = transport::get_state(document, length).await;
    if state == Err(Failure::SignedOut) {
        state = match transport::refresh_session().await {
            Ok(()) => transport::get_state(document, length).await,
            Err(failure) => Err(failure),
        };
    }
    state
}

/// Calls a function if the session still exists.
pub(super) fn with(session: &Weak<Session>, call: impl FnOnce(&Rc<Session>)) {
    if let Some(session) = session.upgrade() {
        call(&session);
    }
}

/// Returns the page's nonce: browsers hide it from style sheets, not from scripts.
fn nonce() -> String {
    use leptos::{wasm_bindgen::JsCast as _, web_sys::HtmlElement};
    let script = document().query_selector("script[nonce]").ok().flatten();
    script
        .and_then(|script| script.dyn_into::<HtmlElement>().ok())
        .map(|script| script.nonce())
        .unwrap_or_default()
}
