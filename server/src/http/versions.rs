//! Versions: commit, list, get, name.

use super::SMALL_BODY;
use crate::{
    extract::{
        DocumentPath, Editable, HistoryReadable, LazyBody, Paging, Path, Query, VersionPath, flag,
        if_match,
    },
    problem::ApiResult,
    state::AppState,
};
use axum::{Json, extract::State, http::StatusCode};
use izanagi_domain::{
    documents::IfMatch,
    error::Error,
    versions::{Base, CommitInput, VersionQuery},
};
use izanagi_shared::{
    problem::Problem,
    wire::{CommitRequest, NameVersionRequest, Page, VersionView},
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Returns the routes of this resource.
pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(commit, list)).routes(routes!(show, name))
}

/// Commit the live text, or merge a text into it and commit the result.
#[utoipa::path(post, path = "/documents/{id}/versions", tag = "versions",
    operation_id = "commitVersion",
    params(DocumentPath, ("Idempotency-Key" = Option<String>, Header),
        ("If-Match" = Option<String>, Header)),
    request_body = CommitRequest,
    responses((status = 201, body = VersionView), (status = 409, body = Problem),
        (status = 412, body = Problem), (status = 428, body = Problem)))]
async fn commit(
    State(state): State<AppState>,
    Editable(editor): Editable,
    body: LazyBody,
) -> ApiResult<(StatusCode, Json<VersionView>)> {
    let key = body.request_key(editor.user())?;
    let if_match = if_match(body.headers())?;
    let request: CommitRequest = body.json_or_default(state.config.body_limit).await?;
    let note = request.note().map_err(Error::Invalid)?;
    let base = base(request.base_version, if_match);
    let content = match (request.content, base) {
        (None, _) => None,
        (Some(content), Some(base)) => Some((content, base)),
        (Some(_), None) => {
            let words =
                "Send If-Match or baseVersion to name the text that the content is based on.";
            return Err(Error::PreconditionRequired(words).into());
        }
    };
    let input = CommitInput { note, content, key };
    let version = state.services.versions.commit(&editor, input).await?;
    Ok((StatusCode::CREATED, Json(version.into())))
}

fn base(version: Option<u64>, if_match: Option<IfMatch>) -> Option<Base> {
    version.map(Base::Version).or_else(|| if_match.map(Base::Text))
}

/// Filter of a list of versions.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct VersionsParams {
    /// Whether to list only named versions.
    #[serde(default, deserialize_with = "flag")]
    named: bool,
}

/// List the versions of a document, newest first.
#[utoipa::path(get, path = "/documents/{id}/versions", tag = "versions",
    operation_id = "listVersions",
    params(DocumentPath, VersionsParams, Paging),
    responses((status = 200, body = Page<VersionView>), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn list(
    State(state): State<AppState>,
    HistoryReadable(reader): HistoryReadable,
    Query(params): Query<VersionsParams>,
    Query(paging): Query<Paging>,
) -> ApiResult<Json<Page<VersionView>>> {
    let query = VersionQuery {
        named: params.named,
        page: paging.page,
        page_size: paging.size(),
        cursor: paging.cursor,
    };
    Ok(Json(state.services.versions.list(&reader, &query).await?))
}

/// Get a version with its content.
#[utoipa::path(get, path = "/documents/{id}/versions/{n}", tag = "versions",
    operation_id = "readVersion",
    params(DocumentPath, VersionPath),
    responses((status = 200, body = VersionView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 500, body = Problem)))]
async fn show(
    State(state): State<AppState>,
    HistoryReadable(reader): HistoryReadable,
    Path(VersionPath { n: number }): Path<VersionPath>,
) -> ApiResult<Json<VersionView>> {
    Ok(Json(state.services.versions.get(&reader, number).await?))
}

/// Name a version; `null` removes the name.
#[utoipa::path(patch, path = "/documents/{id}/versions/{n}", tag = "versions",
    operation_id = "nameVersion",
    params(DocumentPath, VersionPath),
    request_body = NameVersionRequest,
    responses((status = 200, body = VersionView), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
async fn name(
    State(state): State<AppState>,
    Editable(editor): Editable,
    Path(VersionPath { n: number }): Path<VersionPath>,
    body: LazyBody,
) -> ApiResult<Json<VersionView>> {
    // Check the right before reading the body (DESIGN §8).
    state.services.versions.require(&editor, number).await?;
    let request: NameVersionRequest = body.json(SMALL_BODY).await?;
    let name = request.name.as_deref();
    Ok(Json(state.services.versions.name(&editor, number, name).await?))
}
