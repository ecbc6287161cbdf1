//! Editing over HTTP (API.md): `POST …/ops` sends updates, `GET …/updates` fetches them.

use super::bindings::get;
use crate::{browser, words};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use gloo_net::http::{Request, RequestBuilder, Response};
use izanagi_shared::{
    id::DocumentId,
    problem::Problem,
    wire::{LostWordsRequest, OpAnswer, OpRequest},
};
use js_sys::Array;
use leptos::{
    prelude::window,
    wasm_bindgen::JsValue,
    web_sys::{self, AbortSignal, Blob, BlobPropertyBag},
};
use std::time::Duration;
use wasm_bindgen_futures::JsFuture;

/// Timeout of a request, which can be repeated.
const TIME_LIMIT_MS: u32 = 20_000;
/// Minimum supported bandwidth: 4 KB/s.
const SLOWEST_BYTES_PER_MS: usize = 4;
/// Assumed size of a response that may be long; the next poll continues it.
const LONG_ANSWER: usize = 400_000;
/// URL length that servers and proxies generally accept.
const LONGEST_STATE_VECTOR: usize = 4_000;

/// What a poll returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Polled {
    /// Revision of the document's metadata.
    pub(super) revision: Option<u64>,
    /// Updates and the sequence number of the last one, if there are any.
    pub(super) updates: Option<Updates>,
}

/// Updates from the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Updates {
    /// Sequence number of the last one.
    pub(super) seq: u64,
    /// A Yjs update (v1).
    pub(super) delta: Vec<u8>,
    /// The lineage to which they belong.
    pub(super) lineage: String,
}

/// The metadata that an editor shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Details {
    pub(super) title: String,
    pub(super) head_version: u64,
    pub(super) is_trashed: bool,
}

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// The server is unreachable or could not store the update: retry.
    Lost,
    /// The server asks the client to wait.
    Later(Duration),
    /// The session has ended.
    SignedOut,
    /// The user may not edit the document.
    Forbidden,
    /// There is no such document, or not for this user.
    Gone,
    /// The document is in the trash.
    Trashed,
    /// The document was restored from its text since the page loaded it.
    OtherLineage(String),
    /// Rejected, with the server's message; retrying does not help.
    Refused(String),
    /// The document is damaged, with the server's message; a repair on the server helps.
    Damaged(String),
    /// The document has no room for it, with the server's message.
    TooLong(String),
}

/// Sends an update; returns the server's answer once it is in the log. While it is pending, it is not
/// saved.
pub(super) async fn post_op(
    document: DocumentId,
    lineage: String,
    op_id: &str,
    update: &[u8],
) -> Result<OpAnswer, Failure> {
    let body = op(lineage, op_id, update);
    let path = ops_path(document);
    let request = limited(Request::post(&path), body.delta_b64.len());
    let request = request.json(&body).map_err(|_| Failure::Lost)?;
    let answer = json(accept(request.send().await).await?).await?;
    Ok(OpAnswer { seq: number_of(&answer, "seq")?, pending: get(&answer, "pending").is_truthy() })
}

/// Sends an update from a page that is being left, without waiting for the response.
pub(super) fn post_op_as_page_goes(
    document: DocumentId,
    lineage: String,
    op_id: &str,
    update: &[u8],
) {
    let body = op(lineage, op_id, update);
    let Ok(body) = serde_json::to_string(&body) else { return };
    let options = BlobPropertyBag::new();
    options.set_type("application/json");
    let parts = Array::of1(&JsValue::from_str(&body));
    if let Ok(blob) = Blob::new_with_str_sequence_and_options(&parts, &options) {
        // Fails only above 64 KiB; such an update is stored on this device.
        let _ = window().navigator().send_beacon_with_opt_blob(&ops_path(document), Some(&blob));
    }
}

/// Adds what a page shows and the document lacks to the document. The server compares them, so that pages
/// that do so at the same moment add it once.
pub(super) async fn post_lost_words(
    document: DocumentId,
    text: &str,
    saved: Option<&str>,
) -> Result<(), Failure> {
    let path = format!("/api/v1/documents/{document}/lost-words");
    let body = LostWordsRequest { text: text.to_owned(), saved: saved.map(str::to_owned) };
    let bytes = text.len() + saved.map_or(0, str::len);
    let request = limited(Request::post(&path), bytes).json(&body).map_err(|_| Failure::Lost)?;
    accept(request.send().await).await.map(drop)
}

fn op(lineage: String, op_id: &str, update: &[u8]) -> OpRequest {
    let (op_id, delta_b64) = (op_id.to_owned(), STANDARD.encode(update));
    OpRequest { op_id, delta_b64, lineage: Some(lineage) }
}

fn ops_path(document: DocumentId) -> String {
    format!("/api/v1/documents/{document}/ops")
}

/// Returns the path of the whole state of a document, which its page names, so that it is fetched
/// together with the editor.
#[must_use]
pub fn state_path(document: DocumentId) -> String {
    format!("/api/v1/documents/{document}/updates")
}

/// Returns the whole state of a document with a text of this length.
pub(super) async fn get_state(document: DocumentId, length: usize) -> Result<Updates, Failure> {
    // In base64, with room for deleted text.
    let request =
        limited(Request::get(&state_path(document)), length.saturating_mul(2) + LONG_ANSWER);
    decode(accept(request.send().await).await?).await
}

/// Returns the updates missing from a replica that has everything up to `since` and this state
/// vector.
pub(super) async fn get_updates(
    document: DocumentId,
    lineage: &str,
    since: u64,
    state_vector: &[u8],
) -> Result<Polled, Failure> {
    let mut path = format!("{}?since={since}&lineage={lineage}", state_path(document));
    // Without a state vector the server sends everything, which is correct but larger.
    if state_vector.len() <= LONGEST_STATE_VECTOR {
        path += "&stateVector=";
        path += &URL_SAFE_NO_PAD.encode(state_vector);
    }
    let answer = accept(limited(Request::get(&path), LONG_ANSWER).send().await).await?;
    let revision = answer.headers().get("metadata-revision").and_then(|text| text.parse().ok());
    let updates = if answer.status() == 204 { None } else { Some(decode(answer).await?) };
    Ok(Polled { revision, updates })
}

/// Reads an `UpdatesView`.
async fn decode(answer: Response) -> Result<Updates, Failure> {
    let updates = json(answer).await?;
    let delta = get(&updates, "deltaB64").as_string().ok_or(Failure::Lost)?;
    let delta = STANDARD.decode(delta).map_err(|_| Failure::Lost)?;
    let lineage = get(&updates, "lineage").as_string().ok_or(Failure::Lost)?;
    Ok(Updates { seq: number_of(&updates, "seq")?, delta, lineage })
}

/// Returns the JSON of a response. Its fields are read one by one: code that reads a type is several
/// kilobytes of the bundle for each.
async fn json(answer: Response) -> Result<JsValue, Failure> {
    let value = web_sys::Response::from(answer).json().map_err(|_| Failure::Lost)?;
    JsFuture::from(value).await.map_err(|_| Failure::Lost)
}

fn number_of(answer: &JsValue, name: &str) -> Result<u64, Failure> {
    let number = get(answer, name).as_f64().ok_or(Failure::Lost)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
    Ok(number as u64)
}

/// Returns the current metadata.
pub(super) async fn get_details(document: DocumentId) -> Result<Details, Failure> {
    let path = format!("/fn/documents/details?id={document}");
    let request = Request::get(&path).header("accept", "application/json");
    let answer = accept(limited(request, 0).send().await).await?;
    let document = get(&json(answer).await?, "document");
    let title = get(&document, "title").as_string().ok_or(Failure::Lost)?;
    let head_version = number_of(&document, "headVersion")?;
    Ok(Details { title, head_version, is_trashed: get(&document, "deletedAt").is_string() })
}

/// Returns the id of the user who is signed in.
pub(super) async fn get_user() -> Result<String, Failure> {
    let answer = accept(limited(Request::get("/api/v1/me"), 0).send().await).await?;
    get(&json(answer).await?, "id").as_string().ok_or(Failure::Lost)
}

/// Renews the sign-in with the refresh cookie.
pub(super) async fn refresh_session() -> Result<(), Failure> {
    accept(browser::refresh_session().await).await.map(drop)
}

/// Adds a timeout that allows for this many bytes.
fn limited(request: RequestBuilder, bytes: usize) -> RequestBuilder {
    let time_for_bytes = u32::try_from(bytes / SLOWEST_BYTES_PER_MS).unwrap_or(u32::MAX);
    let limit = TIME_LIMIT_MS.saturating_add(time_for_bytes);
    request.abort_signal(Some(&AbortSignal::timeout_with_u32(limit)))
}

async fn accept(answer: Result<Response, gloo_net::Error>) -> Result<Response, Failure> {
    let answer = answer.map_err(|_| Failure::Lost)?;
    match answer.status() {
        200..300 => Ok(answer),
        401 => Err(Failure::SignedOut),
        408 => Err(Failure::Lost),
        429 => {
            let seconds = answer.headers().get("Retry-After").and_then(|value| value.parse().ok());
            Err(Failure::Later(Duration::from_secs(seconds.unwrap_or(1))))
        }
        status => Err(failure(status, answer.json().await.ok().as_ref())),
    }
}

/// Returns what another status with this problem document means.
fn failure(status: u16, problem: Option<&Problem>) -> Failure {
    let reason = || problem.map_or_else(words::reason_unknown, words::problem);
    match (status, problem.map(|problem| problem.code.as_str())) {
        (400..500, Some("trashed")) => Failure::Trashed,
        (400..500, Some("lineage_changed")) => Failure::OtherLineage(reason()),
        (400..500, Some("forbidden")) => Failure::Forbidden,
        (400..500, Some("not_found")) => Failure::Gone,
        (413, _) => Failure::TooLong(reason()),
        (400.., Some("corrupt_document")) => Failure::Damaged(reason()),
        (400..500, _) => Failure::Refused(reason()),
        _ => Failure::Lost,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use leptos::prelude::{Owner, provide_context};
    use rstest::rstest;

    #[rstest]
    #[case(500, "corrupt_document", Failure::Damaged("Detail".to_owned()))]
    #[case(409, "corrupt_document", Failure::Damaged("Detail".to_owned()))]
    #[case(422, "bad_update", Failure::Refused("Detail".to_owned()))]
    #[case(413, "too_large", Failure::TooLong("Detail".to_owned()))]
    #[case(409, "trashed", Failure::Trashed)]
    #[case(403, "forbidden", Failure::Forbidden)]
    #[case(404, "not_found", Failure::Gone)]
    #[case(409, "lineage_changed", Failure::OtherLineage("Detail".to_owned()))]
    #[case(500, "internal", Failure::Lost)]
    #[case(503, "overloaded", Failure::Lost)]
    fn reads_a_problem(#[case] status: u16, #[case] code: &str, #[case] expected: Failure) {
        let problem = serde_json::json!({
            "type": "about:blank", "title": "Title", "status": status, "detail": "Detail",
            "code": code, "requestId": "", "errors": [],
        });
        let problem = serde_json::from_value(problem).unwrap();
        Owner::new().with(|| {
            provide_context(words::Source { language: 0, find: |_, _| None });
            assert_eq!(failure(status, Some(&problem)), expected);
        });
    }

    #[test]
    fn an_error_of_a_proxy_is_retried() {
        assert_eq!(failure(502, None), Failure::Lost);
    }
}
