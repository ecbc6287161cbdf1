//! The fuzz targets: all readers of untrusted input. Each function takes any input and fails
//! an assertion if a promise is broken. `shared/tests/corpus.rs` runs them with all inputs that were
//! ever of interest.

use izanagi_shared::{
    crdt::{TextDoc, Validation, combine_updates, inspect_update, split_update},
    sync::{
        CloseCode, Connection, Limits, SyncEngine,
        connection::{Effect, Event, Incoming, Missing, Options, Posted, Protocol, Refusal},
        engine, json,
        yjs::{self, Frame},
    },
    text::delta::TextDelta,
};
use std::time::Duration;

/// Whether the client may edit.
fn right(kind: u8) -> Result<(), Refusal> {
    let (close, code) = (CloseCode::Forbidden, "forbidden".to_owned());
    if kind & 4 == 0 { Ok(()) } else { Err(Refusal { close, code, message: String::new() }) }
}

/// The gate: what it admits can be applied, and is the same after it was encoded.
pub fn gate(input: &[u8]) {
    let Ok(summary) = inspect_update(input) else { return };
    let (mut doc, _) = TextDoc::from_text(1, "abc🦀def");
    if doc.apply_checked(1, input, Validation::Untrusted).is_ok() {
        assert!(doc.is_consistent());
        assert!(doc.reads_back(&doc.encode()));
    }
    // Combining and splitting change nothing, if the update is complete in itself.
    let mut whole = TextDoc::new(9);
    if whole.apply_checked(1, input, Validation::Untrusted).is_err() || whole.pending_updates() > 0
    {
        return;
    }
    let combined = combine_updates(&[input, input], |_| 0).expect("the gate admits it");
    let combined = combined.expect("the same pieces");
    let mut again = TextDoc::new(9);
    again.apply_checked(1, &combined, Validation::Untrusted).expect("the same update");
    assert_eq!(again.encode(), whole.encode());
    if summary.items <= 64 {
        let mut parts = TextDoc::new(9);
        for part in split_update(input, 64, 2).expect("the gate admits it") {
            parts.apply(&part).expect("a part of the update");
        }
        assert_eq!(parts.text(), whole.text());
    }
}

/// A message of the Yjs protocol: what is read is written as the same message.
pub fn yjs_frame(input: &[u8]) {
    let limits = Limits { update: 256, yjs_frame: 4_096, ..Limits::default() };
    let Ok(frame) = yjs::decode(input, &limits) else { return };
    if matches!(frame, Frame::Unknown(_)) {
        return;
    }
    let encoded = frame.encode();
    assert_eq!(yjs::decode(&encoded, &limits), Ok(frame));
}

/// A message of the JSON protocol.
pub fn json_frame(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let limits = Limits { update: 256, json_frame: 4_096, ..Limits::default() };
    let _ = json::decode(text, &limits);
}

/// A connection of either protocol, and a page: messages in any order, each with its length in a byte
/// before it.
pub fn connection(input: &[u8]) {
    let Some((kind, mut rest)) = input.split_first() else { return };
    let protocol = match kind & 3 {
        0 => Protocol::Yjs { acks: true },
        1 => Protocol::Yjs { acks: false },
        _ => Protocol::Json,
    };
    let (doc, state) = TextDoc::from_text(1, "abc");
    let options = Options {
        protocol,
        lineage: None,
        user_id: None,
        display_name: String::new(),
        presence_client: 5,
        limits: Limits::default(),
    };
    let mut server = Connection::new(options, Duration::ZERO);
    let mut page = SyncEngine::new("one".to_owned(), 6);
    let (mut effects, mut page_effects) = (Vec::new(), Vec::new());
    server.start(&mut effects);
    page.start(engine::Moment { now: Duration::ZERO, jitter: 0.5 }, &mut page_effects);
    let mut now = Duration::ZERO;
    let mut is_open = false;
    while let Some((length, bytes)) = rest.split_first() {
        let (message, tail) = bytes.split_at(bytes.len().min(usize::from(*length)));
        rest = tail;
        now += Duration::from_millis(u64::from(*length) * 10);
        let at = engine::Moment { now, jitter: 0.5 };
        match std::str::from_utf8(message) {
            Ok(text) if protocol == Protocol::Json => {
                server.received(now, Incoming::Text(text), right(*kind), &mut effects);
            }
            _ => server.received(now, Incoming::Binary(message), right(*kind), &mut effects),
        }
        if !std::mem::replace(&mut is_open, true) {
            page.opened(at, 1, &doc, &mut page_effects);
        }
        page.received(at, 1, message, &doc, &mut page_effects);
        page.tick(at, &mut page_effects);
        page_effects.clear();
        for effect in std::mem::take(&mut effects) {
            match effect {
                Effect::Post(post) => {
                    let pending = post.delta.len() % 3 == 0;
                    server.posted(post.number, Ok(Posted { seq: 1, pending }), &mut effects);
                }
                Effect::Missing(state_vector) => {
                    let delta = doc.missing_from(&state_vector).unwrap_or_else(|_| state.clone());
                    let (lineage, state_vector) = ("one".to_owned(), doc.state_vector());
                    let missing = Missing { seq: 1, lineage, delta, state_vector };
                    server.missing(Ok(missing), &mut effects);
                }
                Effect::Present(presence) => {
                    server.event(now, Event::Presence(&presence), &mut effects);
                }
                Effect::Close { .. } => assert!(server.is_closed()),
                Effect::Send(_) | Effect::Ping => {}
            }
        }
        effects.clear();
        server.tick(now, &mut effects);
        assert!(server.is_closed() || server.wake_at() > now);
    }
}

/// A text delta in JSON, before a line break, and the text that it changes.
pub fn text_delta(input: &[u8]) {
    let Ok(input) = std::str::from_utf8(input) else { return };
    let (json, base) = input.split_once('\n').unwrap_or((input, ""));
    let Ok(delta) = serde_json::from_str::<TextDelta>(json) else { return };
    let written = serde_json::to_string(&delta).expect("a delta has a JSON form");
    assert_eq!(serde_json::from_str::<TextDelta>(&written).ok().as_ref(), Some(&delta));
    let Ok(target) = delta.apply(base) else { return };
    assert_eq!(target.len(), delta.target_len());
    let back = delta.invert(base).expect("it applies");
    assert_eq!(back.apply(&target).as_deref(), Ok(base));
    let both = delta.compose(&back).expect("one follows the other");
    assert_eq!(both.apply(base).as_deref(), Ok(base));
}
