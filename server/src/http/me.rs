//! The caller's own account.

use super::{SMALL_BODY, auth::signed_out};
use crate::{
    extract::{LazyBody, SignedInCaller},
    problem::ApiResult,
    state::AppState,
};
use axum::{Json, extract::State, response::Response};
use izanagi_shared::{
    problem::Problem,
    wire::{UpdateMeRequest, UserView},
};
use utoipa_axum::{router::OpenApiRouter, routes};

/// Returns the routes of this resource.
pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(show, update, delete))
}

/// Get your account.
#[utoipa::path(get, path = "/me", tag = "account",
    operation_id = "readMe",
    responses((status = 200, body = UserView), (status = 401, body = Problem)))]
async fn show(
    State(state): State<AppState>,
    SignedInCaller(caller): SignedInCaller,
) -> ApiResult<Json<UserView>> {
    Ok(Json(state.services.accounts.me(&caller).await?))
}

/// Change your public profile.
#[utoipa::path(patch, path = "/me", tag = "account",
    operation_id = "changeMe",
    request_body = UpdateMeRequest,
    responses((status = 200, body = UserView), (status = 401, body = Problem),
        (status = 422, body = Problem)))]
async fn update(
    State(state): State<AppState>,
    SignedInCaller(caller): SignedInCaller,
    body: LazyBody,
) -> ApiResult<Json<UserView>> {
    let request: UpdateMeRequest = body.json(SMALL_BODY).await?;
    Ok(Json(state.services.accounts.update_me(&caller, &request).await?))
}

/// Delete your account. Documents with other owners stay with them; the rest move to the trash.
#[utoipa::path(delete, path = "/me", tag = "account",
    operation_id = "deleteMe",
    responses((status = 204), (status = 401, body = Problem)))]
async fn delete(
    State(state): State<AppState>,
    SignedInCaller(caller): SignedInCaller,
) -> ApiResult<Response> {
    state.services.accounts.delete_me(&caller).await?;
    Ok(signed_out(&state))
}
