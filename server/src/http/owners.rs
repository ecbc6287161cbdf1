//! Owners of a document.

use crate::{
    extract::{Owned, PathId, Readable},
    problem::ApiResult,
    state::AppState,
};
use axum::{Json, extract::State, http::StatusCode};
use izanagi_shared::{
    problem::Problem,
    wire::{Page, Person},
};

/// List the owners.
#[utoipa::path(get, path = "/documents/{id}/owners", tag = "documents",
    operation_id = "listOwners",
    params(("id" = String, Path, format = "uuid")),
    responses((status = 200, body = Page<Person>), (status = 404, body = Problem)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    Readable(reader): Readable,
) -> ApiResult<Json<Page<Person>>> {
    let documents = &state.services.documents;
    Ok(Json(Page::whole(documents.owners(&reader).await?)))
}

/// Add an owner.
#[utoipa::path(put, path = "/documents/{id}/owners/{userId}", tag = "documents",
    operation_id = "addOwner",
    params(("id" = String, Path, format = "uuid"), ("userId" = String, Path, format = "uuid")),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn add(
    State(state): State<AppState>,
    Owned(owner): Owned,
    path: PathId,
) -> ApiResult<StatusCode> {
    let documents = &state.services.documents;
    documents.add_owner(&owner, path.id("userId")?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Remove an owner. The last owner cannot be removed.
#[utoipa::path(delete, path = "/documents/{id}/owners/{userId}", tag = "documents",
    operation_id = "removeOwner",
    params(("id" = String, Path, format = "uuid"), ("userId" = String, Path, format = "uuid")),
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn remove(
    State(state): State<AppState>,
    Owned(owner): Owned,
    path: PathId,
) -> ApiResult<StatusCode> {
    let documents = &state.services.documents;
    documents.remove_owner(&owner, path.id("userId")?).await?;
    Ok(StatusCode::NO_CONTENT)
}
