//! Comparing two versions, or a version and the live text.

use crate::{
    extract::{Fields, Readable},
    problem::ApiResult,
    state::AppState,
};
use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use izanagi_domain::{error::Error, versions::Side};
use izanagi_shared::{
    problem::{FieldError, Problem},
    text::diff::{Diff, DiffOptions},
};

/// Maximum number of unchanged context lines around a change.
const MAX_CONTEXT: usize = 1_000;

/// Compare two texts of a document.
#[utoipa::path(get, path = "/documents/{id}/diff", tag = "versions",
    operation_id = "compareVersions",
    params(("id" = String, Path, format = "uuid"),
        ("from" = u64, Query, description = "A version; 0 is the empty text before the first"),
        ("to" = String, Query, description = "A version, or live"),
        ("format" = Option<String>, Query, description = "json or unified"),
        ("ignoreWhitespace" = Option<bool>, Query), ("context" = Option<u32>, Query)),
    responses((status = 200,
            content((Diff = "application/json"), (String = "text/x-diff; charset=utf-8"))),
        (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn diff(
    State(state): State<AppState>,
    Readable(reader): Readable,
    fields: Fields,
) -> ApiResult<Response> {
    let (from, to) = (side(&fields, "from")?, side(&fields, "to")?);
    let options = options(&fields)?;
    let versions = &state.services.versions;
    match fields.text("format") {
        None | Some("" | "json") => {
            let comparison = versions.compare(&reader, from, to, options).await?;
            Ok(Json(comparison.diff).into_response())
        }
        Some("unified") => {
            let text = versions.unified(&reader, from, to, options).await?;
            Ok(([(header::CONTENT_TYPE, "text/x-diff; charset=utf-8")], text).into_response())
        }
        Some(_) => {
            let error = FieldError::new("format", "invalid", "Use json or unified.");
            Err(Error::from(error).into())
        }
    }
}

fn side(fields: &Fields, name: &str) -> Result<Side, Error> {
    let words = "Use a version number, or live.";
    let given = fields.parsed(name, words)?;
    given.ok_or_else(|| FieldError::new(name, "required", words).into())
}

fn options(fields: &Fields) -> Result<DiffOptions, Error> {
    let ignore_white_space = fields.flag("ignoreWhitespace")?;
    let mut options = DiffOptions { ignore_white_space, ..DiffOptions::default() };
    let words = "Use a whole number from 0 to 1000.";
    if let Some(context) = fields.parsed::<usize>("context", words)? {
        if context > MAX_CONTEXT {
            return Err(FieldError::new("context", "out_of_range", words).into());
        }
        options.context = context;
    }
    Ok(options)
}
