//! Times in the reader's time zone.

use crate::words;
use js_sys::{Date, Object, Reflect};
use leptos::{
    prelude::*,
    wasm_bindgen::{JsCast, JsValue},
    web_sys::Element,
};

/// Rewrites the page's times, which the server renders in UTC, in the reader's time zone.
pub(super) fn show_local_times() {
    let Ok(found) = document().query_selector_all("time[datetime]") else { return };
    let times = (0..found.length()).filter_map(|at| found.get(at)?.dyn_into::<Element>().ok());
    for time in times {
        let words = time.get_attribute("datetime").and_then(|at| local_words(&at));
        if let Some(words) = words {
            time.set_text_content(Some(&words));
        }
    }
}

/// Formats an RFC 3339 time as `today, 14:02`, `yesterday, 21:40`, `12 March` or `12 March 2024`.
fn local_words(at: &str) -> Option<String> {
    let date = Date::new(&JsValue::from_str(at));
    if date.get_time().is_nan() {
        return None;
    }
    let now = Date::new_0();
    let yesterday = Date::new_0();
    yesterday.set_date(now.get_date().saturating_sub(1));
    let time = format(&date, &[("hour", "2-digit"), ("minute", "2-digit"), ("hour12", "")]);
    let day = |other: &Date| date.to_date_string() == other.to_date_string();
    if day(&now) {
        return Some(words::today(&time));
    }
    if day(&yesterday) {
        return Some(words::yesterday(&time));
    }
    let mut parts = vec![("day", "numeric"), ("month", "long")];
    if date.get_full_year() != now.get_full_year() {
        parts.push(("year", "numeric"));
    }
    Some(format(&date, &parts))
}

/// Formats in the page's language with the options of `Intl.DateTimeFormat`; an empty value means
/// `false`.
fn format(date: &Date, parts: &[(&str, &str)]) -> String {
    let options = Object::new();
    for (name, value) in parts {
        let value = if value.is_empty() { JsValue::FALSE } else { JsValue::from_str(value) };
        // Setting a property of a plain object cannot fail.
        let _ = Reflect::set(&options, &JsValue::from_str(name), &value);
    }
    let language = document().document_element().and_then(|page| page.get_attribute("lang"));
    let language = language.unwrap_or_default();
    // As on the server, English names the day before the month.
    let locale = if language == "en" { "en-GB" } else { &language };
    date.to_locale_string(locale, &options).into()
}
