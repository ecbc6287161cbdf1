//! The JSON API (API.md), one file per resource. Handlers extract, call a service, respond.

mod auth;
mod content;
mod diff;
mod documents;
mod edits;
pub(crate) mod health;
mod me;
mod ops;
mod owners;
mod restore;
mod sessions;
mod upload;
mod versions;

pub(crate) use ops::METADATA_REVISION;

use crate::state::AppState;
use utoipa_axum::router::OpenApiRouter;

/// Limit for the JSON bodies of calls without document text.
const SMALL_BODY: usize = 64 * 1024;

/// Returns all routes, below `/api/v1`, with their documentation.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(auth::routes())
        .merge(sessions::routes())
        .merge(me::routes())
        .merge(documents::routes())
        .merge(upload::routes())
        .merge(content::routes())
        .merge(owners::routes())
        .merge(ops::routes())
        .merge(edits::routes())
        .merge(versions::routes())
        .merge(restore::routes())
        .merge(diff::routes())
}
