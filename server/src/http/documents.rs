//! Documents: list, create, read, replace, change, delete.

use super::SMALL_BODY;
use crate::{
    extract::{
        AskingUser, Editable, Fields, LazyBody, Owned, PageQuery, Readable, if_match,
        if_none_match_hits, quoted,
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
    problem::{FieldError, Problem},
    wire::{
        CreateDocumentRequest, DocumentSort, DocumentView, Page, PatchDocumentRequest,
        ReplaceDocumentRequest,
    },
};

/// List your documents.
#[utoipa::path(get, path = "/documents", tag = "documents",
    operation_id = "listDocuments",
    params(("query" = Option<String>, Query), ("owner" = Option<String>, Query, format = "uuid"),
        ("includeDeleted" = Option<bool>, Query), ("sort" = Option<DocumentSort>, Query),
        ("page" = Option<u32>, Query), ("pageSize" = Option<u32>, Query),
        ("cursor" = Option<String>, Query)),
    responses((status = 200, body = Page<DocumentView>), (status = 401, body = Problem),
        (status = 422, body = Problem)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    AskingUser { who, .. }: AskingUser,
    fields: Fields,
) -> ApiResult<Json<Page<DocumentView>>> {
    refuse_later_fields(&fields)?;
    let page = PageQuery::from_fields(&fields)?;
    let query = ListQuery {
        query: fields.text("query").map(str::to_owned),
        owner: fields.parsed("owner", "This is not a UUID.")?,
        in_trash: None,
        include_deleted: fields.flag("includeDeleted")?,
        sort: sort(fields.text("sort"))?,
        page: page.page,
        page_size: page.page_size,
        cursor: page.cursor,
    };
    Ok(Json(state.services.documents.list(&who, &query).await?))
}

/// Ignoring these parameters silently would return a list that looks filtered but is not.
fn refuse_later_fields(fields: &Fields) -> Result<(), Error> {
    let later = |name: &&str| fields.text(name).is_some();
    let errors: Vec<_> = ["workspace", "tag"]
        .into_iter()
        .filter(later)
        .map(|name| {
            let message =
                format!("Filtering by {name} is not supported yet. Remove this parameter.");
            FieldError::new(name, "unsupported", message)
        })
        .collect();
    if errors.is_empty() { Ok(()) } else { Err(Error::Invalid(errors)) }
}

fn sort(given: Option<&str>) -> Result<DocumentSort, Error> {
    match given {
        None | Some("" | "updated") => Ok(DocumentSort::Updated),
        Some("created") => Ok(DocumentSort::Created),
        Some("title") => Ok(DocumentSort::Title),
        Some(_) => Err(FieldError::new("sort", "invalid", "Use updated, created or title.").into()),
    }
}

/// Create a document.
#[utoipa::path(post, path = "/documents", tag = "documents",
    operation_id = "createDocument",
    params(("Idempotency-Key" = Option<String>, Header)),
    request_body = CreateDocumentRequest,
    responses((status = 201, body = DocumentView), (status = 401, body = Problem),
        (status = 422, body = Problem)))]
pub(crate) async fn create(
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
    params(("id" = String, Path, format = "uuid"), ("If-None-Match" = Option<String>, Header)),
    responses((status = 200, body = DocumentView), (status = 304), (status = 404, body = Problem)))]
pub(crate) async fn show(
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
    params(("id" = String, Path, format = "uuid"), ("If-Match" = String, Header)),
    request_body = ReplaceDocumentRequest,
    responses((status = 200, body = DocumentView), (status = 412, body = Problem),
        (status = 428, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn replace(
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
    params(("id" = String, Path, format = "uuid")),
    request_body = PatchDocumentRequest,
    responses((status = 200, body = DocumentView), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn change(
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
    params(("id" = String, Path, format = "uuid"), ("permanent" = Option<bool>, Query)),
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn delete(
    State(state): State<AppState>,
    Owned(owner): Owned,
    fields: Fields,
) -> ApiResult<StatusCode> {
    let documents = &state.services.documents;
    if fields.flag("permanent")? {
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
