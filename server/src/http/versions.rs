//! Versions: commit, list, get, name.

use super::SMALL_BODY;
use crate::{
    extract::{Editable, Fields, LazyBody, PageQuery, PathId, Readable, if_match},
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
    rules::CommitMessage,
    wire::{CommitRequest, NameVersionRequest, Page, VersionView},
};

/// Commit the live text, or merge a text into it and commit the result.
#[utoipa::path(post, path = "/documents/{id}/versions", tag = "versions",
    operation_id = "commitVersion",
    params(("id" = String, Path, format = "uuid"), ("Idempotency-Key" = Option<String>, Header),
        ("If-Match" = Option<String>, Header)),
    request_body = CommitRequest,
    responses((status = 201, body = VersionView), (status = 409, body = Problem),
        (status = 412, body = Problem), (status = 428, body = Problem)))]
pub(crate) async fn commit(
    State(state): State<AppState>,
    Editable(editor): Editable,
    body: LazyBody,
) -> ApiResult<(StatusCode, Json<VersionView>)> {
    let key = body.request_key(editor.user())?;
    let if_match = if_match(body.headers())?;
    let request: CommitRequest = body.json_or_default(state.config.body_limit).await?;
    let message = CommitMessage::parse(request.message.as_deref().unwrap_or_default())?;
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
    let input = CommitInput { message, content, key };
    let version = state.services.versions.commit(&editor, input).await?;
    Ok((StatusCode::CREATED, Json(version.into())))
}

fn base(version: Option<u64>, if_match: Option<IfMatch>) -> Option<Base> {
    version.map(Base::Version).or_else(|| if_match.map(Base::Text))
}

/// List the versions of a document, newest first.
#[utoipa::path(get, path = "/documents/{id}/versions", tag = "versions",
    operation_id = "listVersions",
    params(("id" = String, Path, format = "uuid"), ("named" = Option<bool>, Query),
        ("page" = Option<u32>, Query), ("pageSize" = Option<u32>, Query),
        ("cursor" = Option<String>, Query)),
    responses((status = 200, body = Page<VersionView>), (status = 404, body = Problem)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    Readable(reader): Readable,
    fields: Fields,
) -> ApiResult<Json<Page<VersionView>>> {
    let page = PageQuery::from_fields(&fields)?;
    let query = VersionQuery {
        named: fields.flag("named")?,
        page: page.page,
        page_size: page.page_size,
        cursor: page.cursor,
    };
    Ok(Json(state.services.versions.list(&reader, &query).await?))
}

/// Get a version with its content.
#[utoipa::path(get, path = "/documents/{id}/versions/{n}", tag = "versions",
    operation_id = "readVersion",
    params(("id" = String, Path, format = "uuid"), ("n" = u64, Path)),
    responses((status = 200, body = VersionView), (status = 404, body = Problem),
        (status = 500, body = Problem)))]
pub(crate) async fn show(
    State(state): State<AppState>,
    Readable(reader): Readable,
    path: PathId,
) -> ApiResult<Json<VersionView>> {
    Ok(Json(state.services.versions.get(&reader, path.number("n")?).await?))
}

/// Name a version; `null` removes the name.
#[utoipa::path(patch, path = "/documents/{id}/versions/{n}", tag = "versions",
    operation_id = "nameVersion",
    params(("id" = String, Path, format = "uuid"), ("n" = u64, Path)),
    request_body = NameVersionRequest,
    responses((status = 200, body = VersionView), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub(crate) async fn name(
    State(state): State<AppState>,
    Editable(editor): Editable,
    path: PathId,
    body: LazyBody,
) -> ApiResult<Json<VersionView>> {
    let number = path.number("n")?;
    // Check the right before reading the body (DESIGN §8).
    state.services.versions.require(&editor, number).await?;
    let request: NameVersionRequest = body.json(SMALL_BODY).await?;
    let name = request.name.as_deref();
    Ok(Json(state.services.versions.name(&editor, number, name).await?))
}
