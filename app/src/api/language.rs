//! The language of the pages.

use crate::{catalogue::Language, error::AppError};
use leptos::prelude::*;

/// Chooses the language of this browser's pages. The form leads back to its page.
///
/// # Errors
/// Never.
#[server(endpoint = "language")]
#[allow(clippy::unused_async, reason = "every server function is asynchronous")]
pub(crate) async fn choose_language(language: Language) -> Result<(), AppError> {
    use crate::ssr::{page_context, with_response};
    let cookies = page_context()?.cookies;
    with_response(|headers| cookies.put_language(headers, language));
    Ok(())
}
