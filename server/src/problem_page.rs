//! HTML error pages for browser navigations that fail outside the app: too many requests, a
//! cross-site form, a panic. Static HTML with the site's style sheet, because the app may be unable
//! to render.

use crate::{area::Area, headers::NO_STORE, state::AppState};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{Html, IntoResponse as _, Response},
};
use izanagi_app::ssr::{Failure, failure};
use izanagi_shared::{markdown::escape_text, problem::Problem};

/// Allows the site's styles and images; blocks scripts.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Renders problems as HTML pages for browser navigations.
pub(crate) async fn show_problems(
    State(state): State<AppState>,
    request: Request,
    next: Next,
) -> Response {
    if !is_navigation(request.uri().path(), request.headers()) {
        return next.run(request).await;
    }
    let request_id = crate::problem::request_id(&request);
    let languages = language_headers(request.headers());
    let mut response = next.run(request).await;
    let panicked = response.status() == StatusCode::INTERNAL_SERVER_ERROR
        && !response.headers().contains_key(header::CONTENT_TYPE);
    let problem = response.extensions_mut().remove::<Problem>();
    let problem = problem.or_else(|| panicked.then(internal));
    let Some(problem) = problem else { return response };
    let (mut parts, _) = response.into_parts();
    // They describe the body that the page replaces.
    for name in [header::CONTENT_LENGTH, header::CONTENT_TYPE, header::ETAG] {
        parts.headers.remove(name);
    }
    let policy = HeaderValue::from_static(POLICY);
    parts.headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    parts.headers.entry(header::CACHE_CONTROL).or_insert(NO_STORE);
    vary(&mut parts.headers, &["Accept-Language", "Cookie"]);
    let failure = failure(&languages, &problem);
    let page = page(&failure, problem.status, &request_id, &state.site.style_sheet());
    (parts, Html(page)).into_response()
}

/// Adds names to `Vary`, each once. A layer may have named others.
fn vary(headers: &mut HeaderMap, names: &[&str]) {
    let values = headers.get_all(header::VARY).iter().filter_map(|value| value.to_str().ok());
    let mut all: Vec<&str> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
    for name in names {
        if !all.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            all.push(name);
        }
    }
    // Names of headers are ASCII.
    if let Ok(value) = HeaderValue::from_str(&all.join(", ")) {
        headers.insert(header::VARY, value);
    }
}

/// Copies the headers that choose the language.
fn language_headers(headers: &HeaderMap) -> HeaderMap {
    let names = [header::ACCEPT_LANGUAGE, header::COOKIE];
    // HTTP/2 may split cookies into several lines.
    let copy = |name: HeaderName| {
        let values = headers.get_all(&name).iter().cloned();
        values.map(move |value| (name.clone(), value)).collect::<Vec<_>>()
    };
    names.into_iter().flat_map(copy).collect()
}

/// Returns whether the request is a browser navigation rather than a script or program.
fn is_navigation(path: &str, headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    Area::of(path) != Area::Api && accept.is_some_and(|accept| accept.contains("text/html"))
}

fn internal() -> Problem {
    crate::problem::plain(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal",
        "Internal error",
        "Something went wrong on our side.",
    )
}

fn page(failure: &Failure, status: u16, request_id: &str, style_sheet: &str) -> String {
    let Failure { language, title, advice, error, home, request } = failure;
    let error = error.replace("{}", &status.to_string());
    let request_id = format!("<code>{}</code>", escape_text(request_id));
    format!(
        "<!DOCTYPE html>\n<html lang=\"{language}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>{title} – Izanagi</title>\
         <link rel=\"icon\" href=\"/favicon.svg\" type=\"image/svg+xml\">\
         <link rel=\"stylesheet\" href=\"{style_sheet}\"></head><body>\
         <main id=\"main\" class=\"page problem\"><p class=\"problem-code\">{error}</p>\
         <h1>{title}</h1><p>{advice}</p>\
         <p class=\"cluster\"><a class=\"button\" href=\"/\">{home}</a></p>\
         <p class=\"soft\">{request}</p></main></body></html>\n",
        title = escape_text(title),
        advice = escape_text(advice),
        request = request.replace("{}", &request_id),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_the_problem_in_the_page() {
        let mut problem = internal();
        problem.detail = "<script>".to_owned();
        problem.code = "unknown".to_owned();
        problem.status = 400;
        let page = page(&failure(&HeaderMap::new(), &problem), 400, "1", "/main.css");
        assert!(!page.contains("<script>") && page.contains("&lt;script&gt;"), "{page}");
    }

    #[test]
    fn sends_pages_only_to_navigations() {
        let accept = |value: &str| HeaderMap::from_iter([(header::ACCEPT, value.parse().unwrap())]);
        assert!(is_navigation("/documents", &accept("text/html,*/*")));
        assert!(!is_navigation("/api/v1/documents", &accept("text/html,*/*")));
        assert!(!is_navigation("/documents", &accept("*/*")));
    }
}
