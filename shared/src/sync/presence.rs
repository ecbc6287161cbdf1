//! Presence (y-protocols/awareness): each client announces a JSON state with a clock, and the newest
//! one counts.

use super::BadFrame;
use crate::crdt::TextDoc;
use serde_json::{Map, Value};
use std::sync::Arc;

/// The longest state of a client, in bytes.
pub(super) const MAX_STATE: usize = 8 * 1024;
/// The most states in one message.
pub(super) const MAX_STATES: usize = 1_024;
/// The deepest nesting of a state.
pub(super) const MAX_DEPTH: usize = 16;

/// The state that a client announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presence {
    /// The client.
    pub client: u64,
    /// Counts the announcements of the client.
    pub clock: u32,
    /// JSON; `None` if the client left.
    pub state: Option<Arc<str>>,
}

impl Presence {
    /// Whether this announcement replaces `known` of the same client.
    #[must_use]
    pub const fn replaces(&self, known: &Self) -> bool {
        let leaves = self.state.is_none() && known.state.is_some();
        self.clock > known.clock || (self.clock == known.clock && leaves)
    }
}

/// Reads a state; `null` means that the client left.
pub(super) fn read_state(text: &str) -> Result<Option<Arc<str>>, BadFrame> {
    if text.len() > MAX_STATE {
        return Err(BadFrame::TooLarge(MAX_STATE));
    }
    check_json(text)?;
    Ok((text.trim() != "null").then(|| text.into()))
}

/// Checks that a text is JSON and not deeply nested, without recursion.
pub(super) fn check_json(text: &str) -> Result<(), BadFrame> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => {}
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(BadFrame::Malformed("it is nested too deeply"));
        }
        escaped = in_string && !escaped && byte == b'\\';
    }
    crate::json::check(text).map_err(|_| BadFrame::Malformed("it is not JSON"))
}

/// Sets whom a state is of: nobody may appear under the id of another user. Names are free.
pub(super) fn identify(state: &Arc<str>, user: Option<&str>) -> Result<Arc<str>, BadFrame> {
    let unread = || BadFrame::Malformed("a state cannot be read");
    let mut value: Value = serde_json::from_str(state).map_err(|_| unread())?;
    let Some(fields) = value.get_mut("user").and_then(Value::as_object_mut) else {
        return Ok(Arc::clone(state));
    };
    if fields.get("id").and_then(Value::as_str) == user {
        return Ok(Arc::clone(state));
    }
    match user {
        Some(user) => fields.insert("id".to_owned(), user.into()),
        None => fields.remove("id"),
    };
    serde_json::to_string(&value).map(Arc::from).map_err(|_| unread())
}

/// Completes the cursor of a state, so that both protocols can place it: `from` and `to` count UTF-16
/// units, `anchor` and `head` are relative positions as y-codemirror has them. `None` if there is
/// nothing to complete.
#[must_use]
pub fn complete_cursor(state: &str, doc: &TextDoc) -> Option<String> {
    check_json(state).ok()?;
    let mut state: Map<String, Value> = serde_json::from_str(state).ok()?;
    let cursor = state.get_mut("cursor")?.as_object_mut()?;
    let offset = |cursor: &Map<String, Value>, name| {
        u32::try_from(cursor.get(name).and_then(Value::as_u64)?).ok()
    };
    if cursor.contains_key("anchor") && cursor.contains_key("head") {
        let place = |cursor: &Map<String, Value>, name| doc.offset_of(cursor.get(name)?);
        let (from, to) = (place(cursor, "anchor")?, place(cursor, "head")?);
        let known = (offset(cursor, "from"), offset(cursor, "to"));
        if known == (Some(from), Some(to)) {
            return None;
        }
        cursor.insert("from".to_owned(), from.into());
        cursor.insert("to".to_owned(), to.into());
    } else {
        let (from, to) = (offset(cursor, "from")?, offset(cursor, "to")?);
        let (anchor, head) = (doc.position_at(from)?, doc.position_at(to)?);
        cursor.insert("anchor".to_owned(), anchor);
        cursor.insert("head".to_owned(), head);
    }
    serde_json::to_string(&state).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn presence(clock: u32, state: Option<&str>) -> Presence {
        Presence { client: 1, clock, state: state.map(Into::into) }
    }

    #[rstest]
    #[case(presence(2, Some("{}")), true)]
    #[case(presence(2, None), true)]
    #[case(presence(1, None), true)]
    #[case(presence(1, Some("{}")), false)]
    #[case(presence(0, None), false)]
    fn the_newest_state_counts(#[case] new: Presence, #[case] counts: bool) {
        assert_eq!(new.replaces(&presence(1, Some("{}"))), counts);
    }

    #[rstest]
    #[case::of_another(
        r#"{"user":{"id":"ben","name":"x"}}"#,
        Some("ann"),
        r#"{"user":{"id":"ann","name":"x"}}"#
    )]
    #[case::not_a_text(r#"{"user":{"id":7}}"#, Some("ann"), r#"{"user":{"id":"ann"}}"#)]
    #[case::unnamed(r#"{"user":{}}"#, Some("ann"), r#"{"user":{"id":"ann"}}"#)]
    #[case::its_own(r#"{ "user": {"id":"ann"} }"#, Some("ann"), r#"{ "user": {"id":"ann"} }"#)]
    #[case::of_the_public(r#"{"user":{"id":"ben"}}"#, None, r#"{"user":{}}"#)]
    #[case::of_nobody(r#"{ "cursor": null }"#, Some("ann"), r#"{ "cursor": null }"#)]
    #[case::no_object("[1]", Some("ann"), "[1]")]
    fn a_state_is_of_its_sender(
        #[case] state: &str,
        #[case] user: Option<&str>,
        #[case] identified: &str,
    ) {
        assert_eq!(&*identify(&state.into(), user).unwrap(), identified);
    }

    /// What browsers read, but this program does not, would pass as it is.
    #[rstest]
    #[case::a_number_out_of_range(r#"{"user":{"id":"ben","n":1e999}}"#)]
    #[case::half_a_character(r#"{"user":{"id":"ben","n":"\ud800"}}"#)]
    #[case::a_byte_order_mark("\u{feff}{\"user\":{\"id\":\"ben\"}}")]
    fn a_state_that_cannot_be_read_is_refused(#[case] state: &str) {
        assert!(identify(&state.into(), Some("ann")).is_err());
    }

    #[test]
    fn a_state_is_json_of_limited_depth() {
        assert_eq!(read_state(" null"), Ok(None));
        assert!(read_state("{\"a\":[\"[[[[[[[[[[[[[[[[[[[[[[[\"]}").unwrap().is_some());
        assert!(read_state("{\"a\":").is_err());
        let deep = [&"[".repeat(MAX_DEPTH + 1), &"]".repeat(MAX_DEPTH + 1)[..]].concat();
        assert_eq!(read_state(&deep), Err(BadFrame::Malformed("it is nested too deeply")));
        assert!(read_state(&"[".repeat(MAX_STATE)).is_err());
    }

    #[test]
    fn a_cursor_travels_between_the_protocols() {
        let (mut doc, _) = TextDoc::from_text(1, "one 🦀 two");
        let state = json!({"user": {"name": "Ann"}, "cursor": {"from": 4, "to": 7}}).to_string();
        let placed = complete_cursor(&state, &doc).unwrap();
        let full: Value = serde_json::from_str(&placed).unwrap();
        assert_eq!(full["cursor"]["anchor"]["item"], json!({"client": 1, "clock": 4}));
        assert_eq!(full["user"]["name"], "Ann");
        assert_eq!(complete_cursor(&placed, &doc), None);
        // The cursor moves with the text before it.
        doc.replace_with("zero one 🦀 two").unwrap();
        let moved: Value = serde_json::from_str(&complete_cursor(&placed, &doc).unwrap()).unwrap();
        assert_eq!((&moved["cursor"]["from"], &moved["cursor"]["to"]), (&json!(9), &json!(12)));
    }

    #[test]
    fn the_end_of_a_text_is_a_place_too() {
        let (doc, _) = TextDoc::from_text(1, "abc");
        let state = json!({"cursor": {"from": 3, "to": 9}}).to_string();
        let placed = complete_cursor(&state, &doc).unwrap();
        let full: Value = serde_json::from_str(&complete_cursor(&placed, &doc).unwrap()).unwrap();
        assert_eq!((&full["cursor"]["from"], &full["cursor"]["to"]), (&json!(3), &json!(3)));
    }

    #[rstest]
    #[case("[]")]
    #[case("{\"cursor\":null}")]
    #[case("{\"cursor\":{}}")]
    #[case("{\"cursor\":{\"from\":-1,\"to\":2}}")]
    #[case("{\"cursor\":{\"anchor\":1,\"head\":2}}")]
    fn a_state_without_a_cursor_stays_as_it_is(#[case] state: &str) {
        assert_eq!(complete_cursor(state, &TextDoc::new(1)), None);
    }
}
