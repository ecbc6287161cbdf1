//! Every route.

use crate::{
    http::{
        auth, content, diff, documents, health, me, ops, owners, restore, sessions, upload,
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

/// The routes of the JSON API, below `/api/v1`.
fn api() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        // Signing in and out
        .routes(routes!(auth::sign_up))
        .routes(routes!(auth::sign_in))
        .routes(routes!(auth::refresh))
        .routes(routes!(auth::sign_out))
        .routes(routes!(auth::sign_out_everywhere))
        .routes(routes!(sessions::list))
        .routes(routes!(sessions::revoke))
        // One's account
        .routes(routes!(me::show, me::update))
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
        // Versions
        .routes(routes!(versions::commit, versions::list))
        .routes(routes!(versions::show, versions::name))
        .routes(routes!(restore::restore))
        .routes(routes!(diff::diff))
}

/// The OpenAPI document; its paths are absolute.
#[must_use]
pub fn openapi_document() -> utoipa::openapi::OpenApi {
    versioned_api().1
}

fn versioned_api() -> (Router<AppState>, utoipa::openapi::OpenApi) {
    OpenApiRouter::with_openapi(openapi::Base::openapi()).nest("/api/v1", api()).split_for_parts()
}

/// The whole application.
pub fn router(state: &AppState) -> Router {
    let (v1, document) = versioned_api();
    let (unversioned, _) = api().split_for_parts();
    let routes = Router::new()
        // The JSON API, under both prefixes
        .merge(v1)
        .nest("/api", unversioned)
        .route("/api", any(nothing_here))
        .route("/api/{*rest}", any(nothing_here))
        // For those who run it
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/.well-known/jwks.json", get(health::jwks))
        .route("/openapi.json", get(move || std::future::ready(Json(document.clone()))))
        .merge(SwaggerUi::new("/docs").config(utoipa_swagger_ui::Config::from("/openapi.json")))
        // Pages, server functions, static files
        .merge(pages::routes(state))
        .with_state(state.clone());
    middleware::around(routes, state)
}

async fn nothing_here() -> Response {
    problem::respond(problem::plain(
        StatusCode::NOT_FOUND,
        "not_found",
        "Not found",
        "There is nothing at this path.",
    ))
}
