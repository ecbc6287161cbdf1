//! Edit history: the log for replay, the state and the text after any edit, and editing sessions.

use super::SMALL_BODY;
use crate::{
    extract::{DocumentPath, Editable, LazyBody, Query, positive, seq},
    problem::ApiResult,
    state::AppState,
};
use axum::{Json, extract::State, http::StatusCode};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use izanagi_domain::edits::LoggedEdit;
use izanagi_shared::{
    problem::Problem,
    rules::CommitMessage,
    wire::{
        CheckpointView, EditSessionView, EditView, EditsView, ReplayView, RestoreEditRequest,
        VersionView,
    },
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Returns the routes of this resource.
pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(checkpoint))
        .routes(routes!(sessions))
        .routes(routes!(replay))
        .routes(routes!(text))
        .routes(routes!(restore))
}

/// The part of the log to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct EditsParams {
    /// Sequence number of the first edit.
    #[serde(default, deserialize_with = "seq")]
    from: Option<u64>,
    /// Sequence number of the last edit.
    #[serde(default, deserialize_with = "seq")]
    to: Option<u64>,
    /// Edits per page.
    #[param(minimum = 1, maximum = 1000)]
    #[serde(default, deserialize_with = "positive")]
    limit: Option<u32>,
}

/// Which state to return.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct CheckpointParams {
    /// The sequence number of an edit.
    seq: u64,
}

/// Where the list of sessions starts.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct SessionsParams {
    /// Sequence number of the first edit.
    #[serde(default, deserialize_with = "seq")]
    from: Option<u64>,
}

/// List edits with authors and times, in order, for replay.
#[utoipa::path(get, path = "/documents/{id}/edits", tag = "history",
    operation_id = "listEdits",
    params(DocumentPath, EditsParams),
    responses((status = 200, body = EditsView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
async fn list(
    State(state): State<AppState>,
    Editable(editor): Editable,
    Query(EditsParams { from, to, limit }): Query<EditsParams>,
) -> ApiResult<Json<EditsView>> {
    let page = state.services.edits.list(&editor, from, to, limit).await?;
    let items = page.items.into_iter().map(view).collect();
    Ok(Json(EditsView { items, next: page.next }))
}

/// Get the document's state after an edit.
#[utoipa::path(get, path = "/documents/{id}/edits/checkpoint", tag = "history",
    operation_id = "readCheckpoint",
    params(DocumentPath, CheckpointParams),
    responses((status = 200, body = CheckpointView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
async fn checkpoint(
    State(state): State<AppState>,
    Editable(editor): Editable,
    Query(CheckpointParams { seq }): Query<CheckpointParams>,
) -> ApiResult<Json<CheckpointView>> {
    let encoded = state.services.edits.checkpoint(&editor, seq).await?;
    Ok(Json(CheckpointView { seq, state_b64: STANDARD.encode(encoded) }))
}

/// List editing sessions: edits less than five minutes apart, up to 100,000 edits per call.
#[utoipa::path(get, path = "/documents/{id}/edits/sessions", tag = "history",
    operation_id = "listEditSessions",
    params(DocumentPath, SessionsParams),
    responses((status = 200, body = [EditSessionView]), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn sessions(
    State(state): State<AppState>,
    Editable(editor): Editable,
    Query(SessionsParams { from }): Query<SessionsParams>,
) -> ApiResult<Json<Vec<EditSessionView>>> {
    Ok(Json(state.services.edits.sittings(&editor, from).await?))
}

/// The edits of a replay.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ReplayParams {
    /// Sequence number of the first edit; the oldest one if absent.
    #[serde(default, deserialize_with = "seq")]
    from: Option<u64>,
    /// Maximum number of edits.
    #[param(minimum = 1, maximum = 131072)]
    #[serde(default, deserialize_with = "positive")]
    limit: Option<u32>,
}

/// Get many edits as one text, from which the text after each of them can be read.
#[utoipa::path(get, path = "/documents/{id}/edits/replay", tag = "history",
    operation_id = "readReplay",
    params(DocumentPath, ReplayParams),
    responses((status = 200, body = ReplayView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
async fn replay(
    State(state): State<AppState>,
    Editable(editor): Editable,
    Query(ReplayParams { from, limit }): Query<ReplayParams>,
) -> ApiResult<Json<ReplayView>> {
    Ok(Json(state.services.edits.replay(&editor, from, limit).await?))
}

/// Get the text after an edit, raw.
#[utoipa::path(get, path = "/documents/{id}/edits/text", tag = "history",
    operation_id = "readEditText",
    params(DocumentPath, CheckpointParams),
    responses((status = 200, body = String, content_type = "text/plain"), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn text(
    State(state): State<AppState>,
    Editable(editor): Editable,
    Query(CheckpointParams { seq }): Query<CheckpointParams>,
) -> ApiResult<String> {
    Ok(state.services.edits.text_at(&editor, seq).await?)
}

/// Restore the live text to what it was after an edit; the current text is committed first.
#[utoipa::path(post, path = "/documents/{id}/edits/restore", tag = "history",
    operation_id = "restoreEdit",
    params(DocumentPath, ("Idempotency-Key" = Option<String>, Header)),
    request_body = RestoreEditRequest,
    responses((status = 201, body = VersionView), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
async fn restore(
    State(state): State<AppState>,
    Editable(editor): Editable,
    body: LazyBody,
) -> ApiResult<(StatusCode, Json<VersionView>)> {
    let key = body.request_key(editor.user())?;
    let RestoreEditRequest { seq, message } = body.json(SMALL_BODY).await?;
    let message = message.as_deref().map(CommitMessage::parse).transpose()?;
    let version = state.services.versions.restore_edit(&editor, seq, message, key).await?;
    Ok((StatusCode::CREATED, Json(version.into())))
}

fn view(LoggedEdit { author, edit }: LoggedEdit) -> EditView {
    EditView { seq: edit.seq, at: edit.at, author, delta_b64: STANDARD.encode(edit.delta) }
}
