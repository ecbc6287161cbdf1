//! Cookie that carries a [`Flash`] across one redirect. It is httpOnly, expires after five minutes,
//! and is deleted once its page has been rendered.

use super::{Cookies, PageContext, with_response};
use crate::flash::{Flash, Outcome};
use axum::response::{IntoResponse, Response};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts};
use leptos::{prelude::use_context, reactive::owner::with_context};

const NAME: &str = "izanagi_flash";
/// Long enough to sign in again in between.
const MAX_AGE_SECONDS: i64 = 5 * 60;
/// Browsers limit a cookie to 4 KiB, including name and attributes (RFC 6265bis §6.1).
const MAX_BYTES: usize = 3_584;

/// Returns the response to a form submitted without JavaScript: a 303 to the page that shows the
/// flash. Its values must not include secrets.
#[must_use]
pub fn answer_form(cookies: Cookies, flash: &Flash) -> Response {
    let mut headers = HeaderMap::new();
    put(cookies, &mut headers, flash);
    // The page's path has been validated; `/` is a fallback for a programming error.
    let location = HeaderValue::from_str(&flash.page).unwrap_or(HeaderValue::from_static("/"));
    headers.insert(header::LOCATION, location);
    (StatusCode::SEE_OTHER, headers).into_response()
}

/// Appends the cookie to a response.
pub(super) fn put(cookies: Cookies, headers: &mut HeaderMap, flash: &Flash) {
    if let Some(value) = encode(flash) {
        cookies.put(headers, NAME, &value, MAX_AGE_SECONDS);
    }
}

/// Takes the flash for the page being rendered. A prefetch does not consume it, because the page
/// may never be shown.
pub(super) fn take() -> Option<Flash> {
    let cookies = use_context::<PageContext>()?.cookies;
    let flash = with_context::<Parts, _>(|parts| {
        if parts.headers.contains_key("sec-purpose") {
            return None;
        }
        let flash = decode(&cookies.get(&parts.headers, NAME)?)?;
        let page = flash.page.split('?').next();
        (page == Some(parts.uri.path())).then_some(flash)
    });
    let flash = flash.flatten()?;
    with_response(|headers| cookies.put(headers, NAME, "", 0));
    Some(flash)
}

/// Restores the flash of a page that was not shown. The last `Set-Cookie` wins.
pub(super) fn keep() {
    let Some(PageContext { cookies, .. }) = use_context() else { return };
    let value = with_context::<Parts, _>(|parts| cookies.get(&parts.headers, NAME)).flatten();
    if let Some(value) = value {
        with_response(|headers| cookies.put(headers, NAME, &value, MAX_AGE_SECONDS));
    }
}

/// Encodes a flash as base64 of JSON. Values within the fields' limits fit in a cookie; otherwise
/// the longest value is truncated.
fn encode(flash: &Flash) -> Option<String> {
    let mut flash = flash.clone();
    if let Outcome::Refused(problem) = &mut flash.outcome {
        problem.current = None;
    }
    loop {
        let encoded = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&flash).ok()?);
        if encoded.len() <= MAX_BYTES {
            return Some(encoded);
        }
        let longest = flash.values.values_mut().max_by_key(|value| value.len())?;
        if longest.is_empty() {
            return None;
        }
        longest.truncate(longest.floor_char_boundary(longest.len() / 2));
    }
}

fn decode(text: &str) -> Option<Flash> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flash::Notice;
    use std::collections::BTreeMap;

    fn flash(values: BTreeMap<String, String>) -> Flash {
        let outcome = Outcome::Done(Notice::new("Moved to the trash."));
        Flash { page: "/documents".into(), form: "/fn/x".into(), values, outcome }
    }

    #[test]
    fn survives_a_redirect_unchanged() {
        let flash = flash([("title".to_owned(), "島; \"a\"".to_owned())].into());
        let response = answer_form(Cookies { secure: false }, &flash);
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        assert_eq!(response.headers()[header::LOCATION], "/documents");
        let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap();
        let (_, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
        assert_eq!(decode(value), Some(flash));
    }

    #[test]
    fn truncates_the_longest_value_until_it_fits() {
        let values = [("a".to_owned(), "島".repeat(5_000)), ("b".to_owned(), "short".to_owned())];
        let encoded = encode(&flash(values.into())).unwrap();
        let decoded = decode(&encoded).unwrap();
        assert!(encoded.len() <= MAX_BYTES);
        assert!(decoded.values["a"].len() > 500);
        assert_eq!(decoded.values["b"], "short");
    }

    #[test]
    fn a_commit_message_of_maximum_length_fits() {
        let message = "島".repeat(500);
        let encoded = encode(&flash([("message".to_owned(), message.clone())].into())).unwrap();
        assert_eq!(decode(&encoded).unwrap().values["message"], message);
    }
}
