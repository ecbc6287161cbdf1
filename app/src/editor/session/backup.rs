//! The page's text, stored on this device while edits are not saved for longer than a moment, and while
//! the page has words that the document lacks. The updates that are stored too are of no use once the
//! document has another lineage.

use super::{
    clock,
    kept::KeptText,
    open::{Session, with},
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

/// Edits that are saved sooner need no text.
const AFTER: Duration = Duration::from_secs(1);
/// Time between texts as a multiple of the time that the last one took.
const REST_FACTOR: u32 = 20;

/// The state of what is stored.
pub(super) struct Backup {
    /// Names this page.
    pub(super) id: String,
    is_planned: Cell<bool>,
    /// The text has changed since it was stored.
    is_due: Cell<bool>,
    is_stored: Cell<bool>,
    /// Texts of earlier pages whose edits this page sends.
    others: RefCell<Vec<String>>,
    rest: Cell<Duration>,
    /// The document lacks words of the page, and the user has not said what to do.
    is_asked: Cell<bool>,
}

impl Backup {
    pub(super) fn new(id: String) -> Self {
        Self {
            id,
            is_planned: Cell::default(),
            is_due: Cell::default(),
            is_stored: Cell::default(),
            others: RefCell::default(),
            rest: Cell::new(AFTER),
            is_asked: Cell::default(),
        }
    }

    pub(super) fn is_asked(&self) -> bool {
        self.is_asked.get()
    }

    /// Whether closing the page now would lose words that only this page has.
    pub(super) fn is_at_risk(&self) -> bool {
        self.is_asked.get() && !self.is_stored.get()
    }
}

impl Session {
    /// The page's text has changed: stores it soon, if it is still needed then.
    pub(super) fn back_up_later(self: &Rc<Self>) {
        let backup = &self.backup;
        backup.is_due.set(true);
        if backup.is_planned.replace(true) {
            return;
        }
        let weak = Rc::downgrade(self);
        let due = move || {
            with(&weak, |session| {
                session.backup.is_planned.set(false);
                let since = session.engine.borrow().unsaved_since();
                let now = clock::moment().now;
                if since.is_some_and(|since| now < since + AFTER) {
                    session.back_up_later();
                } else {
                    session.back_up();
                }
            });
        };
        if clock::later(backup.rest.get(), due).is_none() {
            backup.is_planned.set(false);
        }
    }

    /// Stores the page's text, if it has changed and is needed.
    pub(super) fn back_up(self: &Rc<Self>) {
        if !self.needs_backup() || !self.backup.is_due.replace(false) {
            return;
        }
        let mine = self.doc.borrow().text();
        let (lineage, op_ids) = {
            let engine = self.engine.borrow();
            (engine.lineage().to_owned(), engine.unsaved_ids().map(str::to_owned).collect())
        };
        let text = KeptText {
            id: self.backup.id.clone(),
            lineage,
            saved: self.base.borrow().clone().unwrap_or_else(|| mine.clone()),
            mine,
            op_ids,
            is_asked: self.backup.is_asked(),
        };
        let session = Rc::clone(self);
        leptos::task::spawn_local(async move {
            let began = clock::moment().now;
            let is_stored = session.kept.put_text(&text).await;
            let took = clock::moment().now.saturating_sub(began);
            let backup = &session.backup;
            backup.rest.set(AFTER.max(took.saturating_mul(REST_FACTOR)));
            backup.is_stored.set(is_stored);
            if !session.needs_backup() || session.engine.borrow().lineage() != text.lineage {
                session.drop_backup();
            }
            session.tell();
        });
    }

    /// Deletes the text once it is not needed any more.
    pub(super) fn drop_backup_if_saved(self: &Rc<Self>) {
        if !self.needs_backup() {
            self.drop_backup();
        }
    }

    /// The document lacks words of this page, until the user says what to do.
    pub(super) fn ask(self: &Rc<Self>, saved: String) {
        *self.base.borrow_mut() = Some(saved);
        if !self.backup.is_asked.replace(true) {
            self.backup.is_due.set(true);
        }
        self.back_up();
    }

    /// The user has said what to do.
    pub(super) fn answered(self: &Rc<Self>) {
        self.backup.is_asked.set(false);
        self.drop_backup();
    }

    fn drop_backup(self: &Rc<Self>) {
        let mut ids = self.backup.others.take();
        if self.backup.is_stored.replace(false) {
            ids.push(self.backup.id.clone());
        }
        if ids.is_empty() {
            return;
        }
        let session = Rc::clone(self);
        leptos::task::spawn_local(async move { session.kept.drop_texts(&ids).await });
    }

    /// Takes over texts of earlier pages, to delete them together with that of this page.
    pub(super) fn take_over_texts(&self, ids: Vec<String>) {
        *self.backup.others.borrow_mut() = ids;
    }

    fn needs_backup(&self) -> bool {
        self.backup.is_asked() || self.engine.borrow().unsaved() > 0
    }
}
