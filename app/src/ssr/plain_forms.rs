//! HTTP handling of server functions. Errors get their status. A form submitted without JavaScript
//! is answered with a redirect to its page, which then shows the submitted values and the errors; a
//! cookie carries them, because URLs end up in history and logs. A form submitted by a script gets
//! the next page's path or the error.

use super::{Cookies, flash};
use crate::{
    error::AppError,
    flash::{ENHANCED, Flash, Notice, Outcome, is_secret},
    own_path::own_path,
};
use axum::{
    Json,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header, response::Parts};
use http_body_util::LengthLimitError;
use izanagi_shared::problem::Problem;
use leptos::server_fn::{error::SERVER_FN_ERROR_HEADER, redirect::REDIRECT_HEADER};
use std::{collections::BTreeMap, error::Error as _};

/// Form fields are short; documents are uploaded elsewhere.
const MAX_FORM_BYTES: usize = 256 * 1024;
/// Limit for responses of server functions that are parsed here: errors and notices.
const MAX_ANSWER_BYTES: usize = 256 * 1024;

/// Path prefix of server functions; the macro reads the same variable.
const PREFIX: &str = match option_env!("SERVER_FN_PREFIX") {
    Some(prefix) => prefix,
    None => "/api",
};

/// Middleware around pages and server functions; `leptos_axum` adds the routes of both.
pub async fn plain_forms(
    State(cookies): State<Cookies>,
    mut request: Request,
    next: Next,
) -> Response {
    if !is_server_function(request.uri().path()) {
        return next.run(request).await;
    }
    let is_enhanced = is_form(&request) && request.headers().contains_key(ENHANCED);
    let is_plain = is_plain_form(&request);
    // For a browser, Leptos would answer everything with a redirect to the referer.
    request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    if !is_enhanced && !is_plain {
        return with_status(next.run(request).await).await;
    }
    let (parts, body) = request.into_parts();
    let referer = parts.headers.get(header::REFERER).and_then(|value| value.to_str().ok());
    let page = referer.and_then(path_of_url).unwrap_or("/").to_owned();
    let form = parts.uri.path().to_owned();
    let body = match to_bytes(body, MAX_FORM_BYTES).await {
        Ok(body) => body,
        Err(error) => {
            let (status, problem) = unreadable(&error);
            if is_enhanced {
                return (status, Json(problem)).into_response();
            }
            let outcome = Outcome::Refused(problem);
            return flash::answer_form(
                cookies,
                &Flash { page, form, values: BTreeMap::new(), outcome },
            );
        }
    };
    let values = typed(&body);
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    // The router refused it: no function has read the form.
    if response.extensions().get::<Problem>().is_some() {
        return response;
    }
    if is_enhanced && !response.status().is_success() {
        return with_status(response).await;
    }
    let (answer, body) = read(response).await;
    let outcome = match answer.status.is_success() {
        true => serde_json::from_slice::<Notice>(&body).ok().map(Outcome::Done),
        false => Some(Outcome::Refused(problem_in(&body))),
    };
    let led_to = answer
        .headers
        .get(header::LOCATION)
        .filter(|_| answer.headers.contains_key(REDIRECT_HEADER));
    let target = led_to.and_then(|path| path.to_str().ok()).unwrap_or(&page).to_owned();
    let mut headers = HeaderMap::new();
    for cookie in answer.headers.get_all(header::SET_COOKIE) {
        headers.append(header::SET_COOKIE, cookie.clone());
    }
    if let Some(outcome) = outcome {
        let page = target.clone();
        flash::put(cookies, &mut headers, &Flash { page, form, values, outcome });
    }
    headers.insert(
        header::LOCATION,
        HeaderValue::from_str(&target).unwrap_or(HeaderValue::from_static("/")),
    );
    let status = if is_enhanced { StatusCode::NO_CONTENT } else { StatusCode::SEE_OTHER };
    (status, headers).into_response()
}

fn is_server_function(path: &str) -> bool {
    path.strip_prefix(PREFIX).is_some_and(|rest| rest.starts_with('/'))
}

fn is_form(request: &Request) -> bool {
    *request.method() == Method::POST
        && says(request, header::CONTENT_TYPE, "application/x-www-form-urlencoded")
}

/// Returns whether a browser submitted the form and will display the response.
fn is_plain_form(request: &Request) -> bool {
    is_form(request) && says(request, header::ACCEPT, "text/html")
}

fn says(request: &Request, name: header::HeaderName, part: &str) -> bool {
    let value = request.headers().get(name).and_then(|value| value.to_str().ok());
    value.is_some_and(|value| value.contains(part))
}

/// Returns the submitted values, without secrets.
fn typed(body: &[u8]) -> BTreeMap<String, String> {
    let fields = form_urlencoded::parse(body).into_owned();
    fields.filter(|(name, _)| !is_secret(name)).collect()
}

/// Restores the status of an error: `server_fn` returns every error as 500.
async fn with_status(response: Response) -> Response {
    if !response.headers().contains_key(SERVER_FN_ERROR_HEADER) {
        return response;
    }
    let (mut parts, body) = read(response).await;
    parts.headers.remove(SERVER_FN_ERROR_HEADER);
    let problem = problem_in(&body);
    parts.status =
        StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    // Tells the layer that adds bodies to errors that this one has its own.
    parts.extensions.insert(problem);
    Response::from_parts(parts, Body::from(body))
}

async fn read(response: Response) -> (Parts, Bytes) {
    let (parts, body) = response.into_parts();
    (parts, to_bytes(body, MAX_ANSWER_BYTES).await.unwrap_or_default())
}

fn problem_in(body: &[u8]) -> Problem {
    let failed =
        || AppError::new(500, "internal", "Internal error", "Something went wrong on our side.").0;
    serde_json::from_slice(body).unwrap_or_else(|_| failed())
}

/// Returns why a form cannot be read: it is too large, or did not arrive.
fn unreadable(error: &axum::Error) -> (StatusCode, Problem) {
    let is_too_large = error.source().is_some_and(|cause| cause.is::<LengthLimitError>());
    let AppError(problem) = if is_too_large {
        AppError::new(413, "too_large", "Too large", "The form data is too large.")
    } else {
        AppError::new(408, "timeout", "Timed out", "The request took too long to arrive.")
    };
    let status =
        if is_too_large { StatusCode::PAYLOAD_TOO_LARGE } else { StatusCode::REQUEST_TIMEOUT };
    (status, problem)
}

/// Returns the path and query of a URL if they are an [`own_path`].
fn path_of_url(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let path = &rest[rest.find('/')?..];
    own_path(path.split('#').next().unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_kept() {
        let values = typed(b"login=ada&password=a&newPassword=b&%70assword=c&resetToken=d");
        assert_eq!(values, [("login".to_owned(), "ada".to_owned())].into());
    }

    #[test]
    fn a_referer_is_reduced_to_its_path() {
        assert_eq!(path_of_url("http://a:1/documents?page=2"), Some("/documents?page=2"));
        assert_eq!(path_of_url("http://a:1//b"), None);
        assert_eq!(path_of_url("http://a:1"), None);
    }
}
