//! Exports texts from the page: to the clipboard or as a file.

use js_sys::{Array, Reflect};
use leptos::{
    prelude::*,
    wasm_bindgen::{JsCast, JsValue},
    web_sys::{Blob, BlobPropertyBag, HtmlAnchorElement, Url},
};

/// Copies a text to the clipboard. Without clipboard access (pages without https), downloads a
/// file.
pub fn copy(text: String) {
    let navigator = window().navigator();
    let has_clipboard = Reflect::get(&navigator, &JsValue::from_str("clipboard"))
        .is_ok_and(|value| value.is_object());
    if !has_clipboard {
        return save("unsaved.txt", &text);
    }
    leptos::task::spawn_local(async move {
        let written = window().navigator().clipboard().write_text(&text);
        if wasm_bindgen_futures::JsFuture::from(written).await.is_err() {
            save("unsaved.txt", &text);
        }
    });
}

/// Offers a text as a download.
pub fn save(name: &str, text: &str) {
    let options = BlobPropertyBag::new();
    options.set_type("text/plain;charset=utf-8");
    let parts = Array::of1(&JsValue::from_str(text));
    let Ok(blob) = Blob::new_with_str_sequence_and_options(&parts, &options) else { return };
    let Ok(url) = Url::create_object_url_with_blob(&blob) else { return };
    let link = document()
        .create_element("a")
        .ok()
        .and_then(|link| link.dyn_into::<HtmlAnchorElement>().ok());
    if let Some(link) = link {
        link.set_href(&url);
        link.set_download(name);
        link.click();
    }
    // The download has started, so the browser no longer needs the URL.
    let _ = Url::revoke_object_url(&url);
}
