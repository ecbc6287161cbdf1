//! A document's text: raw, rendered, downloaded.

use super::documents::{not_modified, set_etag};
use crate::{
    extract::{DocumentPath, HistoryReadable, Path, Query, Readable, VersionPath, flag},
    problem::ApiResult,
    state::AppState,
};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{Html, IntoResponse, Response},
};
use izanagi_app::ssr::{DownloadWords, download_words};
use izanagi_domain::{
    documents::{FileFormat, Reader, file_name},
    live::LiveText,
};
use izanagi_shared::{
    markdown::{Labels, StandaloneOptions, TRUNCATED},
    problem::Problem,
    rules::ExportFormat,
    wire::{DocumentView, RenderFormat, VersionView},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Returns the routes of this resource.
pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(raw))
        .routes(routes!(html))
        .routes(routes!(export))
        .routes(routes!(raw_version))
        .routes(routes!(export_version))
}

/// Get the live text, raw.
#[utoipa::path(get, path = "/documents/{id}/content", tag = "documents",
    operation_id = "readContent",
    params(DocumentPath, ("If-None-Match" = Option<String>, Header)),
    responses((status = 200, body = String, content_type = "text/plain"), (status = 304),
        (status = 404, body = Problem)))]
async fn raw(
    State(state): State<AppState>,
    Readable(reader): Readable,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let documents = &state.services.documents;
    if let Some(unchanged) = not_modified(&state, &reader, &headers).await? {
        return Ok(unchanged);
    }
    let document = documents.view_with_content(&reader).await?;
    let mut response = document.content.unwrap_or_default().into_response();
    set_etag(&mut response, &document.etag);
    Ok(response)
}

/// How to render a text.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct HtmlParams {
    /// Whether images of other hosts are loaded; otherwise a link replaces each. `false` if absent.
    #[serde(default, deserialize_with = "flag")]
    images: bool,
}

/// Get the live text as a sanitised HTML fragment. A very long one ends with a note that the rest is
/// not shown.
#[utoipa::path(get, path = "/documents/{id}/html", tag = "documents",
    operation_id = "renderHtml",
    params(DocumentPath, HtmlParams),
    responses((status = 200, body = String, content_type = "text/html"),
        (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn html(
    State(state): State<AppState>,
    Readable(reader): Readable,
    Query(HtmlParams { images }): Query<HtmlParams>,
) -> ApiResult<Response> {
    let documents = &state.services.documents;
    let rendered = documents.render(&reader, Labels::ENGLISH, images).await?;
    let mut body = rendered.html.clone();
    if rendered.truncated {
        body.push_str("<p>");
        body.push_str(TRUNCATED);
        body.push_str("</p>\n");
    }
    let mut response = Html(body).into_response();
    // Opened directly, it is a page on our origin, so its content must be sandboxed.
    let policy = HeaderValue::from_static(if images {
        "default-src 'none'; img-src 'self' data: https:; sandbox"
    } else {
        "default-src 'none'; sandbox"
    });
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    Ok(response)
}

/// Parameters of a download.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ExportParams {
    /// The document's `renderFormat` if absent, or else the text itself.
    #[param(inline)]
    format: Option<ExportFormat>,
}

impl ExportParams {
    /// Returns the format of the file; `None` for the JSON of the API.
    fn file_format(&self, reader: &Reader) -> Option<FileFormat> {
        let preselected = || reader.row().details.render_format.map(RenderFormat::export);
        match self.format.or_else(preselected) {
            Some(ExportFormat::Json) => None,
            Some(ExportFormat::Markdown) => Some(FileFormat::Markdown),
            Some(ExportFormat::Text) => Some(FileFormat::Text),
            Some(ExportFormat::Html) => Some(FileFormat::Html),
            None => Some(FileFormat::Own),
        }
    }
}

/// Download a document.
#[utoipa::path(get, path = "/documents/{id}/export", tag = "documents",
    operation_id = "exportDocument",
    params(DocumentPath, ExportParams),
    responses((status = 200,
            content((String = "text/markdown; charset=utf-8"), (String = "text/plain; charset=utf-8"),
                (String = "text/html; charset=utf-8"), (DocumentView = "application/json"))),
        (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn export(
    State(state): State<AppState>,
    Readable(reader): Readable,
    Query(params): Query<ExportParams>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let documents = &state.services.documents;
    let Some(format) = params.file_format(&reader) else {
        let document = documents.view_with_content(&reader).await?;
        let name = file_name(&document.title, "json");
        return Ok(as_file(Json(document), &name, "application/json"));
    };
    let text = documents.text(&reader).await?;
    exported(&state, &reader, &text, format, &headers).await
}

/// Get the text of a version, raw.
#[utoipa::path(get, path = "/documents/{id}/versions/{n}/content", tag = "versions",
    operation_id = "readVersionContent",
    params(DocumentPath, VersionPath),
    responses((status = 200, body = String, content_type = "text/plain"),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 500, body = Problem)))]
async fn raw_version(
    State(state): State<AppState>,
    HistoryReadable(reader): HistoryReadable,
    Path(VersionPath { n: number }): Path<VersionPath>,
) -> ApiResult<String> {
    let text = state.services.versions.text(&reader, number).await?;
    Ok(text.to_string())
}

/// Download a version.
#[utoipa::path(get, path = "/documents/{id}/versions/{n}/export", tag = "versions",
    operation_id = "exportVersion",
    params(DocumentPath, VersionPath, ExportParams),
    responses((status = 200,
            content((String = "text/markdown; charset=utf-8"), (String = "text/plain; charset=utf-8"),
                (String = "text/html; charset=utf-8"), (VersionView = "application/json"))),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem),
        (status = 500, body = Problem)))]
async fn export_version(
    State(state): State<AppState>,
    HistoryReadable(reader): HistoryReadable,
    Path(VersionPath { n: number }): Path<VersionPath>,
    Query(params): Query<ExportParams>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let versions = &state.services.versions;
    let Some(format) = params.file_format(&reader) else {
        let name = file_name(&reader.row().details.title, "json");
        let version = versions.get(&reader, number).await?;
        return Ok(as_file(Json(version), &name, "application/json"));
    };
    let text = versions.live_text(&reader, number).await?;
    exported(&state, &reader, &text, format, &headers).await
}

async fn exported(
    state: &AppState,
    reader: &Reader,
    text: &LiveText,
    format: FileFormat,
    headers: &HeaderMap,
) -> ApiResult<Response> {
    let DownloadWords { language, contents, truncated, labels } = download_words(headers);
    let page = StandaloneOptions { toc: Some(contents), language, truncated, styles: true };
    let export = state.services.documents.export(reader, text, format, page, labels).await?;
    let mut response = as_file(export.body, &export.file_name, export.media_type);
    if format == FileFormat::Html {
        let varies = HeaderValue::from_static("Accept-Language");
        response.headers_mut().insert(header::VARY, varies);
    }
    Ok(response)
}

/// Bytes to encode in `filename*`: all but letters, digits and marks of RFC 8187 §3.2.1.
const NOT_IN_A_FILE_NAME: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Returns a response that a browser saves under this name (RFC 6266).
pub(super) fn as_file(
    body: impl IntoResponse,
    file_name: &str,
    media_type: &'static str,
) -> Response {
    let mut response = body.into_response();
    let ascii: String = file_name
        .chars()
        .map(|c| {
            if c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '%') || c == ' ' { c } else { '_' }
        })
        .collect();
    let encoded = utf8_percent_encode(file_name, NOT_IN_A_FILE_NAME);
    let value = format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{encoded}");
    if let Ok(value) = HeaderValue::from_str(&value) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    let policy = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox");
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}
