//! Context of server functions: the services and the caller.

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

/// Context that the server provides to pages and server functions.
#[derive(Debug, Clone)]
pub struct PageContext {
    /// The services.
    pub services: Arc<Services>,
    /// Cookie settings.
    pub cookies: Cookies,
}

/// Returns the context; it is missing only while routes are listed.
pub(crate) fn page_context() -> Result<PageContext, AppError> {
    let context = use_context::<PageContext>();
    context.ok_or_else(|| Error::internal("no page context was provided").into())
}

/// Returns the caller that the server's middleware identified.
pub(crate) fn caller() -> Principal {
    let who = with_context::<Parts, _>(|parts| parts.extensions.get::<Principal>().cloned());
    who.flatten().unwrap_or_default()
}

/// Returns the caller's session.
///
/// # Errors
/// `unauthenticated`.
pub(crate) fn signed_in() -> Result<Caller, AppError> {
    Ok(caller().require_session()?)
}

/// Returns the client's address.
pub(crate) fn device() -> Device {
    let device = with_context::<Parts, _>(|parts| parts.extensions.get::<Device>().cloned());
    device.flatten().unwrap_or_default()
}

/// Returns whether the reader asked for images of other hosts (`?images=1`). Texts do not load them
/// otherwise, because each request tells the host who reads what and when.
pub(crate) fn shows_images() -> bool {
    let asked = with_context::<Parts, _>(|parts| {
        parts.uri.query().is_some_and(|query| query.split('&').any(|pair| pair == "images=1"))
    });
    asked.unwrap_or_default()
}

/// Lets the caller change the response's headers.
pub(crate) fn with_response(write: impl FnOnce(&mut HeaderMap)) {
    if let Some(response) = use_context::<ResponseOptions>() {
        let mut headers = HeaderMap::new();
        write(&mut headers);
        for (name, value) in &headers {
            response.append_header(name.clone(), value.clone());
        }
    }
}

/// Redirects to a path of this site after a server function, with or without JavaScript.
pub(crate) fn lead_to(path: &str) {
    let Some(response) = use_context::<ResponseOptions>() else { return };
    if let Ok(path) = HeaderValue::from_str(path) {
        response.insert_header(header::LOCATION, path);
        response
            .insert_header(HeaderName::from_static(REDIRECT_HEADER), HeaderValue::from_static("1"));
    }
}

/// Returns where to go after signing in: `next`, unless it is the sign-in or sign-up page.
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

/// Redirects from the page being rendered with 303.
pub(crate) fn redirect(path: &str) {
    let Some(response) = use_context::<ResponseOptions>() else { return };
    if let Ok(location) = HeaderValue::from_str(path) {
        response.set_status(StatusCode::SEE_OTHER);
        response.insert_header(header::LOCATION, location);
        super::flash::keep();
    }
}

impl From<Error> for AppError {
    /// Converts the error to what the user may see and logs the internal cause, only here.
    fn from(error: Error) -> Self {
        error.log();
        let mut problem = error.problem();
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
    fn signing_in_leads_to_a_page(#[case] next: &str, #[case] path: &str) {
        assert_eq!(after_sign_in(next), path);
    }
}
