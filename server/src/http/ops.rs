//! Live updates over HTTP, for pages and programs without a WebSocket.

use crate::{
    extract::{DocumentPath, Editable, LazyBody, Query, Readable, seq},
    problem::ApiResult,
    state::AppState,
};
use axum::{
    Json,
    extract::State,
    http::{HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use izanagi_domain::{
    documents::{LONGEST_OP_ID, Reader},
    error::Error,
    live::{Missing, Receipt},
};
use izanagi_shared::{
    problem::{FieldError, Problem},
    sync::EMPTY_UPDATE,
    wire::{LostWordsRequest, OpAnswer, OpRequest, UpdatesView},
};
use serde::Deserialize;
use tracing::Span;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Returns the routes of this resource.
pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(submit)).routes(routes!(missing)).routes(routes!(add_back))
}

/// Send a Yjs update. It is durable when acknowledged, and applied once however often it is sent.
/// With `pending`, it waits for another update and is not saved yet: send it again later.
#[utoipa::path(post, path = "/documents/{id}/ops", tag = "live",
    operation_id = "submitUpdate",
    params(DocumentPath),
    request_body = OpRequest,
    responses((status = 200, body = OpAnswer), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 413, body = Problem),
        (status = 422, body = Problem)))]
async fn submit(
    State(state): State<AppState>,
    Editable(editor): Editable,
    body: LazyBody,
) -> ApiResult<Json<OpAnswer>> {
    let documents = &state.services.documents;
    // Base64 takes four bytes for three.
    let limit = state.config.settings.live.max_update_bytes * 4 / 3 + 1_024;
    let request: OpRequest = body.json(limit).await?;
    let span = Span::current();
    // A longer id is rejected below and should not reach the log.
    if request.op_id.len() <= LONGEST_OP_ID {
        span.record("opId", request.op_id.as_str());
    }
    let delta = STANDARD
        .decode(&request.delta_b64)
        .map_err(|_| FieldError::new("deltaB64", "invalid", "This is not base64."))?;
    require_lineage(&editor, request.lineage.as_deref())?;
    let Receipt { seq, pending } = documents.submit(&editor, &request.op_id, delta).await?;
    span.record("seq", seq);
    Ok(Json(OpAnswer { seq, pending }))
}

/// Add what a page shows and the text lacks, after the document was restored from an earlier state.
/// What is there already is not added again. If both have written at the same place, both is there.
#[utoipa::path(post, path = "/documents/{id}/lost-words", tag = "live",
    operation_id = "addLostWords",
    params(DocumentPath),
    request_body = LostWordsRequest,
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 413, body = Problem), (status = 422, body = Problem)))]
async fn add_back(
    State(state): State<AppState>,
    Editable(editor): Editable,
    body: LazyBody,
) -> ApiResult<StatusCode> {
    let documents = &state.services.documents;
    let LostWordsRequest { text, saved } = body.json(state.config.body_limit).await?;
    documents.add_back(&editor, saved, text).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a replica has.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
struct UpdatesParams {
    /// Sequence number of the newest update that it has.
    #[serde(default, deserialize_with = "seq")]
    since: Option<u64>,
    /// Its state vector (v1) in base64url without padding; absent for everything.
    state_vector: Option<String>,
    /// The lineage that it belongs to, as returned with its first updates. If the document has
    /// another one, the response is 409 `lineage_changed`.
    lineage: Option<String>,
}

/// Header with the number that grows with every change of title, description or trash, so that a
/// client that polls notices them.
pub(crate) const METADATA_REVISION: HeaderName = HeaderName::from_static("metadata-revision");

/// Get the updates that a replica is missing. 204 if there is nothing after `since`.
#[utoipa::path(get, path = "/documents/{id}/updates", tag = "live",
    operation_id = "readUpdates",
    params(DocumentPath, UpdatesParams),
    responses(
        (status = 200, body = UpdatesView, headers(
            ("metadata-revision" = u64, description = "Grows with every change of the metadata"))),
        (status = 204, headers(
            ("metadata-revision" = u64, description = "Grows with every change of the metadata"))),
        (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn missing(
    State(state): State<AppState>,
    Readable(reader): Readable,
    Query(params): Query<UpdatesParams>,
) -> ApiResult<Response> {
    let documents = &state.services.documents;
    // A number tells nothing about a replica that may belong to another lineage.
    let is_known = params.lineage.is_some() || params.state_vector.is_none();
    let state_vector = match params.state_vector {
        // State vector of an empty document: no clients.
        None => vec![0],
        Some(text) => URL_SAFE_NO_PAD.decode(text).map_err(|_| {
            FieldError::new("stateVector", "invalid", "This is not base64url without padding.")
        })?,
    };
    require_lineage(&reader, params.lineage.as_deref())?;
    let revision = [(METADATA_REVISION, HeaderValue::from(reader.row().meta_rev))];
    let row = reader.row();
    if is_known && !row.damage.live && params.since == Some(row.live_seq) {
        return Ok((StatusCode::NO_CONTENT, revision).into_response());
    }
    let Missing { seq, lineage, delta, .. } = documents.missing(&reader, state_vector).await?;
    if params.since == Some(seq) && delta == EMPTY_UPDATE {
        return Ok((StatusCode::NO_CONTENT, revision).into_response());
    }
    let lineage = hex::encode(lineage);
    let updates = UpdatesView { seq, delta_b64: STANDARD.encode(delta), lineage };
    Ok((revision, Json(updates)).into_response())
}

/// Refuses a replica of another lineage: merging it would show the text twice.
fn require_lineage(reader: &Reader, lineage: Option<&str>) -> ApiResult<()> {
    match lineage {
        Some(lineage) if lineage != hex::encode(reader.row().lineage) => {
            Err(Error::OtherLineage.into())
        }
        _ => Ok(()),
    }
}
