//! All middleware, in order, and the layers defined here.

use crate::{
    area::Area, compress, extract::BadToken, headers, host, origin, problem, problem_page, sending,
    slow_body::KeepsArriving, state::AppState, target,
};
use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request, State},
    http::{HeaderName, Method, StatusCode, header, request::Parts},
    middleware::{Next, from_fn, from_fn_with_state, map_response},
    response::{IntoResponse, Response},
};
use axum_extra::headers::{Authorization, HeaderMapExt as _, authorization::Bearer};
use hyper::body::Body as _;
use izanagi_domain::{
    accounts::{Caller, Device, RefreshSecret, SignedIn},
    budget,
    contained::said,
    error::Error,
    principal::Principal,
};
use izanagi_shared::{id::DocumentId, problem::Problem, rules::Secret};
use std::{
    any::Any,
    net::{IpAddr, SocketAddr},
};
use tower_http::{
    catch_panic::CatchPanicLayer,
    cors::CorsLayer,
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer},
    timeout::TimeoutBody,
    trace::TraceLayer,
};
use tracing::field::{Empty, display};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Adds all layers to a router. A request passes them from the bottom to the top.
pub(crate) fn around(router: Router, state: &AppState, cors: Option<CorsLayer>) -> Router {
    let router = router
        // 5. Rate limits; needs the caller.
        .layer(from_fn_with_state(state.clone(), limit_rate))
        // 4. The caller.
        .layer(from_fn_with_state(state.clone(), identify))
        // 3. Cross-site protection, for which the request must name one host that can be trusted.
        .layer(from_fn_with_state(state.clone(), origin::refuse_foreign_writes))
        .layer(from_fn_with_state(state.clone(), host::refuse_untrusted_hosts))
        .layer(from_fn(target::refuse_unsupported))
        // 2. Panics become 500; default headers; timeouts and budgets.
        .layer(CatchPanicLayer::custom(|panic: Box<dyn Any + Send>| answer_panic(&*panic)))
        .layer(from_fn_with_state(state.clone(), headers::add_headers))
        .layer(compress::layer())
        .layer(from_fn(compress::compress_if_safe))
        .layer(from_fn_with_state(state.clone(), limit_time))
        .layer(from_fn_with_state(state.clone(), hold_budgets));
    // 1c. CORS headers, on errors too.
    let router = match cors {
        Some(cors) => router.layer(cors),
        None => router,
    };
    router
        // 1b. HTML error pages for browsers.
        .layer(from_fn_with_state(state.clone(), problem_page::show_problems))
        // 1. Bodies for errors; request id and log.
        .layer(from_fn(problem::finish_problems))
        .layer(map_response(async |response| sending::hold_until_sent(response)))
        .layer(
            // The code that answers with a failure logs it, with its cause. A second line for each
            // response would let a client fill the log.
            TraceLayer::new_for_http()
                .make_span_with(span)
                .on_request(())
                .on_response(on_response)
                .on_failure(()),
        )
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(SetRequestIdLayer::new(REQUEST_ID, MakeRequestUuid))
        // 0. A client must not choose the request id, which is written to the log.
        .layer(from_fn(drop_foreign_request_id))
}

async fn drop_foreign_request_id(mut request: Request, next: Next) -> Response {
    request.headers_mut().remove(REQUEST_ID);
    next.run(request).await
}

/// Logs only the path: a query may contain a token. Later code fills in the empty fields.
fn span(request: &Request) -> tracing::Span {
    let request_id = problem::request_id(request);
    let path = request.uri().path();
    let span = tracing::info_span!(
        "request",
        requestId = request_id,
        method = %request.method(),
        path,
        docId = Empty,
        userId = Empty,
        opId = Empty,
        seq = Empty,
    );
    if let Some(document) = document_in(path) {
        span.record("docId", display(document));
    }
    span
}

/// Returns the document in the path of an API call or page.
fn document_in(path: &str) -> Option<DocumentId> {
    let path = path.strip_prefix("/api").unwrap_or(path);
    let path = path.strip_prefix("/v1").unwrap_or(path);
    path.strip_prefix("/documents/")?.split('/').next()?.parse().ok()
}

fn on_response(response: &Response, took: std::time::Duration, _: &tracing::Span) {
    let (status, micros) = (response.status().as_u16(), took.as_micros());
    tracing::info!(status, micros, "answered");
}

/// Logs the panic with the request's id, which the process's own message lacks.
fn answer_panic(panic: &(dyn Any + Send)) -> Response {
    tracing::error!(cause = said(panic), "request panicked");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

/// A stalled or trickling body would hold resources that other requests need.
async fn limit_time(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let patience = state.config.patience;
    let request = request.map(|body| {
        // Pinned, because both keep state between two parts.
        let body = Box::pin(TimeoutBody::new(patience.body_idle, body));
        Body::new(KeepsArriving::new(body))
    });
    tokio::time::timeout(patience.request, next.run(request))
        .await
        .unwrap_or_else(|_| problem::ApiError::timed_out().into_response())
}

/// Gives a request the budgets, and its response what it holds of them.
async fn hold_budgets(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let budget = &state.services.core.budget;
    request.extensions_mut().insert(budget.clone());
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let (mut response, held) = budget::in_request(next.run(request)).await;
    // A stream has no size. It holds what was reserved for making it.
    let bytes = size_of(&response).unwrap_or_else(|| held.work_bytes());
    match budget.respond(&held, bytes).await {
        Err(error) if is_read => problem::ApiError::from(error).into_response(),
        // What is done must not be answered as if it were not.
        Ok(()) | Err(_) => {
            response.extensions_mut().insert(held);
            response
        }
    }
}

/// The size of a response. The body of a problem is written later; a failed precondition has the
/// current text in it.
fn size_of(response: &Response) -> Option<usize> {
    let problem = response.extensions().get::<Problem>();
    let current = problem.and_then(|problem| problem.current.as_ref());
    let current = current.map_or(0, |current| current.content.len().saturating_mul(2));
    let body = usize::try_from(response.body().size_hint().exact()?).ok()?;
    Some(current.saturating_add(body))
}

/// Identifies the caller and the client's address, and adds both to the request.
async fn identify(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let device = device(&parts, &state);
    let found = match find_caller(&state, &parts, &device).await {
        Ok(found) => found,
        Err(error) => {
            // Guessing tokens counts against the rate limit too.
            let allowed = state.services.limits.read(None, &device.ip).await;
            return problem::ApiError::from(allowed.err().unwrap_or(error)).into_response();
        }
    };
    parts.extensions.insert(device);
    let mut renewed = None;
    match found {
        Found::Nobody => {}
        Found::BadToken => {
            parts.extensions.insert(BadToken);
        }
        Found::Caller(caller) => {
            parts.extensions.insert(Principal::from(caller));
        }
        Found::Renewed(signed_in) => {
            parts.extensions.insert(Principal::from(signed_in.caller));
            renewed = Some(signed_in);
        }
    }
    if let Some(user) = parts.extensions.get::<Principal>().and_then(Principal::user) {
        tracing::Span::current().record("userId", display(user));
    }
    let mut response = next.run(Request::from_parts(parts, body)).await;
    // Cookies set by the handler, for sign-in or sign-out, take precedence.
    if let Some(renewed) = renewed.filter(|_| !state.cookies.decided(response.headers())) {
        state.cookies.set(response.headers_mut(), &renewed);
    }
    if state.cookies.decided(response.headers()) {
        response.headers_mut().insert(header::CACHE_CONTROL, headers::NO_STORE);
    }
    response
}

enum Found {
    Nobody,
    /// Sent an invalid or expired token. Handlers that require a caller reject it; signing in or
    /// out still works.
    BadToken,
    Caller(Caller),
    Renewed(Box<SignedIn>),
}

async fn find_caller(state: &AppState, request: &Parts, device: &Device) -> Result<Found, Error> {
    let accounts = &state.services.accounts;
    let area = Area::of(request.uri.path());
    if area == Area::Open {
        return Ok(Found::Nobody);
    }
    // An explicit token takes precedence over cookies.
    if let Some(token) = explicit_token(request, area) {
        return match accounts.authenticate(&token, &device.ip).await {
            Ok(caller) => Ok(Found::Caller(caller)),
            Err(Error::Unauthenticated) => Ok(Found::BadToken),
            Err(error) => Err(error),
        };
    }
    let cookies = state.cookies.read(&request.headers);
    if let Some(access) = &cookies.access {
        match accounts.authenticate(access, &device.ip).await {
            Ok(caller) => return Ok(Found::Caller(caller)),
            Err(Error::Unauthenticated) => {}
            Err(error) => return Err(error),
        }
    }
    // An expired access token must not sign out a reader: pages and links to files renew it
    // automatically. Programs call `POST /auth/refresh`.
    let may_renew = area == Area::Page || (area == Area::Api && is_navigation(request));
    let Some(refresh) = cookies.refresh.filter(|_| may_renew) else {
        return Ok(Found::Nobody);
    };
    let refresh = RefreshSecret::from_client(Secret::new(refresh));
    match accounts.refresh(&refresh, device).await {
        Ok(signed_in) => Ok(Found::Renewed(Box::new(signed_in))),
        Err(Error::SessionRevoked) => Ok(Found::Nobody),
        Err(error) => Err(error),
    }
}

/// Returns the token in the header or, because browsers cannot set headers of a WebSocket, in the
/// query.
fn explicit_token(request: &Parts, area: Area) -> Option<String> {
    let header = request.headers.typed_get::<Authorization<Bearer>>();
    let header = header.map(|Authorization(bearer)| bearer.token().to_owned());
    let query = request.uri.query().filter(|_| area == Area::Socket);
    header.or_else(|| {
        let mut query = form_urlencoded::parse(query?.as_bytes());
        query.find(|(name, _)| name == "token").map(|(_, token)| token.into_owned())
    })
}

/// Returns whether the user follows a link on this site (W3C Fetch Metadata).
fn is_navigation(request: &Parts) -> bool {
    let says = |name: &str, value: &str| {
        request.headers.get(name).is_some_and(|given| given.as_bytes() == value.as_bytes())
    };
    request.method == Method::GET
        && says("sec-fetch-mode", "navigate")
        && says("sec-fetch-site", "same-origin")
}

/// Returns the client: its address is the peer's or, behind a trusted proxy, the last address in
/// `X-Forwarded-For` that is not a trusted proxy.
fn device(request: &Parts, state: &AppState) -> Device {
    let peer = request.extensions.get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or(IpAddr::from([127, 0, 0, 1]), |peer| peer.0.ip());
    let trusted = |ip: &IpAddr| state.config.trusted_proxies.iter().any(|net| net.contains(ip));
    let mut ip = peer.to_canonical();
    if trusted(&ip) {
        let values = request.headers.get_all("x-forwarded-for").iter();
        let hops: Vec<&str> = values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|text| text.split(','))
            .collect();
        for hop in hops.iter().rev() {
            let Ok(hop) = hop.trim().parse::<IpAddr>() else { break };
            ip = hop.to_canonical();
            if !trusted(&ip) {
                break;
            }
        }
    }
    let agent = request.headers.get(header::USER_AGENT);
    let user_agent = agent.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    Device { ip: ip.to_string(), user_agent }
}

async fn limit_rate(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let free = path.starts_with("/pkg/")
        || path.starts_with("/words/")
        || matches!(path, "/healthz" | "/readyz");
    if !free {
        let user = request.extensions().get::<Principal>().and_then(Principal::user);
        let ip = request.extensions().get::<Device>().map_or("", |device| device.ip.as_str());
        let limits = &state.services.limits;
        let allowed = match *request.method() {
            Method::GET | Method::HEAD | Method::OPTIONS => limits.read(user, ip).await,
            _ => limits.write(user, ip).await,
        };
        if let Err(error) = allowed {
            return problem::ApiError::from(error).into_response();
        }
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("/api/v1/documents/00000000-0000-7000-8000-000000000001/ops", true)]
    #[case("/api/documents/00000000-0000-7000-8000-000000000001", true)]
    #[case("/documents/00000000-0000-7000-8000-000000000001/history", true)]
    #[case("/documents/upload", false)]
    #[case("/api/v1/me", false)]
    fn finds_the_document_in_a_path(#[case] path: &str, #[case] found: bool) {
        assert_eq!(document_in(path).is_some(), found);
    }
}
