//! What only a browser can do: sending forms without leaving the page, files, menus, local times.
//! All of it also compiles for the server, where islands are rendered and none of it is called.

mod fields;
mod files;
mod forms;
mod list;
mod menus;
mod sign_in;
mod times;

pub use fields::clear;
pub use files::{copy, save};
pub use forms::{Field, leave, post, post_as_page_goes, send_form};
pub use list::refresh_list;
pub use sign_in::refresh_session;

use leptos::{
    ev,
    prelude::*,
    wasm_bindgen::{JsCast, closure::Closure},
    web_sys::Event,
};

/// Prepares a page; its islands are hydrated afterwards, one by one.
pub fn start() {
    console_error_panic_hook::set_once();
    menus::close_menus();
    forms::listen();
    fields::listen();
    times::show_local_times();
    window_event_listener(ev::pageshow, |event| {
        // On the way back a browser shows a page as it was left: lists may be out of date, forms still
        // busy. An editor takes up its work where it was.
        let is_editor = document().query_selector(".editor-page").is_ok_and(|it| it.is_some());
        if event.persisted() && !is_editor {
            // Nothing refuses to load a page anew.
            let _ = window().location().reload();
        }
    });
}

/// Listens for as long as the page lasts.
fn on_document(name: &str, listener: impl Fn(&Event) + 'static) {
    let listener = Closure::<dyn Fn(Event)>::new(move |event: Event| listener(&event));
    // Refused only for a listener that is no function.
    let _ = document().add_event_listener_with_callback(name, listener.as_ref().unchecked_ref());
    listener.forget();
}
