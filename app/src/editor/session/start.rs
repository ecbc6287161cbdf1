//! What was typed before the CRDT was there: on this page, and on earlier pages that were left before
//! they had it (`frontend/editor/early.ts`). Each is an edit of the text that its page showed, and
//! becomes an edit of the CRDT, whatever others have written in between. It is stored as updates in
//! the moment in which it is deleted, and before it is sent, so that it is there once whenever the page
//! dies.

use super::{
    bindings::{Callbacks, EarlyEdits, changes_array, changes_from},
    clock,
    former::make_updates,
    kept::{KeptUpdate, Replaced},
    open::Session,
};
use izanagi_shared::{
    crdt::{Change, TextDoc, changes_between},
    sync::SyncEngine,
};
use js_sys::Array;
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

impl Session {
    /// Takes over what earlier pages have left.
    pub(super) async fn take_over_left(self: &Rc<Self>, document: &str, user: &str) {
        let left = JsFuture::from(self.module().left_behind(document, user)).await;
        // Without storage there is nothing.
        let Ok(left) = left else { return };
        for left in Array::from(&left).iter() {
            let left: EarlyEdits = left.unchecked_into();
            let theirs = changes_between(&left.base(), &self.doc.borrow().text());
            let Ok(mine) = left.rebase(&changes_array(&theirs)) else { continue };
            let Ok(mut copy) = self.doc.borrow().fork(clock::random_client_id()) else { continue };
            let made = self.make_early(&mut copy, changes_from(&mine));
            match self.kept.replace_early(&left, &made).await {
                Replaced::Done => {
                    let lineage = self.engine.borrow().lineage().to_owned();
                    self.restore(&made, &lineage);
                }
                Replaced::ByAnother => {}
                Replaced::NotStored => {
                    self.remember_base();
                    for it in &made {
                        // It applies to the replica of which it was made in a copy.
                        let _ = self.doc.borrow_mut().apply(&it.update);
                    }
                    self.queue(made);
                    self.early.borrow_mut().push(left);
                }
            }
        }
    }

    /// Connects the editor that the page has already mounted. Returns whether there is one.
    ///
    /// # Errors
    /// Fails if its text is not the one that it should have.
    pub(super) async fn adopt(self: &Rc<Self>) -> Result<bool, JsValue> {
        let Some(started) = self.module().started_editor() else { return Ok(false) };
        let text = self.doc.borrow().text();
        let theirs = changes_between(&started.base(), &text);
        let callbacks = Callbacks::new(&Rc::downgrade(self));
        let mine = started.adopt(&changes_array(&theirs), &callbacks.object())?;
        self.connect(started.handle(), callbacks);
        let changes = changes_from(&mine);
        let early: EarlyEdits = started.unchecked_into();
        if changes.is_empty() {
            // What was typed and undone is kept too.
            self.early.borrow_mut().push(early);
            return Ok(true);
        }
        self.remember_base();
        let made = self.make_early(&mut self.doc.borrow_mut(), changes);
        self.queue(made.clone());
        let replaced = self.kept.replace_early(&early, &made).await;
        for it in &made {
            if replaced == Replaced::Done || self.kept.put(it).await {
                self.engine.borrow_mut().stored(&it.id);
            }
        }
        if replaced != Replaced::Done {
            self.early.borrow_mut().push(early);
        }
        self.tell();
        Ok(true)
    }

    /// Queues updates. There is no socket yet, so they are not sent before they are stored.
    fn queue(self: &Rc<Self>, made: Vec<KeptUpdate>) {
        for KeptUpdate { id, update, .. } in made {
            self.drive(|engine: &mut SyncEngine, at, out| engine.edited(at, id, update, out));
        }
    }

    fn make_early(&self, doc: &mut TextDoc, changes: Vec<Change>) -> Vec<KeptUpdate> {
        make_updates(doc, self.engine.borrow().lineage(), changes)
    }

    /// Deletes what could not be replaced by updates, once the server has it.
    pub(super) fn drop_early(&self) {
        if !self.is_at_risk() {
            for early in self.early.borrow_mut().drain(..) {
                // What is left is taken over again after the next start.
                let _ = early.move_to(&Array::new());
            }
        }
    }
}
