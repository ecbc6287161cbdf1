//! Error responses as problem details (RFC 9457, DESIGN §8). A handler's error travels in the
//! response extensions; a middleware adds the body and the request id.

use crate::area::Area;
use axum::{
    Json,
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use axum_extra::headers::{HeaderMapExt as _, RetryAfter};
use izanagi_domain::error::Error;
use izanagi_shared::problem::Problem;
use std::time::Duration;

/// Error of a handler.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// Error of the domain.
    Domain(Error),
    /// Error specific to HTTP.
    Transport(Box<Problem>),
}

impl ApiError {
    /// The request body stopped arriving.
    pub(crate) fn timed_out() -> Self {
        Self::Transport(Box::new(timed_out()))
    }

    /// Converts the error to what the client sees and logs the internal cause, if any.
    pub(crate) fn into_problem(self) -> Problem {
        match self {
            Self::Domain(error) => {
                error.log();
                error.problem()
            }
            Self::Transport(problem) => *problem,
        }
    }

    const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Domain(error) => error.retry_after(),
            Self::Transport(_) => None,
        }
    }
}

/// Result of a handler.
pub(crate) type ApiResult<T> = Result<T, ApiError>;

impl<E: Into<Error>> From<E> for ApiError {
    fn from(error: E) -> Self {
        Self::Domain(error.into())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let retry_after = self.retry_after();
        let mut response = respond(self.into_problem());
        if let Some(wait) = retry_after {
            // Round up to whole seconds: a client that returned too early would be rejected again.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            let wait = RetryAfter::delay(Duration::from_secs(seconds.max(1)));
            response.headers_mut().typed_insert(wait);
        }
        response
    }
}

/// Creates a response whose body [`finish_problems`] fills in.
pub(crate) fn respond(problem: Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = status.into_response();
    response.extensions_mut().insert(problem);
    response
}

/// Creates a problem for an error outside the domain, such as one from the router or a layer.
pub(crate) fn plain(status: StatusCode, code: &str, title: &str, detail: &str) -> Problem {
    Problem {
        kind: "about:blank".to_owned(),
        title: title.to_owned(),
        status: status.as_u16(),
        detail: detail.to_owned(),
        code: code.to_owned(),
        request_id: String::new(),
        args: Vec::new(),
        errors: Vec::new(),
        current: None,
    }
}

/// Answers requests for which there is no route.
pub(crate) async fn nothing_here() -> Response {
    respond(not_found())
}

/// Answers requests with a method that their route does not support.
pub(crate) async fn wrong_method() -> Response {
    respond(method_not_allowed())
}

/// Turns every error response of the API and of WebSockets into a problem document with the request
/// id.
pub(crate) async fn finish_problems(request: Request, next: Next) -> Response {
    let request_id = request_id(&request);
    // Pages render their own body for missing resources.
    let is_api = matches!(Area::of(request.uri().path()), Area::Api | Area::Socket);
    let mut response = next.run(request).await;
    let known = response.extensions_mut().remove::<Problem>();
    let problem = known.or_else(|| is_api.then(|| by_status(response.status())).flatten());
    let Some(mut problem) = problem else { return response };
    problem.request_id = request_id;
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    let mut finished = (parts, Json(problem)).into_response();
    let kind = HeaderValue::from_static("application/problem+json");
    finished.headers_mut().insert(header::CONTENT_TYPE, kind);
    finished
}

/// Returns the problem for a status code set by the router or a layer.
fn by_status(status: StatusCode) -> Option<Problem> {
    let (code, title, detail) = match status {
        StatusCode::NOT_FOUND => return Some(not_found()),
        StatusCode::METHOD_NOT_ALLOWED => return Some(method_not_allowed()),
        StatusCode::PAYLOAD_TOO_LARGE => {
            ("too_large", "Too large", "The request body is too large.")
        }
        StatusCode::REQUEST_TIMEOUT => return Some(timed_out()),
        status if status.is_server_error() => {
            ("internal", "Internal error", "Something went wrong on our side.")
        }
        _ => return None,
    };
    Some(plain(status, code, title, detail))
}

fn not_found() -> Problem {
    let detail = "There is nothing at this path.";
    plain(StatusCode::NOT_FOUND, "not_found", "Not found", detail)
}

fn method_not_allowed() -> Problem {
    let detail = "This path does not support this method.";
    plain(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "Method not allowed", detail)
}

fn timed_out() -> Problem {
    let detail = "The request took too long to arrive.";
    plain(StatusCode::REQUEST_TIMEOUT, "timeout", "Timed out", detail)
}

/// Returns the id assigned to the request on arrival.
pub(crate) fn request_id(request: &Request) -> String {
    request
        .extensions()
        .get::<tower_http::request_id::RequestId>()
        .and_then(|id| id.header_value().to_str().ok())
        .unwrap_or_default()
        .to_owned()
}
