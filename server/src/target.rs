//! The form of a request: what every route can rely on.

use crate::problem::{plain, respond, wrong_method};
use axum::{extract::Request, middleware::Next, response::Response};
use http::{HeaderValue, Method, StatusCode, Uri, header, uri::PathAndQuery};
use std::borrow::Cow;

/// Decodes the percent-encoded unreserved characters of the path, so that equivalent addresses
/// (RFC 3986 §6.2.2.2) lead to the same route and pass the same checks.
pub(crate) fn normalise<B>(mut request: http::Request<B>) -> http::Request<B> {
    if let Some(uri) = normalised(request.uri()) {
        *request.uri_mut() = uri;
    }
    request
}

/// Returns the normalised address, if it differs.
fn normalised(uri: &Uri) -> Option<Uri> {
    let Cow::Owned(path) = decode_unreserved(uri.path()) else { return None };
    let path = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(path).ok()?);
    Uri::from_parts(parts).ok()
}

fn decode_unreserved(path: &str) -> Cow<'_, str> {
    let mut decoded = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        let digits = after.get(..2).filter(|two| two.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let character = digits.and_then(|two| u8::from_str_radix(two, 16).ok()).map(char::from);
        decoded.push_str(before);
        match character.filter(|c| c.is_ascii_alphanumeric() || "-._~".contains(*c)) {
            Some(character) => {
                decoded.push(character);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                decoded.push('%');
                rest = after;
            }
        }
    }
    decoded.push_str(rest);
    if decoded == path { Cow::Borrowed(path) } else { Cow::Owned(decoded) }
}

/// Refuses what no route supports: tunnels, and bodies that would have to be decompressed.
pub(crate) async fn refuse_unsupported(request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::CONNECT | Method::TRACE) {
        let mut response = wrong_method().await;
        let allowed = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
        response.headers_mut().insert(header::ALLOW, allowed);
        return response;
    }
    let encodings = request.headers().get_all(header::CONTENT_ENCODING).iter();
    let is_plain = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    if encodings.into_iter().all(is_plain) {
        return next.run(request).await;
    }
    let mut response = respond(plain(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        "Unsupported media type",
        "Send the body without Content-Encoding.",
    ));
    // RFC 9110 §15.5.16: says which encodings are accepted.
    let accepted = HeaderValue::from_static("identity");
    response.headers_mut().insert(header::ACCEPT_ENCODING, accepted);
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("/api/v1/%64ocuments?q=%64", "/api/v1/documents?q=%64")]
    #[case("/%61pi/v1/me", "/api/v1/me")]
    #[case("/a%2Fb%20%7e%2e%41", "/a%2Fb%20~.A")]
    #[case("/%2564", "/%2564")]
    #[case("/%", "/%")]
    #[case("/%6", "/%6")]
    #[case("/%zz%64", "/%zzd")]
    #[case("/plain?a=b", "/plain?a=b")]
    #[case("/%e5%b3%b6", "/%e5%b3%b6")]
    fn equivalent_paths_become_equal(#[case] given: &str, #[case] expected: &str) {
        let request = Request::get(given).body(()).unwrap();
        assert_eq!(normalise(request).uri(), expected);
    }
}
