//! Edit history: the log for replay, the state after any edit, and editing sessions.

use crate::{
    extract::{Editable, Fields},
    problem::ApiResult,
    state::AppState,
};
use axum::{Json, extract::State};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use izanagi_domain::edits::LoggedEdit;
use izanagi_shared::{
    problem::{FieldError, Problem},
    wire::{CheckpointView, EditSessionView, EditView, EditsView},
};

const WHOLE_NUMBER: &str = "Use a whole number.";

/// List edits with authors and times, in order, for replay.
#[utoipa::path(get, path = "/documents/{id}/edits", tag = "history",
    operation_id = "listEdits",
    params(("id" = String, Path, format = "uuid"), ("from" = Option<u64>, Query),
        ("to" = Option<u64>, Query), ("limit" = Option<u32>, Query)),
    responses((status = 200, body = EditsView), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    Editable(editor): Editable,
    fields: Fields,
) -> ApiResult<Json<EditsView>> {
    let from = fields.parsed("from", WHOLE_NUMBER)?;
    let to = fields.parsed("to", WHOLE_NUMBER)?;
    let limit = fields.parsed("limit", WHOLE_NUMBER)?;
    let page = state.services.edits.list(&editor, from, to, limit).await?;
    let items = page.items.into_iter().map(view).collect();
    Ok(Json(EditsView { items, next: page.next }))
}

/// Get the document's state after an edit.
#[utoipa::path(get, path = "/documents/{id}/edits/checkpoint", tag = "history",
    operation_id = "readCheckpoint",
    params(("id" = String, Path, format = "uuid"), ("seq" = u64, Query)),
    responses((status = 200, body = CheckpointView), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub(crate) async fn checkpoint(
    State(state): State<AppState>,
    Editable(editor): Editable,
    fields: Fields,
) -> ApiResult<Json<CheckpointView>> {
    let seq: Option<u64> = fields.parsed("seq", WHOLE_NUMBER)?;
    let required = || FieldError::new("seq", "required", "Enter the sequence number of an edit.");
    let seq = seq.ok_or_else(required)?;
    let encoded = state.services.edits.checkpoint(&editor, seq).await?;
    Ok(Json(CheckpointView { seq, state_b64: STANDARD.encode(encoded) }))
}

/// List editing sessions: edits less than five minutes apart, up to 100,000 edits per call.
#[utoipa::path(get, path = "/documents/{id}/edits/sessions", tag = "history",
    operation_id = "listEditSessions",
    params(("id" = String, Path, format = "uuid"), ("from" = Option<u64>, Query)),
    responses((status = 200, body = [EditSessionView]), (status = 404, body = Problem)))]
pub(crate) async fn sessions(
    State(state): State<AppState>,
    Editable(editor): Editable,
    fields: Fields,
) -> ApiResult<Json<Vec<EditSessionView>>> {
    let from = fields.parsed("from", WHOLE_NUMBER)?;
    Ok(Json(state.services.edits.sittings(&editor, from).await?))
}

fn view(LoggedEdit { author, edit }: LoggedEdit) -> EditView {
    EditView { seq: edit.seq, at: edit.at, author, delta_b64: STANDARD.encode(edit.delta) }
}
