//! Sessions of the account.

use crate::{
    extract::{PathId, SignedInCaller},
    problem::ApiResult,
    state::AppState,
};
use axum::{Json, extract::State, http::StatusCode};
use izanagi_shared::{
    problem::Problem,
    wire::{Page, SessionView},
};

/// List your sessions, most recently seen first.
#[utoipa::path(get, path = "/auth/sessions", tag = "auth",
    operation_id = "listSessions",
    responses((status = 200, body = Page<SessionView>), (status = 401, body = Problem)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    SignedInCaller(caller): SignedInCaller,
) -> ApiResult<Json<Page<SessionView>>> {
    Ok(Json(Page::whole(state.services.accounts.sessions(&caller).await?)))
}

/// End one of your sessions.
#[utoipa::path(delete, path = "/auth/sessions/{id}", tag = "auth",
    operation_id = "endSession",
    params(("id" = String, Path, format = "uuid")),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn revoke(
    State(state): State<AppState>,
    SignedInCaller(caller): SignedInCaller,
    path: PathId,
) -> ApiResult<StatusCode> {
    state.services.accounts.revoke_session(&caller, path.id("id")?).await?;
    Ok(StatusCode::NO_CONTENT)
}
