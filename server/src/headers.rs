//! Headers that answers have, whatever made them.

use crate::area::Area;
use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};

/// What protects every answer in a browser.
const PROTECTION: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
];

/// For an answer that nobody may keep: it holds a token.
pub(crate) const NO_STORE: HeaderValue = HeaderValue::from_static("private, no-store");

/// Adds them where the handler has set none.
pub(crate) async fn add_headers(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_api = Area::of(path) == Area::Api;
    let is_auth = is_api && path.contains("/auth/");
    let mut response = next.run(request).await;
    let status = response.status();
    let headers = response.headers_mut();
    for (name, value) in PROTECTION {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    // RFC 9110 §11.6.1: a 401 says how to sign in.
    if status == StatusCode::UNAUTHORIZED {
        let scheme = HeaderValue::from_static("Bearer");
        headers.entry(header::WWW_AUTHENTICATE).or_insert(scheme);
    }
    if is_api {
        keep_private(headers, is_auth);
    }
    response
}

/// What the API answers is for whoever asked, and may have changed the next time.
fn keep_private(headers: &mut HeaderMap, is_auth: bool) {
    let policy = if is_auth { NO_STORE } else { HeaderValue::from_static("private, no-cache") };
    headers.entry(header::CACHE_CONTROL).or_insert(policy);
    headers.append(header::VARY, HeaderValue::from_static("Cookie, Authorization"));
}
