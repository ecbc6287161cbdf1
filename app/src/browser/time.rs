//! Times in the reader's zone.

use izanagi_shared::time::Timestamp;
use js_sys::{Date, Object, Reflect};
use leptos::wasm_bindgen::JsValue;

/// `today, 14:02`, `yesterday, 21:40`, `12 March`, `12 March 2024`.
pub(super) fn local_words(at: Timestamp) -> Option<String> {
    // Milliseconds since the epoch are exact in a double for 285,000 years.
    #[expect(clippy::cast_precision_loss, reason = "a time stays far below 2^53 milliseconds")]
    let date = Date::new(&JsValue::from_f64((at.as_micros() / 1_000) as f64));
    if date.get_time().is_nan() {
        return None;
    }
    let now = Date::new_0();
    let yesterday = Date::new_0();
    yesterday.set_date(now.get_date().saturating_sub(1));
    let time = format(&date, &[("hour", "2-digit"), ("minute", "2-digit"), ("hour12", "")]);
    let day = |other: &Date| date.to_date_string() == other.to_date_string();
    if day(&now) {
        return Some(format!("today, {time}"));
    }
    if day(&yesterday) {
        return Some(format!("yesterday, {time}"));
    }
    let mut parts = vec![("day", "numeric"), ("month", "long")];
    if date.get_full_year() != now.get_full_year() {
        parts.push(("year", "numeric"));
    }
    Some(format(&date, &parts))
}

/// In the page's language, by `Intl.DateTimeFormat`'s names; an empty value means `false`.
fn format(date: &Date, parts: &[(&str, &str)]) -> String {
    let options = Object::new();
    for (name, value) in parts {
        let value = if value.is_empty() { JsValue::FALSE } else { JsValue::from_str(value) };
        // A plain object takes any property.
        let _ = Reflect::set(&options, &JsValue::from_str(name), &value);
    }
    date.to_locale_string("en-GB", &options).into()
}
