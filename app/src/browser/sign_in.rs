//! Renews the sign-in.

use gloo_net::http::{Request, Response};
use leptos::web_sys::AbortSignal;

/// Timeout of a request.
const TIME_LIMIT_MS: u32 = 20_000;

/// Renews the sign-in with the refresh cookie.
///
/// # Errors
/// The server cannot be reached.
pub async fn refresh_session() -> Result<Response, gloo_net::Error> {
    let limit = AbortSignal::timeout_with_u32(TIME_LIMIT_MS);
    Request::post("/api/v1/auth/refresh").abort_signal(Some(&limit)).send().await
}
