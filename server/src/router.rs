//! All routes: the JSON API, pages, and what operators use.

use crate::{
    cors,
    http::{self, health},
    middleware, openapi, pages, problem,
    state::AppState,
    target, ws,
};
use axum::{
    Json, Router,
    body::Body,
    http::{HeaderValue, header},
    routing::{any, get},
};
use tower::ServiceExt as _;
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::{Config, SwaggerUi};

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

/// Policy of `/docs`, a page of files of its own that calls this API. Its icons are data in its
/// style sheet; its logo has a style element, allowed by its hash.
const DOCS_POLICY: &str = "default-src 'none'; script-src 'self'; \
     style-src 'self' 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='; \
     img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";

/// Returns the page that shows the API.
fn docs() -> Router<AppState> {
    // Its validator would send the API's address to another site.
    let config = Config::from("/openapi.json").validator_url("none");
    let policy = HeaderValue::from_static(DOCS_POLICY);
    let policy = SetResponseHeaderLayer::overriding(header::CONTENT_SECURITY_POLICY, policy);
    Router::from(SwaggerUi::new("/docs").config(config)).layer(policy)
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
        .merge(docs())
        // WebSockets
        .merge(ws::routes())
        // Pages, server functions, static files
        .merge(pages::routes(state))
        .method_not_allowed_fallback(problem::wrong_method)
        .with_state(state.clone());
    let cors = cors::layer(&state.config.cors_origins);
    let all = middleware::around(api, state, cors).merge(middleware::around(others, state, None));
    // Layers of a router run after routing, and the path must be normalised before.
    Router::new().fallback_service(all.map_request(target::normalise::<Body>))
}
