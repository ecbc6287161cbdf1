//! All routes: the JSON API, pages, and what operators use.

use crate::{
    cors,
    http::{self, health},
    middleware, openapi, pages, problem,
    state::AppState,
};
use axum::{
    Json, Router,
    routing::{any, get},
};
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::SwaggerUi;

/// Returns the OpenAPI document, with absolute paths.
#[must_use]
pub fn openapi_document() -> utoipa::openapi::OpenApi {
    versioned_api().1
}

fn versioned_api() -> (Router<AppState>, utoipa::openapi::OpenApi) {
    let base = OpenApiRouter::with_openapi(openapi::Base::openapi());
    let (router, mut document) = base.nest("/api/v1", http::routes()).split_for_parts();
    openapi::complete(&mut document);
    (router, document)
}

/// Returns the whole application.
pub fn router(state: &AppState) -> Router {
    let (v1, document) = versioned_api();
    let (unversioned, _) = http::routes().split_for_parts();
    // The JSON API, under both prefixes
    let api = Router::new()
        .merge(v1)
        .nest("/api", unversioned)
        .route("/api", any(problem::nothing_here))
        .route("/api/{*rest}", any(problem::nothing_here))
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
        .method_not_allowed_fallback(problem::wrong_method)
        .with_state(state.clone());
    let cors = cors::layer(&state.config.cors_origins);
    middleware::around(api, state, cors).merge(middleware::around(others, state, None))
}
