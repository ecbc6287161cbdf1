//! What was typed before the CRDT was there: on this page, and on earlier pages that were left before
//! they had it (`frontend/editor/early.ts`). Each is an edit of the text that its page showed, and
//! becomes an edit of the CRDT, whatever others have written in between.

use super::{
    bindings::{Callbacks, EarlyEdits, changes_array, changes_from},
    clock,
    open::Session,
};
use crate::editor::split_long_inserts;
use izanagi_shared::crdt::{Change, changes_between};
use js_sys::Array;
use std::{future::Future, rc::Rc};
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
                self.edit_early(changes_from(&mine), &left).await;
            }
        }
    }

    /// Connects the editor that the page has already mounted, if there is one. What was typed in it
    /// is stored once the result is ready, and may be sent from then on.
    ///
    /// # Errors
    /// Fails if its text is not the one that it should have.
    pub(super) fn adopt(
        self: &Rc<Self>,
    ) -> Result<Option<impl Future<Output = ()> + use<>>, JsValue> {
        let Some(started) = self.module().started_editor() else { return Ok(None) };
        let text = self.doc.borrow().text();
        let theirs = changes_between(&started.base(), &text);
        let callbacks = Callbacks::new(&Rc::downgrade(self));
        let mine = started.adopt(&changes_array(&theirs), &callbacks.object())?;
        self.connect(started.handle(), callbacks);
        Ok(Some(self.edit_early(changes_from(&mine), started.unchecked_ref())))
    }

    /// Makes early edits edits of the replica. The device stores their updates, and forgets the early
    /// edits, in one step, which is ordered before that of any later edit. The engine must not start
    /// before: a page that is left after sending and before that step would send them once more.
    fn edit_early(
        self: &Rc<Self>,
        changes: Vec<Change>,
        early: &EarlyEdits,
    ) -> impl Future<Output = ()> + use<> {
        if !changes.is_empty() {
            self.remember_base();
        }
        let lineage = self.engine.borrow().lineage().to_owned();
        let (mut ids, records) = (Vec::new(), Array::new());
        for edit in split_long_inserts(changes) {
            let (id, update) = (clock::random_id(), self.doc.borrow_mut().edit(&edit));
            records.push(&self.kept.record(&id, &update, &lineage));
            self.drive(|engine, at, out| engine.edited(at, id.clone(), update, out));
            ids.push(id);
        }
        let storing = early.become_updates(&records);
        let session = Rc::clone(self);
        async move {
            // Without storage they are at risk until the server has them, as any edit then is.
            if JsFuture::from(storing).await.is_ok() {
                for id in ids {
                    session.engine.borrow_mut().stored(&id);
                }
            }
            session.tell();
        }
    }
}
