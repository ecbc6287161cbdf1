//! What this device stores until the server has it (PRODUCT S2): updates, and texts of pages with
//! edits that are not saved. Editing continues if the browser stores nothing; closing the page then
//! asks for confirmation.

use super::{
    bindings::{EarlyEdits, EditorModule, bytes, get, object},
    clock,
};
use js_sys::{Array, Object, Promise, Uint8Array};
use leptos::wasm_bindgen::{JsCast, JsValue};
use std::cell::Cell;
use wasm_bindgen_futures::JsFuture;

/// Storage for one document and one user.
pub(super) struct Kept {
    module: EditorModule,
    document: String,
    user: String,
    last_order: Cell<f64>,
}

/// An update that the server has not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeptUpdate {
    pub(super) id: String,
    pub(super) update: Vec<u8>,
    /// The lineage in which it was made; it is of no use in another one.
    pub(super) lineage: String,
    /// What it inserts.
    pub(super) typed: String,
}

/// The text of a page whose edits are not saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeptText {
    /// Names the page.
    pub(super) id: String,
    pub(super) lineage: String,
    /// The last text of which the page knows that it was saved.
    pub(super) saved: String,
    /// The page's text.
    pub(super) mine: String,
    /// Updates whose effects are in the page's text and not in the saved one.
    pub(super) op_ids: Vec<String>,
    /// The document lacks words that were saved, and the user has not said what to do.
    pub(super) is_asked: bool,
}

/// What became of [`Kept::replace`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Replaced {
    Done,
    /// Another tab has replaced some of it before.
    ByAnother,
    /// This device stores nothing.
    NotStored,
}

impl Kept {
    pub(super) fn new(module: EditorModule, document: String, user: String) -> Self {
        Self { module, document, user, last_order: Cell::new(0.0) }
    }

    /// Returns what is stored: updates, oldest first, and texts.
    pub(super) async fn load(&self) -> (Vec<KeptUpdate>, Vec<KeptText>) {
        let loaded = JsFuture::from(self.module.kept_load(&self.document, &self.user)).await;
        let Ok(kept) = loaded else { return Default::default() };
        let list = |name| Array::from(&get(&kept, name)).to_vec();
        let updates = list("updates").iter().filter_map(update_of).collect();
        (updates, list("texts").iter().filter_map(text_of).collect())
    }

    /// Stores an update and returns whether that succeeded.
    pub(super) async fn put(&self, update: &KeptUpdate) -> bool {
        JsFuture::from(self.module.pending_put(&self.record(update))).await.is_ok()
    }

    fn record(&self, update: &KeptUpdate) -> Object {
        // Ordered after all earlier updates, in this tab and previous ones.
        let order = clock::now().max(self.last_order.get() + 1.0);
        self.last_order.set(order);
        self.object_with(&[
            ("opId", update.id.as_str().into()),
            ("update", bytes(&update.update).into()),
            ("lineage", update.lineage.as_str().into()),
            ("typed", update.typed.as_str().into()),
            ("order", order.into()),
        ])
    }

    /// Deletes updates that the server has.
    pub(super) async fn drop_all(&self, ids: Vec<String>) {
        // An update that remains is sent again after the next start, which is harmless.
        let dropped = self.module.pending_drop(&self.document, &self.user, &strings(&ids));
        let _ = JsFuture::from(dropped).await;
    }

    /// Replaces updates and texts by other updates, all at once and only if all of them are there.
    pub(super) async fn replace(
        &self,
        op_ids: &[String],
        text_ids: &[String],
        updates: &[KeptUpdate],
    ) -> Replaced {
        let (document, user) = (&self.document, &self.user);
        let (op_ids, text_ids) = (strings(op_ids), strings(text_ids));
        let updates = self.records(updates);
        outcome(self.module.kept_move(document, user, &op_ids, &text_ids, &updates)).await
    }

    /// Replaces what was typed before there was a replica by the updates that it has become.
    pub(super) async fn replace_early(
        &self,
        early: &EarlyEdits,
        updates: &[KeptUpdate],
    ) -> Replaced {
        outcome(early.move_to(&self.records(updates))).await
    }

    fn records(&self, updates: &[KeptUpdate]) -> Array {
        updates.iter().map(|it| JsValue::from(self.record(it))).collect()
    }

    /// Stores a text in place of the last one of this page; returns whether that succeeded.
    pub(super) async fn put_text(&self, text: &KeptText) -> bool {
        let record = self.object_with(&[
            ("id", text.id.as_str().into()),
            ("lineage", text.lineage.as_str().into()),
            ("base", text.saved.as_str().into()),
            ("mine", text.mine.as_str().into()),
            ("opIds", strings(&text.op_ids).into()),
            ("isAsked", text.is_asked.into()),
            ("at", clock::now().into()),
        ]);
        JsFuture::from(self.module.text_put(&record)).await.is_ok()
    }

    /// Deletes texts.
    pub(super) async fn drop_texts(&self, ids: &[String]) {
        // One that remains is compared with the document after the next start.
        let dropped = self.module.text_drop(&self.document, &self.user, &strings(ids));
        let _ = JsFuture::from(dropped).await;
    }

    fn object_with(&self, properties: &[(&str, JsValue)]) -> Object {
        let of =
            [("documentId", self.document.as_str().into()), ("userId", self.user.as_str().into())];
        object(&[&of, properties].concat())
    }
}

async fn outcome(replaced: Promise) -> Replaced {
    match JsFuture::from(replaced).await {
        Ok(is_done) if is_done.is_truthy() => Replaced::Done,
        Ok(_) => Replaced::ByAnother,
        Err(_) => Replaced::NotStored,
    }
}

fn update_of(record: &JsValue) -> Option<KeptUpdate> {
    let update = get(record, "update").dyn_into::<Uint8Array>().ok()?.to_vec();
    let text = |name| get(record, name).as_string();
    let (lineage, typed) = (text("lineage").unwrap_or_default(), text("typed").unwrap_or_default());
    Some(KeptUpdate { id: text("opId")?, update, lineage, typed })
}

fn text_of(record: &JsValue) -> Option<KeptText> {
    let text = |name| get(record, name).as_string();
    let op_ids = Array::from(&get(record, "opIds")).to_vec();
    Some(KeptText {
        id: text("id")?,
        lineage: text("lineage")?,
        saved: text("base")?,
        mine: text("mine")?,
        op_ids: op_ids.iter().filter_map(JsValue::as_string).collect(),
        is_asked: get(record, "isAsked").is_truthy(),
    })
}

fn strings(strings: &[String]) -> Array {
    strings.iter().map(|it| JsValue::from_str(it)).collect()
}
