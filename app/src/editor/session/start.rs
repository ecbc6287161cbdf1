//! What was typed before the CRDT was there: on this page, and on earlier pages that were left before
//! they had it (`frontend/editor/early.ts`). Each is an edit of the text that its page showed, and
//! becomes an edit of the CRDT, whatever others have written in between.

use super::{
    bindings::{Callbacks, EarlyEdits, changes_array, changes_from},
    open::Session,
};
use izanagi_shared::crdt::{Change, changes_between};
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
            if let Ok(mine) = left.rebase(&changes_array(&theirs)) {
                self.edit_if_any(changes_from(&mine));
                self.early.borrow_mut().push(left);
            }
        }
    }

    /// Connects the editor that the page has already mounted. Returns whether there is one.
    ///
    /// # Errors
    /// Fails if its text is not the one that it should have.
    pub(super) fn adopt(self: &Rc<Self>) -> Result<bool, JsValue> {
        let Some(started) = self.module().started_editor() else { return Ok(false) };
        let text = self.doc.borrow().text();
        let theirs = changes_between(&started.base(), &text);
        let callbacks = Callbacks::new(&Rc::downgrade(self));
        let mine = started.adopt(&changes_array(&theirs), &callbacks.object())?;
        self.connect(started.handle(), callbacks);
        self.edit_if_any(changes_from(&mine));
        self.early.borrow_mut().push(started.unchecked_into());
        Ok(true)
    }

    fn edit_if_any(self: &Rc<Self>, changes: Vec<Change>) {
        if !changes.is_empty() {
            self.edit(changes);
        }
    }

    /// Deletes what was taken over, once it is kept as updates.
    pub(super) fn drop_early(&self) {
        if !self.is_at_risk() {
            for early in self.early.borrow_mut().drain(..) {
                // What is left is taken over again after the next start.
                early.drop_kept();
            }
        }
    }
}
