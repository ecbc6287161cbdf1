//! Parameters in a page's URL.

use crate::error::AppError;
use izanagi_shared::id::DocumentId;
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};
use std::str::FromStr;

/// Returns the document id in the path. An invalid id is treated as not found.
pub(super) fn document_id() -> Memo<Result<DocumentId, AppError>> {
    let params = use_params_map();
    Memo::new(move |_| {
        let id = params.with(|params| params.get("id"));
        id.and_then(|id| id.parse().ok()).ok_or_else(AppError::not_found)
    })
}

/// Returns the version number in the path.
pub(super) fn version_number() -> Memo<Result<u64, AppError>> {
    let params = use_params_map();
    Memo::new(move |_| {
        let number = params.with(|params| params.get("number"));
        number.and_then(|number| number.parse().ok()).ok_or_else(AppError::not_found)
    })
}

/// Returns a query parameter; empty if it is missing.
pub(super) fn query_text(name: &'static str) -> Memo<String> {
    let query = use_query_map();
    Memo::new(move |_| query.with(|query| query.get(name)).unwrap_or_default())
}

/// Returns a parsed query parameter; its default if it is missing or invalid.
pub(super) fn query_value<T>(name: &'static str) -> Memo<Option<T>>
where
    T: FromStr + PartialEq + Send + Sync + 'static,
{
    let text = query_text(name);
    Memo::new(move |_| text.with(|text| text.parse().ok()))
}
