//! Tells the other tabs of this browser a new title.

use izanagi_shared::id::DocumentId;
use leptos::{
    wasm_bindgen::{JsCast, JsValue, closure::Closure},
    web_sys::{BroadcastChannel, MessageEvent},
};
use std::cell::RefCell;

const NAME: &str = "izanagi-titles";

thread_local! {
    /// Messages do not reach the channel that sends them, so a page has only one.
    static CHANNEL: RefCell<Option<BroadcastChannel>> = const { RefCell::new(None) };
}

/// Calls a function with the titles of this document that other tabs have saved.
pub(super) fn listen(document: DocumentId, learn: impl Fn(&str) + 'static) {
    // Without it, a tab learns titles from the server only.
    let Ok(channel) = BroadcastChannel::new(NAME) else { return };
    let start = format!("{document} ");
    let listener = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
        if let Some(title) =
            event.data().as_string().as_deref().and_then(|it| it.strip_prefix(&start))
        {
            learn(title);
        }
    });
    channel.set_onmessage(Some(listener.as_ref().unchecked_ref()));
    // It lives as long as the page.
    listener.forget();
    CHANNEL.set(Some(channel));
}

/// Tells the other tabs the saved title of a document.
pub(super) fn tell(document: DocumentId, title: &str) {
    CHANNEL.with_borrow(|channel| {
        if let Some(channel) = channel {
            // Fails only for a value that cannot be copied.
            let _ = channel.post_message(&JsValue::from_str(&format!("{document} {title}")));
        }
    });
}
