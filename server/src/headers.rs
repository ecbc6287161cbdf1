//! Default response headers.

use crate::{area::Area, state::AppState};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};

/// Security headers of every response.
const SECURITY_HEADERS: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
];

/// `Cache-Control` of responses that contain a token.
pub(crate) const NO_STORE: HeaderValue = HeaderValue::from_static("private, no-store");

/// For a year, browsers use https only (RFC 6797). Other services may share the domain, so this is
/// not for its subdomains.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Adds the default headers that the handler has not set.
pub(crate) async fn add_headers(
    State(state): State<AppState>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    let is_api = Area::of(path) == Area::Api;
    let is_auth = is_api && path.contains("/auth/");
    let mut response = next.run(request).await;
    let status = response.status();
    let headers = response.headers_mut();
    for (name, value) in SECURITY_HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if state.config.is_https() {
        headers.entry(header::STRICT_TRANSPORT_SECURITY).or_insert(HSTS);
    }
    // RFC 9110 §11.6.1: a 401 response must name an authentication scheme.
    if status == StatusCode::UNAUTHORIZED {
        let scheme = HeaderValue::from_static("Bearer");
        headers.entry(header::WWW_AUTHENTICATE).or_insert(scheme);
    }
    if is_api {
        keep_private(headers, is_auth);
    } else if status.is_client_error() || status.is_server_error() {
        // Browsers and caches may keep some errors without being told to (RFC 9110 §15.1).
        headers.entry(header::CACHE_CONTROL).or_insert(NO_STORE);
    }
    response
}

/// API responses are specific to the caller and must be revalidated on every use.
fn keep_private(headers: &mut HeaderMap, is_auth: bool) {
    let policy = if is_auth { NO_STORE } else { HeaderValue::from_static("private, no-cache") };
    headers.entry(header::CACHE_CONTROL).or_insert(policy);
    headers.append(header::VARY, HeaderValue::from_static("Cookie, Authorization"));
}
