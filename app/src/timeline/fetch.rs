//! Fetching replays.

use crate::{browser, words};
use gloo_net::http::{Request, Response};
use izanagi_shared::{
    id::{DocumentId, UserId},
    problem::Problem,
    replay::Replay,
    time::Timestamp,
    wire::{MissingEdits, Person, ReplayEdits, ReplayParts, ReplayView},
};
use js_sys::{Array, Date, Float64Array, Int32Array, Reflect, Uint32Array};
use leptos::{
    wasm_bindgen::JsValue,
    web_sys::{self, AbortSignal},
};
use wasm_bindgen_futures::JsFuture;

/// Timeout of a request, which can be repeated. A replay may have megabytes.
const TIME_LIMIT_MS: u32 = 120_000;

/// A replay and the end of the history.
pub(super) struct Fetched {
    pub(super) replay: Replay,
    pub(super) first_seq: u64,
    pub(super) live_seq: u64,
}

/// Fetches the edits from this one on.
///
/// # Errors
/// Why not, in words.
pub(super) async fn replay(document: DocumentId, from: u64) -> Result<Fetched, String> {
    let answer = get(&format!("/api/v1/documents/{document}/edits/replay?from={from}")).await?;
    let json = web_sys::Response::from(answer).json().map_err(|_| words::timeline_unreadable())?;
    let json = JsFuture::from(json).await.map_err(|_| words::timeline_unreadable())?;
    read(&json).ok_or_else(words::timeline_unreadable)
}

/// Returns whether there is an edit from this one on.
pub(super) async fn has_edits(document: DocumentId, from: u64) -> bool {
    let path = format!("/api/v1/documents/{document}/edits?from={from}&limit=1");
    let Ok(answer) = get(&path).await else { return false };
    let Ok(json) = web_sys::Response::from(answer).json() else { return false };
    let json = JsFuture::from(json).await.unwrap_or_default();
    list(&json, "items").is_some_and(|items| items.length() > 0)
}

/// Returns the present text.
///
/// # Errors
/// Why not, in words.
pub(super) async fn present_text(document: DocumentId) -> Result<String, String> {
    let answer = get(&format!("/api/v1/documents/{document}/content")).await?;
    answer.text().await.map_err(|_| words::timeline_unreachable())
}

/// Sends a request; once more if the access token has expired.
async fn get(path: &str) -> Result<Response, String> {
    let mut is_renewed = false;
    loop {
        let limit = AbortSignal::timeout_with_u32(TIME_LIMIT_MS);
        let answer = Request::get(path).abort_signal(Some(&limit)).send().await;
        let answer = answer.map_err(|_| words::timeline_unreachable())?;
        match answer.status() {
            200..300 => return Ok(answer),
            401 if !is_renewed => {
                is_renewed = true;
                // If that fails, the next answer says why.
                let _ = browser::refresh_session().await;
            }
            _ => {
                let problem = answer.json::<Problem>().await;
                let unknown = |_| words::timeline_unreachable();
                return Err(problem.map_or_else(unknown, |problem| words::problem(&problem)));
            }
        }
    }
}

/// Reads a `ReplayView` field by field: code that reads the type would be a large part of the bundle,
/// and the browser's own reader is faster.
fn read(json: &JsValue) -> Option<Fetched> {
    let (edits, parts) = (field(json, "edits")?, field(json, "parts")?);
    let start = Date::parse(&field(&edits, "start")?.as_string()?);
    let numbers = |object: &JsValue, name: &str| -> Option<Vec<u64>> {
        let numbers = Float64Array::new(&field(object, name).filter(Array::is_array)?).to_vec();
        Some(numbers.into_iter().map(whole).collect())
    };
    let small = |object: &JsValue, name: &str| -> Option<Vec<u32>> {
        Some(Uint32Array::new(&field(object, name).filter(Array::is_array)?).to_vec())
    };
    let edits = ReplayEdits {
        start: Timestamp::from_micros(whole_signed(start * 1_000.0)),
        seqs: numbers(&edits, "seqs")?,
        authors: small(&edits, "authors")?,
        times: numbers(&edits, "times")?,
    };
    let inserted = Int32Array::new(&field(&parts, "inserted").filter(Array::is_array)?).to_vec();
    let parts = ReplayParts {
        lengths: small(&parts, "lengths")?,
        inserted: inserted.into_iter().map(i64::from).collect(),
        deleted: small(&parts, "deleted")?,
    };
    let missing = list(json, "missing")?;
    let missing = missing.iter().map(|range| {
        Some(MissingEdits {
            from_seq: number(&range, "fromSeq")?,
            to_seq: number(&range, "toSeq")?,
        })
    });
    let (first_seq, live_seq) = (number(json, "firstSeq")?, number(json, "liveSeq")?);
    let view = ReplayView {
        first_seq,
        live_seq,
        after_seq: number(json, "afterSeq")?,
        next: number(json, "next"),
        ends_lineage: field(json, "endsLineage")?.is_truthy(),
        edits,
        missing: missing.collect::<Option<_>>()?,
        people: list(json, "people")?
            .iter()
            .map(|person| read_person(&person))
            .collect::<Option<_>>()?,
        text: field(json, "text")?.as_string()?,
        parts,
    };
    Some(Fetched { replay: Replay::new(view).ok()?, first_seq, live_seq })
}

fn read_person(person: &JsValue) -> Option<Person> {
    let text = |name| field(person, name)?.as_string();
    let id: UserId = text("id")?.parse().ok()?;
    Some(Person { id, username: text("username")?, display_name: text("displayName")? })
}

fn field(object: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(object, &JsValue::from_str(name)).ok().filter(|value| !value.is_undefined())
}

fn list(object: &JsValue, name: &str) -> Option<Array> {
    field(object, name).filter(Array::is_array).map(|list| Array::from(&list))
}

fn number(object: &JsValue, name: &str) -> Option<u64> {
    field(object, name)?.as_f64().map(whole)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
fn whole(number: f64) -> u64 {
    number as u64
}

#[expect(clippy::cast_possible_truncation, reason = "microseconds of a date fit")]
fn whole_signed(number: f64) -> i64 {
    number as i64
}
