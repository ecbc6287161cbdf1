//! Where a write comes from (DESIGN §7): another site must not write in a signed-in browser's name.
//! Browsers say so by `Sec-Fetch-Site` and `Origin`; programs send neither, and pass.

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

/// Refuses writes that another site sends, unless it is listed and goes to the API: then its cookies
/// do not count.
pub(crate) async fn refuse_foreign_writes(
    State(state): State<AppState>,
    mut request: Request,
    next: Next,
) -> Response {
    let is_foreign = is_foreign(request.headers(), state.config.public_url.as_deref());
    let is_listed = Area::of(request.uri().path()) == Area::Api
        && cors::is_listed(&state.config.cors_origins, request.headers());
    if is_foreign && is_listed {
        request.headers_mut().remove(header::COOKIE);
        let mut response = next.run(request).await;
        response.headers_mut().remove(header::SET_COOKIE);
        return response;
    }
    let is_write = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if is_write && is_foreign {
        return respond(plain(
            StatusCode::FORBIDDEN,
            "foreign_origin",
            "Another site",
            "This request comes from another site. Open Izanagi itself and try there.",
        ));
    }
    next.run(request).await
}

/// Whether the headers say that the request comes from another origin than ours.
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
        // Without a public URL the scheme is unknown behind a proxy: the host decides.
        None => {
            let host = origin.split_once("://").map(|(_, host)| host);
            host.is_none() || host != text(header::HOST)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::a_program(&[], None, false)]
    #[case::own_host(&[("origin", "http://a:1"), ("host", "a:1")], None, false)]
    #[case::other_host(&[("origin", "http://b:1"), ("host", "a:1")], None, true)]
    #[case::null_origin(&[("origin", "null"), ("host", "a:1")], None, true)]
    #[case::own_url(&[("origin", "https://a")], Some("https://a"), false)]
    #[case::other_scheme(&[("origin", "http://a")], Some("https://a"), true)]
    #[case::cross_site(&[("sec-fetch-site", "cross-site")], None, true)]
    #[case::same_site_is_not_same_origin(&[("sec-fetch-site", "same-site")], None, true)]
    #[case::typed_in(&[("sec-fetch-site", "none")], None, false)]
    fn origins(
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
