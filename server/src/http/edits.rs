//! Edit history: the log for replay, the state after any edit, and editing sessions.

use crate::{
    extract::{DocumentPath, Editable, Query, positive, seq},
    problem::ApiResult,
    state::AppState,
};
use axum::{Json, extract::State};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use izanagi_domain::edits::LoggedEdit;
use izanagi_shared::{
    problem::Problem,
    wire::{CheckpointView, EditSessionView, EditView, EditsView},
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Returns the routes of this resource.
pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(checkpoint)).routes(routes!(sessions))
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

fn view(LoggedEdit { author, edit }: LoggedEdit) -> EditView {
    EditView { seq: edit.seq, at: edit.at, author, delta_b64: STANDARD.encode(edit.delta) }
}
