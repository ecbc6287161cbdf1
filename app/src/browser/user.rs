//! Who is signed in, told to the other tabs of this browser: they have the same cookies, but may show
//! what belongs to a user who has signed out.

use super::{hide_and_reload, is_editor};
use js_sys::Reflect;
use leptos::{
    prelude::{document, window},
    wasm_bindgen::{JsCast, JsValue, closure::Closure},
    web_sys::{BroadcastChannel, MessageEvent},
};

const CHANNEL: &str = "izanagi-user";

/// Tells other tabs whose page this is. A page of another user is hidden and loaded again; an editor
/// looks after its edits itself.
pub(super) fn announce() {
    let user = shown_user();
    if !user.is_empty() && !is_editor() {
        let own = user.clone();
        on_user(move |other| {
            if other != own {
                hide_and_reload();
            }
        });
    }
    // Otherwise two pages that were rendered for different users would reload each other forever.
    if is_reloaded() {
        return;
    }
    if let Ok(channel) = BroadcastChannel::new(CHANNEL) {
        // Fails only for a value that cannot be copied.
        let _ = channel.post_message(&JsValue::from_str(&user));
        channel.close();
    }
}

/// Calls a function with the user of each page that is opened in this browser; empty if none is signed
/// in.
pub fn on_user(call: impl Fn(&str) + 'static) {
    // Without channels, a tab learns it from the server only.
    let Ok(channel) = BroadcastChannel::new(CHANNEL) else { return };
    let listener = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
        call(&event.data().as_string().unwrap_or_default());
    });
    channel.set_onmessage(Some(listener.as_ref().unchecked_ref()));
    // Both live as long as the page.
    listener.forget();
    std::mem::forget(channel);
}

/// The user for whom the server rendered this page (`components/header.rs`).
fn shown_user() -> String {
    let shown = document().query_selector("[data-user]").ok().flatten();
    shown.and_then(|it| it.get_attribute("data-user")).unwrap_or_default()
}

fn is_reloaded() -> bool {
    let entries = window().performance().map(|it| it.get_entries_by_type("navigation"));
    let first = entries.map(|entries| entries.get(0));
    let kind = first.and_then(|first| Reflect::get(&first, &JsValue::from_str("type")).ok());
    kind.and_then(|kind| kind.as_string()).is_some_and(|kind| kind == "reload")
}
