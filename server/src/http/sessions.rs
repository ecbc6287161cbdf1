//! Sessions of the account.

use crate::{
    extract::{Path, SignedInCaller, id},
    problem::ApiResult,
    state::AppState,
};
use axum::{Json, extract::State, http::StatusCode};
use izanagi_shared::{
    id::SessionId,
    problem::Problem,
    wire::{Page, SessionView},
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Returns the routes of this resource.
pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(revoke))
}

/// The session.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct SessionPath {
    /// Session id.
    #[serde(deserialize_with = "id")]
    #[param(value_type = String, format = "uuid")]
    id: SessionId,
}

/// List your sessions, most recently seen first.
#[utoipa::path(get, path = "/auth/sessions", tag = "auth",
    operation_id = "listSessions",
    responses((status = 200, body = Page<SessionView>), (status = 401, body = Problem)))]
async fn list(
    State(state): State<AppState>,
    SignedInCaller(caller): SignedInCaller,
) -> ApiResult<Json<Page<SessionView>>> {
    Ok(Json(Page::whole(state.services.accounts.sessions(&caller).await?)))
}

/// End one of your sessions.
#[utoipa::path(delete, path = "/auth/sessions/{id}", tag = "auth",
    operation_id = "endSession",
    params(SessionPath),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem)))]
async fn revoke(
    State(state): State<AppState>,
    SignedInCaller(caller): SignedInCaller,
    Path(path): Path<SessionPath>,
) -> ApiResult<StatusCode> {
    state.services.accounts.revoke_session(&caller, path.id).await?;
    Ok(StatusCode::NO_CONTENT)
}
