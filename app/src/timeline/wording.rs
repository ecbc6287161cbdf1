//! Author and time of an edit, in words.

use crate::words;
use izanagi_shared::{id::ActorId, replay::Replay, wire::Person};
use js_sys::{Date, Object, Reflect};
use leptos::{prelude::document, wasm_bindgen::JsValue};

/// Returns author and time of an edit, in words.
pub(super) fn about(replay: &Replay, position: usize) -> String {
    if position == 0 || replay.is_empty() {
        return String::new();
    }
    let Some(time) = replay.time(position) else { return String::new() };
    let person = replay.author(position).and_then(|author| replay.people.get(author));
    match person {
        Some(person) => words::timeline_about(&author_name(person), &local_time(time)),
        None => words::timeline_damaged_edit(),
    }
}

/// Returns the name of an author as this page shows it. An account that was deleted has no username.
pub(super) fn author_name(person: &Person) -> String {
    match person {
        Person { username, display_name, .. } if !username.is_empty() => display_name.clone(),
        Person { id, .. } if id.0 == ActorId::SERVER.0 => words::timeline_server(),
        Person { .. } => words::timeline_former(),
    }
}

/// Formats a time in the reader's time zone and the page's language.
fn local_time(milliseconds: i64) -> String {
    let options = Object::new();
    for (name, style) in [("dateStyle", "long"), ("timeStyle", "medium")] {
        // Fails only for something that is not an object.
        let _ = Reflect::set(&options, &JsValue::from_str(name), &JsValue::from_str(style));
    }
    let language = document().document_element().and_then(|page| page.get_attribute("lang"));
    // As the other times of a page.
    let locale = match language.as_deref() {
        None | Some("en") => "en-GB",
        Some(other) => other,
    };
    #[expect(clippy::cast_precision_loss, reason = "years have fewer milliseconds")]
    let date = Date::new(&JsValue::from_f64(milliseconds as f64));
    date.to_locale_string(locale, &options).into()
}
