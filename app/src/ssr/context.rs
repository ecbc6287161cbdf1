//! What server functions start from: the services, and who is asking.

use super::Cookies;
use crate::{error::AppError, own_path::page_path};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts};
use izanagi_domain::{
    accounts::{Caller, Device},
    error::Error,
    principal::Principal,
    services::Services,
};
use leptos::{
    prelude::use_context, reactive::owner::with_context, server_fn::redirect::REDIRECT_HEADER,
};
use leptos_axum::ResponseOptions;
use std::sync::Arc;

/// What the server provides as context to pages and server functions.
#[derive(Debug, Clone)]
pub struct PageContext {
    /// The services.
    pub services: Arc<Services>,
    /// How cookies look.
    pub cookies: Cookies,
}

/// The context, which is missing only while routes are listed.
pub(crate) fn page_context() -> Result<PageContext, AppError> {
    let context = use_context::<PageContext>();
    context.ok_or_else(|| Error::internal("no page context was provided").into())
}

/// The caller, as the server's middleware found it.
pub(crate) fn caller() -> Principal {
    let who = with_context::<Parts, _>(|parts| parts.extensions.get::<Principal>().cloned());
    who.flatten().unwrap_or_default()
}

/// The caller's session.
///
/// # Errors
/// `unauthenticated`.
pub(crate) fn signed_in() -> Result<Caller, AppError> {
    Ok(caller().require_session()?)
}

/// From where they ask.
pub(crate) fn device() -> Device {
    let device = with_context::<Parts, _>(|parts| parts.extensions.get::<Device>().cloned());
    device.flatten().unwrap_or_default()
}

/// Gives the response's headers away to be written.
pub(crate) fn with_response(write: impl FnOnce(&mut HeaderMap)) {
    if let Some(response) = use_context::<ResponseOptions>() {
        let mut headers = HeaderMap::new();
        write(&mut headers);
        for (name, value) in &headers {
            response.append_header(name.clone(), value.clone());
        }
    }
}

/// After a server function: leads the browser to an own path, whoever sent the form.
pub(crate) fn lead_to(path: &str) {
    let Some(response) = use_context::<ResponseOptions>() else { return };
    if let Ok(path) = HeaderValue::from_str(path) {
        response.insert_header(header::LOCATION, path);
        response
            .insert_header(HeaderName::from_static(REDIRECT_HEADER), HeaderValue::from_static("1"));
    }
}

/// Where somebody goes who has signed in: to the page they came from, if it is one for them.
pub(crate) fn after_sign_in(next: &str) -> &str {
    let is_gate = |path: &&str| path.starts_with("/login") || path.starts_with("/signup");
    page_path(next).filter(|path| !is_gate(path)).unwrap_or("/documents")
}

/// Sets the status of the page being rendered.
pub(crate) fn set_status(status: u16) {
    if let (Some(response), Ok(status)) =
        (use_context::<ResponseOptions>(), StatusCode::from_u16(status))
    {
        response.set_status(status);
    }
}

/// Answers the page being rendered with 303 to another.
pub(crate) fn redirect(path: &str) {
    let Some(response) = use_context::<ResponseOptions>() else { return };
    if let Ok(location) = HeaderValue::from_str(path) {
        response.set_status(StatusCode::SEE_OTHER);
        response.insert_header(header::LOCATION, location);
        super::flash::keep();
    }
}

impl From<Error> for AppError {
    /// What the person may know goes on; what is for the log is logged, here and nowhere else.
    fn from(error: Error) -> Self {
        let mut problem = error.problem();
        if let Some(cause) = error.internal_cause() {
            tracing::error!(code = problem.code, cause = cause.for_log(), "request failed");
        }
        let request_id = with_context::<Parts, _>(|parts| {
            let id = parts.headers.get("x-request-id")?.to_str().ok()?;
            Some(id.to_owned())
        });
        problem.request_id = request_id.flatten().unwrap_or_default();
        Self(problem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("/trash?page=2", "/trash?page=2")]
    #[case("/login?next=/trash", "/documents")]
    #[case("/signup", "/documents")]
    #[case("/healthz", "/documents")]
    #[case("", "/documents")]
    fn who_has_signed_in_goes_to_a_page(#[case] next: &str, #[case] path: &str) {
        assert_eq!(after_sign_in(next), path);
    }
}
