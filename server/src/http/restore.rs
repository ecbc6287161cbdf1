//! Restoring a version.

use super::SMALL_BODY;
use crate::{
    extract::{DocumentPath, Editable, LazyBody, Path, VersionPath},
    problem::ApiResult,
    state::AppState,
};
use axum::{Json, extract::State, http::StatusCode};
use izanagi_shared::{
    problem::Problem,
    rules::CommitMessage,
    wire::{RestoreRequest, VersionView},
};
use utoipa_axum::{router::OpenApiRouter, routes};

/// Returns the routes of this resource.
pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(restore))
}

/// Restore the live text from this version; the current text is committed first.
#[utoipa::path(post, path = "/documents/{id}/versions/{n}/restore", tag = "versions",
    operation_id = "restoreVersion",
    params(DocumentPath, VersionPath,
        ("Idempotency-Key" = Option<String>, Header)),
    request_body(content = Option<RestoreRequest>),
    responses((status = 201, body = VersionView), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
async fn restore(
    State(state): State<AppState>,
    Editable(editor): Editable,
    Path(VersionPath { n: number }): Path<VersionPath>,
    body: LazyBody,
) -> ApiResult<(StatusCode, Json<VersionView>)> {
    state.services.versions.require(&editor, number).await?;
    let key = body.request_key(editor.user())?;
    let request: RestoreRequest = body.json_or_default(SMALL_BODY).await?;
    let message = request.message.as_deref().map(CommitMessage::parse).transpose()?;
    let version = state.services.versions.restore(&editor, number, message, key).await?;
    Ok((StatusCode::CREATED, Json(version.into())))
}
