//! Updates stored on this device until the server has them (PRODUCT S2). Editing continues if the
//! browser stores nothing; closing the page then asks for confirmation.

use super::{
    bindings::{EditorModule, bytes, get, object},
    clock,
};
use js_sys::{Array, Object, Uint8Array};
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

impl Kept {
    pub(super) fn new(module: EditorModule, document: String, user: String) -> Self {
        Self { module, document, user, last_order: Cell::new(0.0) }
    }

    /// Returns ids, updates and their lineages that are stored, oldest first.
    pub(super) async fn load(&self) -> Vec<(String, Vec<u8>, String)> {
        let loaded = JsFuture::from(self.module.pending_load(&self.document, &self.user)).await;
        let Ok(records) = loaded else { return Vec::new() };
        let record = |record: JsValue| {
            let update = get(&record, "update").dyn_into::<Uint8Array>().ok()?;
            let lineage = get(&record, "lineage").as_string().unwrap_or_default();
            Some((get(&record, "opId").as_string()?, update.to_vec(), lineage))
        };
        Array::from(&records).iter().filter_map(record).collect()
    }

    /// Stores an update and returns whether that succeeded.
    pub(super) async fn put(&self, id: &str, update: &[u8], lineage: &str) -> bool {
        let record = self.record(id, update, lineage);
        JsFuture::from(self.module.pending_put(&record)).await.is_ok()
    }

    /// Returns what is stored of an update. It is ordered after all earlier updates, in this tab and
    /// previous ones.
    pub(super) fn record(&self, id: &str, update: &[u8], lineage: &str) -> Object {
        let order = clock::now().max(self.last_order.get() + 1.0);
        self.last_order.set(order);
        object(&[
            ("documentId", self.document.as_str().into()),
            ("userId", self.user.as_str().into()),
            ("opId", id.into()),
            ("update", bytes(update).into()),
            ("lineage", lineage.into()),
            ("order", order.into()),
        ])
    }

    /// Deletes updates that the server has.
    pub(super) async fn drop_all(&self, ids: Vec<String>) {
        let ids = ids.iter().map(|id| JsValue::from_str(id)).collect::<Array>();
        // An update that remains is sent again after the next start, which is harmless.
        let _ = JsFuture::from(self.module.pending_drop(&self.document, &self.user, &ids)).await;
    }
}
