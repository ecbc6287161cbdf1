//! Messages of the JSON protocol (API.md, “WebSockets”).

use super::{BadFrame, Limits, presence::check_json};
use base64::{
    Engine as _,
    alphabet::STANDARD as ALPHABET,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde::{Deserialize, Serialize};
use serde_json::Number;
use std::borrow::Cow;

/// Base64 with padding; what arrives may lack it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Length limits of texts in a message, in bytes.
const MAX_OP_ID: usize = 128;
const MAX_NAME: usize = 256;
const MAX_COLOR: usize = 64;
const MAX_LINEAGE: usize = 64;

/// A message from a client.
#[derive(Debug, Clone, PartialEq)]
pub enum ClientMessage {
    /// Announces the client.
    Join {
        /// Name to show.
        display_name: Option<String>,
        /// What the client has (v1); the answer is a `state` with what it lacks.
        state_vector: Option<Vec<u8>>,
        /// The lineage to which that belongs.
        lineage: Option<String>,
    },
    /// An edit.
    Update {
        /// Identifies the edit when it is sent again.
        op_id: String,
        /// A Yjs update (v1).
        delta: Vec<u8>,
    },
    /// Moves or removes the client's cursor.
    Presence {
        /// `None` removes it.
        cursor: Option<Cursor>,
        /// Color to show.
        color: Option<String>,
    },
    /// Asks for a `pong`.
    Ping {
        /// Returned as it is.
        ts: Option<Number>,
    },
}

/// A selection in UTF-16 units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Where it starts.
    pub from: u32,
    /// Where it ends.
    pub to: u32,
}

/// All fields of all messages. A type with a tag would be copied before it is read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    display_name: Option<String>,
    state_vector_b64: Option<String>,
    lineage: Option<String>,
    op_id: Option<String>,
    #[serde(default, borrow)]
    delta_b64: Cow<'a, str>,
    cursor: Option<Cursor>,
    color: Option<String>,
    ts: Option<Number>,
}

/// A message that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadMessage {
    /// Why.
    pub cause: BadFrame,
    /// The edit that it contained.
    pub op_id: Option<String>,
}

impl From<BadFrame> for BadMessage {
    fn from(cause: BadFrame) -> Self {
        Self { cause, op_id: None }
    }
}

/// Reads a message.
///
/// # Errors
/// It is too large, nested too deeply, no JSON, or lacks a field.
pub fn decode(message: &str, limits: &Limits) -> Result<ClientMessage, BadMessage> {
    if message.len() > limits.json_frame {
        return Err(BadFrame::TooLarge(limits.json_frame).into());
    }
    check_json(message)?;
    let fields: Fields<'_> = serde_json::from_str(message)
        .map_err(|_| BadFrame::Malformed("a field is missing or has another type"))?;
    let op_id = fields.op_id.clone();
    fields.read(limits).map_err(|cause| BadMessage { cause, op_id })
}

impl Fields<'_> {
    fn read(self, limits: &Limits) -> Result<ClientMessage, BadFrame> {
        match &*self.kind {
            "join" => {
                short(self.display_name.as_deref(), MAX_NAME)?;
                short(self.lineage.as_deref(), MAX_LINEAGE)?;
                let state_vector = self.state_vector_b64.as_deref();
                let state_vector = state_vector.map(|text| base64(text, limits.update));
                Ok(ClientMessage::Join {
                    display_name: self.display_name,
                    state_vector: state_vector.transpose()?,
                    lineage: self.lineage,
                })
            }
            "update" => {
                short(self.op_id.as_deref(), MAX_OP_ID)?;
                let op_id = self.op_id.filter(|id| !id.is_empty());
                let op_id = op_id.ok_or(BadFrame::Malformed("an update needs an opId"))?;
                let delta = base64(&self.delta_b64, limits.update)?;
                if delta.is_empty() {
                    return Err(BadFrame::Malformed("an update needs deltaB64"));
                }
                Ok(ClientMessage::Update { op_id, delta })
            }
            "presence" => {
                short(self.color.as_deref(), MAX_COLOR)?;
                Ok(ClientMessage::Presence { cursor: self.cursor, color: self.color })
            }
            "ping" => Ok(ClientMessage::Ping { ts: self.ts }),
            _ => Err(BadFrame::Malformed("its type is unknown")),
        }
    }
}

fn short(text: Option<&str>, most: usize) -> Result<(), BadFrame> {
    let is_short = text.is_none_or(|text| text.len() <= most);
    is_short.then_some(()).ok_or(BadFrame::Malformed("a text in it is too long"))
}

fn base64(text: &str, most: usize) -> Result<Vec<u8>, BadFrame> {
    if text.len() / 4 * 3 > most + 3 {
        return Err(BadFrame::TooLarge(most));
    }
    let bytes = BASE64.decode(text).map_err(|_| BadFrame::Malformed("it is not base64"))?;
    if bytes.len() > most { Err(BadFrame::TooLarge(most)) } else { Ok(bytes) }
}

/// A message from the server, apart from [`DocumentNotice`](super::DocumentNotice).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum ServerMessage<'a> {
    /// The document, or what a client lacks of it.
    State {
        /// Sequence number of the last update in it.
        version: u64,
        /// Base64-encoded Yjs update (v1).
        snapshot_b64: String,
        /// The lineage to which it belongs.
        lineage: &'a str,
    },
    /// An update is durable, unless it is pending.
    Ack {
        /// The edit.
        op_id: &'a str,
        /// Its sequence number.
        seq: u64,
        /// It waits for another update and is not saved.
        #[serde(skip_serializing_if = "is_false")]
        pending: bool,
    },
    /// An update of another client.
    RemoteUpdate {
        /// Its sequence number.
        seq: u64,
        /// Base64-encoded Yjs update (v1).
        delta_b64: String,
        /// Who made it.
        actor_id: &'a str,
    },
    /// Where a client is.
    Presence {
        /// The client.
        client_id: u64,
        /// Its user, if it says so.
        user_id: Option<Cow<'a, str>>,
        /// Name to show.
        display_name: Cow<'a, str>,
        /// `None` if the client left.
        cursor: Option<Cursor>,
        /// Color to show.
        color: Option<Cow<'a, str>>,
    },
    /// Answers a `ping`.
    Pong {
        /// That of the `ping`.
        ts: Option<Number>,
    },
    /// A message was not accepted.
    Error {
        /// For programs.
        code: &'static str,
        /// For people.
        message: &'a str,
        /// The edit that was not accepted.
        #[serde(skip_serializing_if = "Option::is_none")]
        op_id: Option<&'a str>,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

impl ServerMessage<'_> {
    /// Encodes the message.
    #[must_use]
    pub fn encode(&self) -> String {
        // Fails only for maps whose keys are no texts.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Encodes an update for all clients.
#[must_use]
pub fn encode_remote_update(seq: u64, delta: &[u8], actor_id: &str) -> String {
    ServerMessage::RemoteUpdate { seq, delta_b64: to_base64(delta), actor_id }.encode()
}

/// Encodes bytes as in `deltaB64`.
#[must_use]
pub fn to_base64(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn limits() -> Limits {
        Limits { update: 9, json_frame: 400, ..Limits::default() }
    }

    fn read(message: &str) -> Result<ClientMessage, BadFrame> {
        decode(message, &limits()).map_err(|bad| bad.cause)
    }

    #[test]
    fn messages_are_read() {
        let join = "{\"type\":\"join\",\"displayName\":\"Ann\",\"stateVectorB64\":\"AA==\"}";
        let joined = ClientMessage::Join {
            display_name: Some("Ann".to_owned()),
            state_vector: Some(vec![0]),
            lineage: None,
        };
        assert_eq!(read(join), Ok(joined));
        let update = "{\"deltaB64\":\"AAA\",\"opId\":\"a\",\"baseVersion\":7,\"type\":\"update\"}";
        let updated = ClientMessage::Update { op_id: "a".to_owned(), delta: vec![0, 0] };
        assert_eq!(read(update), Ok(updated));
        let presence = "{\"type\":\"presence\",\"cursor\":{\"from\":1,\"to\":2,\"x\":[]}}";
        let cursor = Some(Cursor { from: 1, to: 2 });
        assert_eq!(read(presence), Ok(ClientMessage::Presence { cursor, color: None }));
        let ts = Some(Number::from(17));
        assert_eq!(read("{\"type\":\"ping\",\"ts\":17}"), Ok(ClientMessage::Ping { ts }));
    }

    #[rstest]
    #[case::no_json("{")]
    #[case::no_object("[]")]
    #[case::no_type("{}")]
    #[case::another_type("{\"type\":\"leave\"}")]
    #[case::an_update_without_id("{\"type\":\"update\",\"deltaB64\":\"AAA=\"}")]
    #[case::an_update_without_bytes("{\"type\":\"update\",\"opId\":\"a\"}")]
    #[case::no_base64("{\"type\":\"update\",\"opId\":\"a\",\"deltaB64\":\"?\"}")]
    #[case::a_negative_offset("{\"type\":\"presence\",\"cursor\":{\"from\":-1,\"to\":2}}")]
    #[case::a_field_twice("{\"type\":\"ping\",\"type\":\"ping\"}")]
    #[case::deep("{\"type\":\"ping\",\"x\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}")]
    fn refuses(#[case] message: &str) {
        assert!(matches!(read(message), Err(BadFrame::Malformed(_))), "{:?}", read(message));
    }

    #[test]
    fn lengths_are_limited() {
        let update = |length| {
            let delta = to_base64(&vec![0; length]);
            format!("{{\"type\":\"update\",\"opId\":\"a\",\"deltaB64\":\"{delta}\"}}")
        };
        assert!(read(&update(9)).is_ok());
        let refused = decode(&update(10), &limits());
        let expected = BadMessage { cause: BadFrame::TooLarge(9), op_id: Some("a".to_owned()) };
        assert_eq!(refused, Err(expected));
        assert_eq!(read(&" ".repeat(401)), Err(BadFrame::TooLarge(400)));
    }

    #[test]
    fn answers_have_the_documented_fields() {
        let ack = ServerMessage::Ack { op_id: "a", seq: 3, pending: false };
        assert_eq!(ack.encode(), "{\"type\":\"ack\",\"opId\":\"a\",\"seq\":3}");
        let pending = ServerMessage::Ack { op_id: "a", seq: 3, pending: true };
        assert!(pending.encode().ends_with("\"pending\":true}"));
        assert_eq!(
            encode_remote_update(4, &[0, 0], "b"),
            "{\"type\":\"remote_update\",\"seq\":4,\"deltaB64\":\"AAA=\",\"actorId\":\"b\"}"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in "\\PC{0,80}") {
            let _ = decode(&text, &limits());
        }
    }
}
