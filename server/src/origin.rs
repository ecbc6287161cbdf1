//! Cross-site request protection (DESIGN §7): another site must not write, or open a WebSocket, on
//! behalf of a signed-in user. Browsers identify such requests with `Sec-Fetch-Site` and `Origin`; other clients send
//! neither header and are allowed.

use crate::{
    area::Area,
    cors,
    problem::{plain, respond},
    state::AppState,
};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::Next,
    response::Response,
};

/// Rejects writes and WebSockets from other origins. Origins listed for CORS may use the API and
/// WebSockets, but their cookies are removed.
pub(crate) async fn refuse_foreign_writes(
    State(state): State<AppState>,
    mut request: Request,
    next: Next,
) -> Response {
    let is_foreign = is_foreign(request.headers(), state.config.public_url.as_deref());
    let area = Area::of(request.uri().path());
    let is_listed = matches!(area, Area::Api | Area::Socket)
        && cors::is_listed(&state.config.cors_origins, request.headers());
    if is_foreign && is_listed {
        request.headers_mut().remove(header::COOKIE);
        let mut response = next.run(request).await;
        response.headers_mut().remove(header::SET_COOKIE);
        return response;
    }
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if is_foreign && (!is_read || area == Area::Socket) {
        return respond(plain(
            StatusCode::FORBIDDEN,
            "foreign_origin",
            "Cross-site request",
            "This request came from another site. Open Izanagi and try again there.",
        ));
    }
    next.run(request).await
}

/// Returns whether the headers name an origin other than the server's own.
fn is_foreign(headers: &HeaderMap, public_url: Option<&str>) -> bool {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok())
        && !matches!(site, "same-origin" | "none")
    {
        return true;
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return false };
    let Ok(origin) = origin.to_str() else { return true };
    match public_url {
        Some(own) => !origin.eq_ignore_ascii_case(own),
        // Without a public URL the scheme is unknown behind a proxy, so only the host is compared.
        None => {
            let own = text(header::HOST).unwrap_or_default();
            let is_own = |(scheme, host): (&str, &str)| {
                let port = if scheme == "https" { ":443" } else { ":80" };
                host.eq_ignore_ascii_case(own.strip_suffix(port).unwrap_or(own))
            };
            !origin.split_once("://").is_some_and(is_own)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::no_headers(&[], None, false)]
    #[case::own_host(&[("origin", "http://a:1"), ("host", "a:1")], None, false)]
    #[case::other_host(&[("origin", "http://b:1"), ("host", "a:1")], None, true)]
    #[case::default_port(&[("origin", "https://a"), ("host", "A:443")], None, false)]
    #[case::other_port(&[("origin", "http://a"), ("host", "a:443")], None, true)]
    #[case::no_host(&[("origin", "http://a")], None, true)]
    #[case::null_origin(&[("origin", "null"), ("host", "a:1")], None, true)]
    #[case::own_url(&[("origin", "https://a")], Some("https://a"), false)]
    #[case::other_scheme(&[("origin", "http://a")], Some("https://a"), true)]
    #[case::cross_site(&[("sec-fetch-site", "cross-site")], None, true)]
    #[case::same_site_is_not_same_origin(&[("sec-fetch-site", "same-site")], None, true)]
    #[case::direct_navigation(&[("sec-fetch-site", "none")], None, false)]
    fn detects_a_foreign_request_origin(
        #[case] headers: &[(&'static str, &'static str)],
        #[case] public_url: Option<&str>,
        #[case] foreign: bool,
    ) {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        assert_eq!(is_foreign(&headers, public_url), foreign);
    }
}
