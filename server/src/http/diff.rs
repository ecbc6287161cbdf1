//! Comparing two versions, or a version and the live text.

use crate::{
    extract::{DocumentPath, HistoryReadable, Query, flag},
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
use serde::{Deserialize, Deserializer, de::Error as _};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// Returns the routes of this resource.
pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(diff))
}

/// Maximum number of unchanged context lines around a change.
const MAX_CONTEXT: usize = 1_000;

/// Parameters of a comparison.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
struct DiffParams {
    /// A version number, 0 for the empty text before the first, or `live`.
    #[serde(deserialize_with = "side")]
    #[param(value_type = String)]
    from: Side,
    /// A version number or `live`.
    #[serde(deserialize_with = "side")]
    #[param(value_type = String)]
    to: Side,
    /// Format of the response.
    #[serde(default)]
    #[param(inline)]
    format: DiffFormat,
    /// Whether lines that differ only in white space count as equal.
    #[serde(default, deserialize_with = "flag")]
    ignore_whitespace: bool,
    /// Unchanged lines around a change.
    #[param(maximum = 1000)]
    context: Option<usize>,
}

/// Format of a comparison.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum DiffFormat {
    /// Hunks with line numbers.
    #[default]
    Json,
    /// A patch.
    Unified,
}

/// Compare two texts of a document.
#[utoipa::path(get, path = "/documents/{id}/diff", tag = "versions",
    operation_id = "compareVersions",
    params(DocumentPath, DiffParams),
    responses((status = 200,
            content((Diff = "application/json"), (String = "text/x-diff; charset=utf-8"))),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 413, body = Problem),
        (status = 422, body = Problem)))]
async fn diff(
    State(state): State<AppState>,
    HistoryReadable(reader): HistoryReadable,
    Query(params): Query<DiffParams>,
) -> ApiResult<Response> {
    let DiffParams { from, to, .. } = params;
    let options = options(&params)?;
    let versions = &state.services.versions;
    match params.format {
        DiffFormat::Json => {
            let diff = versions.compare(&reader, from, to, options).await?.diff;
            // A part would be taken for the whole.
            if diff.truncated {
                let (changed, most) = (diff.added + diff.removed, options.max_lines);
                return Err(Error::TooLarge(format!(
                    "The comparison has {changed} changed lines. With their context they exceed the \
                     limit of {most} lines. Use less context or format=unified."
                ))
                .into());
            }
            Ok(Json(diff).into_response())
        }
        DiffFormat::Unified => {
            let text = versions.unified(&reader, from, to, options).await?;
            Ok(([(header::CONTENT_TYPE, "text/x-diff; charset=utf-8")], text).into_response())
        }
    }
}

fn options(params: &DiffParams) -> Result<DiffOptions, Error> {
    let context = params.context.unwrap_or(DiffOptions::default().context);
    if context > MAX_CONTEXT {
        let message = format!("Use a whole number from 0 to {MAX_CONTEXT}.");
        return Err(FieldError::new("context", "out_of_range", message).into());
    }
    Ok(DiffOptions {
        context,
        ignore_white_space: params.ignore_whitespace,
        ..DiffOptions::default()
    })
}

fn side<'de, D: Deserializer<'de>>(value: D) -> Result<Side, D::Error> {
    let text = String::deserialize(value)?;
    text.parse().map_err(|error: FieldError| D::Error::custom(error.message))
}
