//! Liveness, readiness, and the public keys that verify tokens.

use crate::{problem::ApiResult, state::AppState};
use axum::{Json, extract::State, http::StatusCode};
use serde_json::{Value, json};

/// Check that the process responds.
pub(crate) async fn alive() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// Check that the stores respond and accept writes.
pub(crate) async fn ready(State(state): State<AppState>) -> (StatusCode, Json<Value>) {
    match state.services.readiness.check().await {
        Ok(()) => (StatusCode::OK, Json(json!({ "status": "ready" }))),
        Err(error) => {
            tracing::warn!(?error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "storage unavailable" })))
        }
    }
}

/// Get the keys that verify access tokens (RFC 7517).
pub(crate) async fn jwks(State(state): State<AppState>) -> ApiResult<Json<Value>> {
    Ok(Json(state.services.accounts.jwks()?))
}
