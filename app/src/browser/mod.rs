//! Browser-only code: submitting forms in place, files, menus, focus. It also compiles for
//! the server, which renders islands but never calls it.

mod fields;
mod files;
mod focus;
mod forms;
mod list;
mod menus;
mod sign_in;
mod user;

pub use fields::{check_form, clear};
pub use files::{copy, save};
pub use forms::{Field, leave, post, post_as_page_goes, send_form};
pub use list::refresh_list;
pub use sign_in::refresh_session;
pub use user::on_user;

use leptos::{
    ev,
    prelude::*,
    wasm_bindgen::{JsCast, closure::Closure},
    web_sys::Event,
};

/// Sets up a page. Its islands are hydrated afterwards, one by one.
pub fn start() {
    console_error_panic_hook::set_once();
    menus::close_menus();
    forms::listen();
    fields::listen();
    focus::restore();
    window_event_listener(ev::pageshow, |event| {
        // A page restored from the back/forward cache may show outdated lists, busy forms or what
        // belongs to a user who has signed out, so it is hidden and reloaded. An editor continues
        // where it was.
        if event.persisted() && !is_editor() {
            hide_and_reload();
        }
    });
    user::announce();
}

fn is_editor() -> bool {
    document().query_selector(".editor-page").is_ok_and(|it| it.is_some())
}

/// Hides what may belong to another user, and loads the page again.
fn hide_and_reload() {
    if let Some(page) = document().document_element() {
        // Neither can fail.
        let _ = page.set_attribute("hidden", "");
    }
    let _ = window().location().reload();
}

/// Adds a listener for the lifetime of the page.
fn on_document(name: &str, listener: impl Fn(&Event) + 'static) {
    let listener = Closure::<dyn Fn(Event)>::new(move |event: Event| listener(&event));
    // Cannot fail: the listener is a function.
    let _ = document().add_event_listener_with_callback(name, listener.as_ref().unchecked_ref());
    listener.forget();
}
