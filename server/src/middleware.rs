//! The whole stack, in order, and the layers that are ours.

use crate::{origin, problem, problem_page, state::AppState};
use axum::{
    Router,
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, header, request::Parts},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
};
use izanagi_domain::accounts::{Caller, Device, RefreshSecret, SignedIn};
use izanagi_shared::rules::Secret;
use std::net::{IpAddr, SocketAddr};
use tower_http::{
    catch_panic::CatchPanicLayer,
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer},
    trace::TraceLayer,
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Puts the stack around every route. A request goes through it from the bottom to the top.
pub(crate) fn around(router: Router, state: &AppState) -> Router {
    router
        // 5. How often they may ask; needs to know who asks.
        .layer(from_fn_with_state(state.clone(), limit_rate))
        // 4. Who is asking.
        .layer(from_fn_with_state(state.clone(), identify))
        // 3. Whether another site sent it.
        .layer(from_fn_with_state(state.clone(), origin::refuse_foreign_writes))
        // 2. Headers that every response has; a panic becomes a 500.
        .layer(from_fn(add_headers))
        .layer(CatchPanicLayer::custom(|_| {
            axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }))
        // 1b. A page where a person reads.
        .layer(from_fn_with_state(state.clone(), problem_page::show_problems))
        // 1. A body for every refusal; the request's id, and its line in the log.
        .layer(from_fn(problem::finish_problems))
        .layer(
            TraceLayer::new_for_http().make_span_with(span).on_request(()).on_response(on_response),
        )
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(SetRequestIdLayer::new(REQUEST_ID, MakeRequestUuid))
        // 0. An id that a client sends would let it write what it likes into the log.
        .layer(from_fn(drop_foreign_request_id))
}

async fn drop_foreign_request_id(mut request: Request, next: Next) -> Response {
    request.headers_mut().remove(REQUEST_ID);
    next.run(request).await
}

/// The path alone: a query may hold a token.
fn span(request: &Request) -> tracing::Span {
    let request_id = problem::request_id(request);
    tracing::info_span!("request", requestId = request_id, method = %request.method(), path = request.uri().path())
}

fn on_response(response: &Response, took: std::time::Duration, _: &tracing::Span) {
    let (status, micros) = (response.status().as_u16(), took.as_micros());
    tracing::info!(status, micros, "answered");
}

async fn add_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Finds out who is asking and from where, and puts both into the request.
async fn identify(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let device = device(&parts, &state);
    let (caller, renewed) = match find_caller(&state, &parts, &device).await {
        Ok(found) => found,
        Err(refusal) => {
            // Trying tokens is asking too.
            let allowed = state.services.limits.read(None, &device.ip);
            return allowed
                .map_or_else(|error| problem::ApiError::from(error).into_response(), |()| refusal);
        }
    };
    parts.extensions.insert(device);
    if let Some(caller) = caller {
        parts.extensions.insert(caller);
    }
    let mut response = next.run(Request::from_parts(parts, body)).await;
    if let Some(renewed) = renewed {
        // A handler that signs in or out has the last word.
        if !response.headers().contains_key(header::SET_COOKIE) {
            state.cookies.set(response.headers_mut(), &renewed);
        }
    }
    response
}

type Found = (Option<Caller>, Option<SignedIn>);

async fn find_caller(
    state: &AppState,
    request: &Parts,
    device: &Device,
) -> Result<Found, Response> {
    let accounts = &state.services.accounts;
    let refuse =
        |error: izanagi_domain::error::Error| problem::ApiError::from(error).into_response();
    // Who sends a token of its own wants to be this and nobody else.
    if let Some(token) = bearer(&request.headers) {
        let caller = accounts.authenticate(token, &device.ip).await.map_err(refuse)?;
        return Ok((Some(caller), None));
    }
    let cookies = state.cookies.read(&request.headers);
    if let Some(access) = &cookies.access {
        match accounts.authenticate(access, &device.ip).await {
            Ok(caller) => return Ok((Some(caller), None)),
            Err(izanagi_domain::error::Error::Unauthenticated) => {}
            Err(error) => return Err(refuse(error)),
        }
    }
    // Reading must not sign anybody out: a page renews an expired access token by itself.
    let Some(refresh) = cookies.refresh.filter(|_| is_page(request)) else {
        return Ok((None, None));
    };
    let refresh = RefreshSecret::from_client(Secret::new(refresh));
    match accounts.refresh(&refresh, device).await {
        Ok(signed_in) => Ok((Some(signed_in.caller), Some(signed_in))),
        Err(izanagi_domain::error::Error::SessionRevoked) => Ok((None, None)),
        Err(error) => Err(refuse(error)),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Pages and their server functions; programs renew by `POST /auth/refresh`.
fn is_page(request: &Parts) -> bool {
    let path = request.uri.path();
    let is_other = ["/api/", "/pkg/", "/healthz", "/readyz", "/.well-known/", "/docs"]
        .iter()
        .any(|prefix| path.starts_with(prefix));
    !is_other
}

/// The client's address: the peer's, or, behind a trusted proxy, the last one in
/// `X-Forwarded-For` that is none of ours.
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
    let free = path.starts_with("/pkg/") || matches!(path, "/healthz" | "/readyz");
    if !free {
        let user = request.extensions().get::<Caller>().map(|caller| caller.user);
        let ip = request.extensions().get::<Device>().map_or("", |device| device.ip.as_str());
        let limits = &state.services.limits;
        let allowed = match *request.method() {
            Method::GET | Method::HEAD | Method::OPTIONS => limits.read(user, ip),
            _ => limits.write(user, ip),
        };
        if let Err(error) = allowed {
            return problem::ApiError::from(error).into_response();
        }
    }
    next.run(request).await
}
