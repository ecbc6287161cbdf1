//! All routes.

use crate::{
    cors,
    http::{
        auth, content, diff, documents, edits, health, me, ops, owners, restore, sessions, upload,
        versions,
    },
    middleware, openapi, pages, problem,
    state::AppState,
};
use axum::{
    Json, Router,
    http::StatusCode,
    response::Response,
    routing::{any, get},
};
use utoipa::OpenApi as _;
use utoipa_axum::{router::OpenApiRouter, routes};
use utoipa_swagger_ui::SwaggerUi;

/// Returns the routes of the JSON API, below `/api/v1`.
fn api() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        // Authentication
        .routes(routes!(auth::sign_up))
        .routes(routes!(auth::sign_in))
        .routes(routes!(auth::refresh))
        .routes(routes!(auth::sign_out))
        .routes(routes!(auth::sign_out_everywhere))
        .routes(routes!(sessions::list))
        .routes(routes!(sessions::revoke))
        // Account
        .routes(routes!(me::show, me::update, me::delete))
        // Documents
        .routes(routes!(documents::list, documents::create))
        .routes(routes!(upload::upload))
        .routes(routes!(documents::show, documents::replace, documents::change, documents::delete))
        .routes(routes!(content::raw))
        .routes(routes!(content::html))
        .routes(routes!(content::export))
        .routes(routes!(owners::list))
        .routes(routes!(owners::add, owners::remove))
        // Live updates
        .routes(routes!(ops::submit))
        .routes(routes!(ops::missing))
        // Edit history
        .routes(routes!(edits::list))
        .routes(routes!(edits::checkpoint))
        .routes(routes!(edits::sessions))
        // Versions
        .routes(routes!(versions::commit, versions::list))
        .routes(routes!(versions::show, versions::name))
        .routes(routes!(restore::restore))
        .routes(routes!(diff::diff))
}

/// Returns the OpenAPI document, with absolute paths.
#[must_use]
pub fn openapi_document() -> utoipa::openapi::OpenApi {
    versioned_api().1
}

fn versioned_api() -> (Router<AppState>, utoipa::openapi::OpenApi) {
    let base = OpenApiRouter::with_openapi(openapi::Base::openapi());
    let (router, mut document) = base.nest("/api/v1", api()).split_for_parts();
    openapi::complete(&mut document);
    (router, document)
}

/// Returns the whole application.
pub fn router(state: &AppState) -> Router {
    let (v1, document) = versioned_api();
    let (unversioned, _) = api().split_for_parts();
    // The JSON API, under both prefixes
    let api = Router::new()
        .merge(v1)
        .nest("/api", unversioned)
        .route("/api", any(nothing_here))
        .route("/api/{*rest}", any(nothing_here))
        .with_state(state.clone());
    let others = Router::new()
        // For operators
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/.well-known/jwks.json", get(health::jwks))
        .route("/openapi.json", get(move || std::future::ready(Json(document.clone()))))
        .merge(SwaggerUi::new("/docs").config(utoipa_swagger_ui::Config::from("/openapi.json")))
        // Pages, server functions, static files
        .merge(pages::routes(state))
        .with_state(state.clone());
    let cors = cors::layer(&state.config.cors_origins);
    middleware::around(api, state, cors).merge(middleware::around(others, state, None))
}

async fn nothing_here() -> Response {
    problem::respond(problem::plain(
        StatusCode::NOT_FOUND,
        "not_found",
        "Not found",
        "There is nothing at this path.",
    ))
}
