//! Documents: list, create, read, replace, change, delete.

use super::SMALL_BODY;
use crate::{
    extract::{
        AskingUser, DocumentPath, Editable, LazyBody, Owned, Paging, Query, Readable, flag,
        if_match, if_none_match_hits, optional_id, quoted,
    },
    problem::ApiResult,
    state::AppState,
};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use izanagi_domain::{
    documents::{ListQuery, Reader},
    error::Error,
};
use izanagi_shared::{
    id::UserId,
    problem::{FieldError, Problem},
    wire::{
        CreateDocumentRequest, DocumentSort, DocumentView, Page, PatchDocumentRequest,
        ReplaceDocumentRequest,
    },
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Returns the routes of this resource.
pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, replace, change, delete))
}

/// Filters and order of a list of documents.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
struct ListParams {
    /// Words that the title or description must contain.
    query: Option<String>,
    /// Only documents of this owner.
    #[serde(default, deserialize_with = "optional_id")]
    #[param(value_type = Option<String>, format = "uuid")]
    owner: Option<UserId>,
    /// Whether to include documents in the trash.
    #[serde(default, deserialize_with = "flag")]
    include_deleted: bool,
    /// Order of the list.
    #[serde(default)]
    #[param(inline)]
    sort: DocumentSort,
    #[param(ignore)]
    workspace: Option<String>,
    #[param(ignore)]
    tag: Option<String>,
}

/// How to delete a document.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct DeleteParams {
    /// Whether to delete a document in the trash permanently.
    #[serde(default, deserialize_with = "flag")]
    permanent: bool,
}

/// List your documents.
#[utoipa::path(get, path = "/documents", tag = "documents",
    operation_id = "listDocuments",
    params(ListParams, Paging),
    responses((status = 200, body = Page<DocumentView>), (status = 401, body = Problem),
        (status = 422, body = Problem)))]
async fn list(
    State(state): State<AppState>,
    AskingUser { who, .. }: AskingUser,
    Query(params): Query<ListParams>,
    Query(paging): Query<Paging>,
) -> ApiResult<Json<Page<DocumentView>>> {
    refuse_later_filters(&params)?;
    let query = ListQuery {
        query: params.query,
        owner: params.owner,
        in_trash: None,
        include_deleted: params.include_deleted,
        sort: params.sort,
        page: paging.page,
        page_size: paging.size(),
        cursor: paging.cursor,
    };
    Ok(Json(state.services.documents.list(&who, &query).await?))
}

/// Ignoring these parameters silently would return a list that looks filtered but is not.
fn refuse_later_filters(params: &ListParams) -> Result<(), Error> {
    let errors: Vec<_> = [("workspace", &params.workspace), ("tag", &params.tag)]
        .into_iter()
        .filter(|(_, value)| value.is_some())
        .map(|(name, _)| {
            let message =
                format!("Filtering by {name} is not supported yet. Remove this parameter.");
            FieldError::new(name, "unsupported", message)
        })
        .collect();
    if errors.is_empty() { Ok(()) } else { Err(Error::Invalid(errors)) }
}

/// Create a document.
#[utoipa::path(post, path = "/documents", tag = "documents",
    operation_id = "createDocument",
    params(("Idempotency-Key" = Option<String>, Header)),
    request_body = CreateDocumentRequest,
    responses((status = 201, body = DocumentView), (status = 401, body = Problem),
        (status = 422, body = Problem)))]
async fn create(
    State(state): State<AppState>,
    AskingUser { who, user }: AskingUser,
    body: LazyBody,
) -> ApiResult<Response> {
    let key = body.request_key(user)?;
    let request: CreateDocumentRequest = body.json(state.config.body_limit).await?;
    let document = state.services.documents.create(&who, request, key).await?;
    let location = format!("/api/v1/documents/{}", document.id);
    let mut response = with_etag(StatusCode::CREATED, document);
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// Get a document with its live text.
#[utoipa::path(get, path = "/documents/{id}", tag = "documents",
    operation_id = "readDocument",
    params(DocumentPath, ("If-None-Match" = Option<String>, Header)),
    responses((status = 200, body = DocumentView), (status = 304), (status = 404, body = Problem)))]
async fn show(
    State(state): State<AppState>,
    Readable(reader): Readable,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let documents = &state.services.documents;
    if let Some(unchanged) = not_modified(&state, &reader, &headers).await? {
        return Ok(unchanged);
    }
    Ok(with_etag(StatusCode::OK, documents.view_with_content(&reader).await?))
}

/// Replace the whole text if it still matches `If-Match`.
#[utoipa::path(put, path = "/documents/{id}", tag = "documents",
    operation_id = "replaceDocument",
    params(DocumentPath, ("If-Match" = String, Header)),
    request_body = ReplaceDocumentRequest,
    responses((status = 200, body = DocumentView), (status = 412, body = Problem),
        (status = 428, body = Problem), (status = 422, body = Problem)))]
async fn replace(
    State(state): State<AppState>,
    Editable(editor): Editable,
    body: LazyBody,
) -> ApiResult<Response> {
    let documents = &state.services.documents;
    let missing = Error::PreconditionRequired("Send If-Match with the etag that you have read.");
    let if_match = if_match(body.headers())?.ok_or(missing)?;
    documents.require_match(&editor, &if_match).await?;
    let request: ReplaceDocumentRequest = body.json(state.config.body_limit).await?;
    let title = request.title.as_deref();
    let replaced = documents.replace(&editor, request.content, title, if_match).await?;
    Ok(with_etag(StatusCode::OK, replaced.document))
}

/// Change metadata such as title and description; move to the trash or restore.
#[utoipa::path(patch, path = "/documents/{id}", tag = "documents",
    operation_id = "changeDocument",
    params(DocumentPath),
    request_body = PatchDocumentRequest,
    responses((status = 200, body = DocumentView), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn change(
    State(state): State<AppState>,
    Owned(owner): Owned,
    body: LazyBody,
) -> ApiResult<Response> {
    let documents = &state.services.documents;
    let request: PatchDocumentRequest = body.json(SMALL_BODY).await?;
    Ok(with_etag(StatusCode::OK, documents.change(&owner, &request).await?))
}

/// Move to the trash; with `permanent=true`, permanently delete a document in the trash.
#[utoipa::path(delete, path = "/documents/{id}", tag = "documents",
    operation_id = "deleteDocument",
    params(DocumentPath, DeleteParams),
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn delete(
    State(state): State<AppState>,
    Owned(owner): Owned,
    Query(params): Query<DeleteParams>,
) -> ApiResult<StatusCode> {
    let documents = &state.services.documents;
    if params.permanent {
        documents.purge(&owner).await?;
    } else {
        documents.trash(&owner).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Returns 304 for a client that has the current document, without reading the text.
pub(super) async fn not_modified(
    state: &AppState,
    reader: &Reader,
    headers: &HeaderMap,
) -> ApiResult<Option<Response>> {
    if !headers.contains_key(header::IF_NONE_MATCH) {
        return Ok(None);
    }
    let etag = state.services.documents.etag(reader).await?;
    Ok(if_none_match_hits(headers, &etag).then(|| {
        let mut response = StatusCode::NOT_MODIFIED.into_response();
        set_etag(&mut response, &etag);
        response
    }))
}

fn with_etag(status: StatusCode, document: DocumentView) -> Response {
    let etag = document.etag.clone();
    let mut response = (status, Json(document)).into_response();
    set_etag(&mut response, &etag);
    response
}

pub(super) fn set_etag(response: &mut Response, etag: &str) {
    if let Some(value) = quoted(etag) {
        response.headers_mut().insert(header::ETAG, value);
    }
    // Caches must revalidate before every use, because the text is live.
    let cache = HeaderValue::from_static("private, no-cache");
    response.headers_mut().insert(header::CACHE_CONTROL, cache);
}
