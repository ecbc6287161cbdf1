//! Uploading files.

use crate::{
    extract::{AskingUser, LazyBody},
    problem::ApiResult,
    state::AppState,
};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use izanagi_app::ssr::untitled;
use izanagi_shared::{problem::Problem, wire::UploadAnswer};
use utoipa_axum::{router::OpenApiRouter, routes};

/// Returns the routes of this resource.
pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(upload))
}

/// Upload files; each becomes a document.
#[utoipa::path(post, path = "/documents/upload", tag = "documents",
    operation_id = "uploadDocuments",
    params(("Idempotency-Key" = Option<String>, Header)),
    request_body(content_type = "multipart/form-data", description = "One or more parts named `file`."),
    responses((status = 201, body = UploadAnswer), (status = 401, body = Problem),
        (status = 413, body = Problem), (status = 422, body = Problem)))]
async fn upload(
    State(state): State<AppState>,
    AskingUser { who, user }: AskingUser,
    headers: HeaderMap,
    body: LazyBody,
) -> ApiResult<(StatusCode, Json<UploadAnswer>)> {
    let key = body.request_key(user)?;
    let uploads = body.uploads(state.config.body_limit).await?;
    let items = state.services.documents.upload(&who, uploads, untitled(&headers), key).await?;
    Ok((StatusCode::CREATED, Json(UploadAnswer { items })))
}
