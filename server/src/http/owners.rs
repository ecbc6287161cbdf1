//! Owners of a document.

use crate::{
    extract::{DocumentPath, Owned, Path, Readable, id},
    problem::ApiResult,
    state::AppState,
};
use axum::{Json, extract::State, http::StatusCode};
use izanagi_shared::{
    id::UserId,
    problem::Problem,
    wire::{Page, Person},
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Returns the routes of this resource.
pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(add, remove))
}

/// The owner of a document.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
#[serde(rename_all = "camelCase")]
struct OwnerPath {
    /// Account id.
    #[serde(deserialize_with = "id")]
    #[param(value_type = String, format = "uuid")]
    user_id: UserId,
}

/// List the owners.
#[utoipa::path(get, path = "/documents/{id}/owners", tag = "documents",
    operation_id = "listOwners",
    params(DocumentPath),
    responses((status = 200, body = Page<Person>), (status = 404, body = Problem)))]
async fn list(
    State(state): State<AppState>,
    Readable(reader): Readable,
) -> ApiResult<Json<Page<Person>>> {
    let documents = &state.services.documents;
    Ok(Json(Page::whole(documents.owners(&reader).await?)))
}

/// Add an owner.
#[utoipa::path(put, path = "/documents/{id}/owners/{userId}", tag = "documents",
    operation_id = "addOwner",
    params(DocumentPath, OwnerPath),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn add(
    State(state): State<AppState>,
    Owned(owner): Owned,
    Path(path): Path<OwnerPath>,
) -> ApiResult<StatusCode> {
    let documents = &state.services.documents;
    documents.add_owner(&owner, path.user_id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Remove an owner. The last owner cannot be removed.
#[utoipa::path(delete, path = "/documents/{id}/owners/{userId}", tag = "documents",
    operation_id = "removeOwner",
    params(DocumentPath, OwnerPath),
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn remove(
    State(state): State<AppState>,
    Owned(owner): Owned,
    Path(path): Path<OwnerPath>,
) -> ApiResult<StatusCode> {
    let documents = &state.services.documents;
    documents.remove_owner(&owner, path.user_id).await?;
    Ok(StatusCode::NO_CONTENT)
}
