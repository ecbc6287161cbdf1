//! Compressed responses.
//!
//! Compressing what another site can make a browser request, and partly choose, reveals the rest by
//! its size (BREACH, <https://breachattack.com>). So with a browser's cookies, only requests of our
//! own pages and of the user get a compressed response, and never one that has a token in it. Files
//! that are the same for everybody hide nothing.

use crate::area::Area;
use axum::{extract::Request, middleware::Next, response::Response};
use http::{HeaderMap, HeaderValue, header};
use tower_http::{
    CompressionLevel,
    compression::{CompressionLayer, Predicate, predicate::SizeAbove},
};

/// Smaller responses fit into a packet or two.
const LEAST_BYTES: u64 = 1_024;
/// A good ratio at about a hundred megabytes a second.
const LEVEL: i32 = 4;

/// Compresses text.
pub(crate) fn layer() -> CompressionLayer<impl Predicate> {
    let is_suitable = SizeAbove::new(LEAST_BYTES).and(is_text);
    CompressionLayer::new().quality(CompressionLevel::Precise(LEVEL)).compress_when(is_suitable)
}

fn is_text(
    _: http::StatusCode,
    _: http::Version,
    headers: &HeaderMap,
    _: &http::Extensions,
) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| {
        kind.starts_with("text/") || kind.starts_with("application/") && kind.contains("json")
    })
}

/// Lets the layer compress only where that reveals nothing, and names the result as another
/// representation than the text itself (RFC 9110 §8.8.3.3).
pub(crate) async fn compress_if_safe(mut request: Request, next: Next) -> Response {
    if !is_safe(request.uri().path(), request.headers()) {
        request.headers_mut().remove(header::ACCEPT_ENCODING);
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if headers.contains_key(header::CONTENT_ENCODING)
        && let Some(etag) =
            headers.get(header::ETAG).filter(|etag| !etag.as_bytes().starts_with(b"W/"))
        && let Ok(weak) = HeaderValue::from_bytes(&[b"W/", etag.as_bytes()].concat())
    {
        headers.insert(header::ETAG, weak);
    }
    response
}

fn is_safe(path: &str, headers: &HeaderMap) -> bool {
    let has_tokens = ["/auth/", "/fn/accounts/"].iter().any(|part| path.contains(part));
    // Over plain HTTP, browsers send this header only to localhost.
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    let is_own_request = || matches!(site, Some(b"same-origin" | b"none"));
    let is_private = || Area::of(path) != Area::Open && headers.contains_key(header::COOKIE);
    !has_tokens && (!is_private() || is_own_request())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::program("/api/v1/documents", &[], true)]
    #[case::own_page("/documents", &[("cookie", "a=b"), ("sec-fetch-site", "same-origin")], true)]
    #[case::address_bar("/documents", &[("cookie", "a=b"), ("sec-fetch-site", "none")], true)]
    #[case::other_site("/documents", &[("cookie", "a=b"), ("sec-fetch-site", "cross-site")], false)]
    #[case::sibling("/documents", &[("cookie", "a=b"), ("sec-fetch-site", "same-site")], false)]
    #[case::old_browser("/documents", &[("cookie", "a=b")], false)]
    #[case::script("/pkg/0a1b/site.js", &[("cookie", "a=b")], true)]
    #[case::words("/words/1/en-pages.json", &[("cookie", "a=b")], true)]
    #[case::icon("/icons.svg", &[("cookie", "a=b"), ("sec-fetch-site", "cross-site")], true)]
    #[case::token("/api/v1/auth/refresh", &[("sec-fetch-site", "same-origin")], false)]
    fn compresses_only_where_it_reveals_nothing(
        #[case] path: &str,
        #[case] headers: &[(&'static str, &'static str)],
        #[case] safe: bool,
    ) {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        assert_eq!(is_safe(path, &headers), safe);
    }
}
