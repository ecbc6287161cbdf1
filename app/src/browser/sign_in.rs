//! Staying signed in.

use gloo_net::http::{Request, Response};
use leptos::web_sys::AbortSignal;

/// A request that takes longer counts as lost.
const TIME_LIMIT_MS: u32 = 20_000;

/// Renews the sign-in by the refresh cookie.
///
/// # Errors
/// The server cannot be reached.
pub async fn refresh_session() -> Result<Response, gloo_net::Error> {
    let limit = AbortSignal::timeout_with_u32(TIME_LIMIT_MS);
    Request::post("/api/v1/auth/refresh").abort_signal(Some(&limit)).send().await
}
