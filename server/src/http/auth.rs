//! Sign-up, sign-in, refresh, sign-out.

use super::SMALL_BODY;
use crate::{
    extract::{FromDevice, LazyBody, SignedInCaller},
    problem::ApiResult,
    state::AppState,
};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use izanagi_domain::{
    accounts::{Caller, Device, RefreshSecret, SignedIn},
    error::Error,
};
use izanagi_shared::{
    problem::Problem,
    rules::Secret,
    wire::{AuthAnswer, LoginRequest, RefreshAnswer, RefreshRequest, SignupRequest},
};
use utoipa_axum::{router::OpenApiRouter, routes};

/// Returns the routes of this resource.
pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(sign_up))
        .routes(routes!(sign_in))
        .routes(routes!(refresh))
        .routes(routes!(sign_out))
        .routes(routes!(sign_out_everywhere))
}

/// Create an account and sign in.
#[utoipa::path(post, path = "/auth/signup", tag = "auth", security(()),
    operation_id = "signUp",
    request_body = SignupRequest,
    responses((status = 201, body = AuthAnswer), (status = 409, body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem)))]
async fn sign_up(
    State(state): State<AppState>,
    FromDevice(device): FromDevice,
    body: LazyBody,
) -> ApiResult<Response> {
    let accounts = &state.services.accounts;
    let turn = accounts.take_sign_up_turn(&device).await?;
    let request: SignupRequest = body.json(SMALL_BODY).await?;
    let signed_in = accounts.sign_up(turn, &request, &device).await?;
    Ok(answer(&state, StatusCode::CREATED, &signed_in))
}

/// Sign in by username or email.
#[utoipa::path(post, path = "/auth/login", tag = "auth", security(()),
    operation_id = "signIn",
    request_body = LoginRequest,
    responses((status = 200, body = AuthAnswer), (status = 401, body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem)))]
async fn sign_in(
    State(state): State<AppState>,
    FromDevice(device): FromDevice,
    body: LazyBody,
) -> ApiResult<Response> {
    let request: LoginRequest = body.json(SMALL_BODY).await?;
    let signed_in = state.services.accounts.sign_in(&request, &device).await?;
    Ok(answer(&state, StatusCode::OK, &signed_in))
}

/// Exchange the refresh token from the cookie or the body for new tokens.
#[utoipa::path(post, path = "/auth/refresh", tag = "auth", security(()),
    operation_id = "refresh",
    request_body(content = Option<RefreshRequest>),
    responses((status = 200, body = RefreshAnswer), (status = 401, body = Problem)))]
async fn refresh(
    State(state): State<AppState>,
    FromDevice(device): FromDevice,
    body: LazyBody,
) -> ApiResult<Response> {
    let from_cookie = state.cookies.read(body.headers()).refresh;
    let request: RefreshRequest = body.json_or_default(SMALL_BODY).await?;
    let token = request.refresh_token.or_else(|| from_cookie.map(Secret::new));
    let token = RefreshSecret::from_client(token.ok_or(Error::SessionRevoked)?);
    let signed_in = state.services.accounts.refresh(&token, &device).await?;
    let body = RefreshAnswer {
        access_token: signed_in.access.expose().to_owned(),
        expires_in: signed_in.expires_in,
    };
    let mut response = Json(body).into_response();
    state.cookies.set(response.headers_mut(), &signed_in);
    Ok(response)
}

/// End this session, if any.
#[utoipa::path(post, path = "/auth/logout", tag = "auth", security(()),
    operation_id = "signOut",
    responses((status = 204)))]
async fn sign_out(
    State(state): State<AppState>,
    caller: Option<SignedInCaller>,
    FromDevice(device): FromDevice,
    headers: HeaderMap,
) -> ApiResult<Response> {
    if let Some(caller) = by_any_token(&state, caller, &headers, &device).await? {
        state.services.accounts.sign_out(&caller).await?;
    }
    Ok(signed_out(&state))
}

/// End all sessions of the account.
#[utoipa::path(post, path = "/auth/logout-all", tag = "auth",
    operation_id = "signOutEverywhere",
    responses((status = 204), (status = 401, body = Problem)))]
async fn sign_out_everywhere(
    State(state): State<AppState>,
    caller: Option<SignedInCaller>,
    FromDevice(device): FromDevice,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let caller = by_any_token(&state, caller, &headers, &device).await?;
    let caller = caller.ok_or(Error::Unauthenticated)?;
    state.services.accounts.sign_out_everywhere(caller.user).await?;
    Ok(signed_out(&state))
}

/// Returns the session to end. An expired access token must not keep alive a session that the
/// refresh token could renew.
async fn by_any_token(
    state: &AppState,
    caller: Option<SignedInCaller>,
    headers: &HeaderMap,
    device: &Device,
) -> ApiResult<Option<Caller>> {
    if let Some(SignedInCaller(caller)) = caller {
        return Ok(Some(caller));
    }
    let Some(refresh) = state.cookies.read(headers).refresh else { return Ok(None) };
    let refresh = RefreshSecret::from_client(Secret::new(refresh));
    match state.services.accounts.refresh(&refresh, device).await {
        Ok(signed_in) => Ok(Some(signed_in.caller)),
        Err(Error::SessionRevoked) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn answer(state: &AppState, status: StatusCode, signed_in: &SignedIn) -> Response {
    let body = AuthAnswer {
        access_token: signed_in.access.expose().to_owned(),
        expires_in: signed_in.expires_in,
        user: signed_in.user.clone(),
    };
    tracing::Span::current().record("userId", tracing::field::display(signed_in.caller.user));
    let mut response = (status, Json(body)).into_response();
    state.cookies.set(response.headers_mut(), signed_in);
    response
}

pub(super) fn signed_out(state: &AppState) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    state.cookies.clear(response.headers_mut());
    response
}
