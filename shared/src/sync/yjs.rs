//! Messages of the Yjs protocol, as y-websocket frames them: lib0 variable-length integers and
//! buffers, one message in a WebSocket message.
//!
//! With `?acks=1` the server also sends `[4, n]` (the first n updates and step 2 of this connection
//! are durable), `[5, JSON]` (a [`DocumentNotice`](super::DocumentNotice)) and `[6, JSON]` (a
//! [`RefusedFrame`]). With `&lineage=ID` it closes with 4409 before its first message about the text
//! if the document has another lineage.

use super::{
    BadFrame, Limits, Presence,
    presence::{MAX_STATES, check_json, read_state},
};
use crate::crdt::varint::{Reader, write_buffer, write_uint};
use serde::{Deserialize, Serialize};

const SYNC: u64 = 0;
const AWARENESS: u64 = 1;
const QUERY_AWARENESS: u64 = 3;
const DURABLE: u64 = 4;
const DOCUMENT: u64 = 5;
const REFUSED: u64 = 6;

const STEP_1: u64 = 0;
const STEP_2: u64 = 1;
const UPDATE: u64 = 2;

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame<'a> {
    /// Asks for what a replica with this state vector lacks.
    Step1(&'a [u8]),
    /// Answers a step 1 with an update.
    Step2(&'a [u8]),
    /// An update.
    Update(&'a [u8]),
    /// States of clients.
    Awareness(Vec<Presence>),
    /// Asks for the states of all clients.
    QueryAwareness,
    /// The first so many updates and step 2 of the connection are durable.
    Durable(u64),
    /// JSON of a [`DocumentNotice`](super::DocumentNotice).
    Document(&'a str),
    /// JSON of a [`RefusedFrame`].
    Refused(&'a str),
    /// A message of another type.
    Unknown(u64),
}

/// The update that the server refused, sent before it closes the connection with 4400 or 4413.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedFrame {
    /// Its number among the updates and step 2 of the connection, from 1.
    pub frame: u64,
    /// The code of the problem document that `POST …/ops` would have returned.
    pub code: String,
    /// In words, in English.
    pub message: String,
}

/// Reads a message. State vectors and updates are read by the CRDT (see `crdt::inspect_update`).
///
/// # Errors
/// It is too large, ends early, or has bytes after its end.
pub fn decode<'a>(message: &'a [u8], limits: &Limits) -> Result<Frame<'a>, BadFrame> {
    if message.len() > limits.yjs_frame {
        return Err(BadFrame::TooLarge(limits.yjs_frame));
    }
    let mut reader = Reader::new(message);
    let frame = match uint(&mut reader)? {
        SYNC => read_sync(&mut reader, limits)?,
        AWARENESS => Frame::Awareness(read_states(buffer(&mut reader)?)?),
        QUERY_AWARENESS => Frame::QueryAwareness,
        DURABLE => Frame::Durable(uint(&mut reader)?),
        DOCUMENT => Frame::Document(text(&mut reader)?),
        REFUSED => Frame::Refused(text(&mut reader)?),
        // Its length is unknown.
        other => return Ok(Frame::Unknown(other)),
    };
    if !reader.is_at_end() {
        return Err(BadFrame::Malformed("there are bytes after its end"));
    }
    if let Frame::Document(json) | Frame::Refused(json) = frame {
        check_json(json)?;
    }
    Ok(frame)
}

fn read_sync<'a>(reader: &mut Reader<'a>, limits: &Limits) -> Result<Frame<'a>, BadFrame> {
    let kind = uint(reader)?;
    let bytes = buffer(reader)?;
    let within = |most| if bytes.len() > most { Err(BadFrame::TooLarge(most)) } else { Ok(bytes) };
    match kind {
        // A document has a client for each load of a page that edited it.
        STEP_1 => within(limits.update).map(Frame::Step1),
        // As long as the whole message.
        STEP_2 => Ok(Frame::Step2(bytes)),
        UPDATE => within(limits.update).map(Frame::Update),
        _ => Err(BadFrame::Malformed("it is no step 1, step 2 or update")),
    }
}

fn read_states(bytes: &[u8]) -> Result<Vec<Presence>, BadFrame> {
    let mut reader = Reader::new(bytes);
    let count = uint(&mut reader)?;
    if count > MAX_STATES as u64 {
        return Err(BadFrame::Malformed("it has the states of too many clients"));
    }
    let mut states = Vec::new();
    for _ in 0..count {
        let client = uint(&mut reader)?;
        let clock = reader.clock().map_err(|_| BadFrame::Malformed("it has no valid clock"))?;
        states.push(Presence { client, clock, state: read_state(text(&mut reader)?)? });
    }
    let is_whole = reader.is_at_end();
    is_whole.then_some(states).ok_or(BadFrame::Malformed("there are bytes after the states"))
}

fn uint(reader: &mut Reader<'_>) -> Result<u64, BadFrame> {
    reader.uint().map_err(|_| BadFrame::Malformed("it ends early, or a number in it is none"))
}

fn buffer<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], BadFrame> {
    reader.buffer().map_err(|_| BadFrame::Malformed("it ends early"))
}

fn text<'a>(reader: &mut Reader<'a>) -> Result<&'a str, BadFrame> {
    reader.text().map_err(|_| BadFrame::Malformed("it ends early, or a text in it is not UTF-8"))
}

impl Frame<'_> {
    /// Encodes the message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Step1(bytes) => sync(STEP_1, bytes),
            Self::Step2(bytes) => sync(STEP_2, bytes),
            Self::Update(bytes) => sync(UPDATE, bytes),
            Self::Awareness(states) => with_buffer(AWARENESS, &encode_states(states)),
            Self::QueryAwareness => vec![QUERY_AWARENESS as u8],
            Self::Durable(count) => {
                let mut message = vec![DURABLE as u8];
                write_uint(&mut message, *count);
                message
            }
            Self::Document(json) => with_buffer(DOCUMENT, json.as_bytes()),
            Self::Refused(json) => with_buffer(REFUSED, json.as_bytes()),
            Self::Unknown(kind) => {
                let mut message = Vec::new();
                write_uint(&mut message, *kind);
                message
            }
        }
    }

    /// Whether the message counts for [`Frame::Durable`].
    #[must_use]
    pub const fn is_counted(&self) -> bool {
        matches!(self, Self::Step2(_) | Self::Update(_))
    }
}

fn sync(kind: u64, bytes: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(bytes.len() + 8);
    message.extend([SYNC as u8, kind as u8]);
    write_buffer(&mut message, bytes);
    message
}

fn with_buffer(kind: u64, bytes: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(bytes.len() + 8);
    message.push(kind as u8);
    write_buffer(&mut message, bytes);
    message
}

fn encode_states(states: &[Presence]) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_uint(&mut bytes, states.len() as u64);
    for Presence { client, clock, state } in states {
        write_uint(&mut bytes, *client);
        write_uint(&mut bytes, u64::from(*clock));
        write_buffer(&mut bytes, state.as_deref().unwrap_or("null").as_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn limits() -> Limits {
        Limits { update: 8, yjs_frame: 64, ..Limits::default() }
    }

    #[rstest]
    #[case(Frame::Step1(&[0]), &[0, 0, 1, 0])]
    #[case(Frame::Step2(&[0, 0]), &[0, 1, 2, 0, 0])]
    #[case(Frame::Update(&[1, 2]), &[0, 2, 2, 1, 2])]
    #[case(Frame::QueryAwareness, &[3])]
    #[case(Frame::Durable(300), &[4, 0xac, 2])]
    #[case(Frame::Document("{}"), &[5, 2, b'{', b'}'])]
    #[case(Frame::Refused("{}"), &[6, 2, b'{', b'}'])]
    #[case(Frame::Unknown(2), &[2])]
    fn a_message_has_one_encoding(#[case] frame: Frame<'_>, #[case] bytes: &[u8]) {
        assert_eq!(frame.encode(), bytes);
        assert_eq!(decode(bytes, &limits()), Ok(frame));
    }

    #[test]
    fn states_are_read_back() {
        let here = Presence { client: 1 << 40, clock: 3, state: Some("{\"a\":1}".into()) };
        let gone = Presence { client: 2, clock: 300, state: None };
        let frame = Frame::Awareness(vec![here, gone]);
        assert_eq!(decode(&frame.encode(), &limits()), Ok(frame));
    }

    #[rstest]
    #[case::nothing(&[])]
    #[case::no_kind(&[0])]
    #[case::another_kind(&[0, 3, 0])]
    #[case::an_early_end(&[0, 2, 2, 1])]
    #[case::bytes_after_the_end(&[0, 2, 1, 1, 0])]
    #[case::bytes_after_a_query(&[3, 3])]
    #[case::a_length_beyond_memory(&[0, 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f])]
    #[case::a_number_without_end(&[0xff; 20])]
    #[case::states_that_are_not_there(&[1, 1, 5])]
    #[case::very_many_states(&[1, 4, 0xff, 0xff, 0xff, 0x7f])]
    #[case::a_state_that_is_not_json(&[1, 5, 1, 1, 1, 1, b'{'])]
    #[case::bytes_after_the_states(&[1, 2, 0, 0])]
    #[case::a_notice_that_is_not_json(&[5, 1, b'x'])]
    fn refuses(#[case] message: &[u8]) {
        assert!(matches!(decode(message, &limits()), Err(BadFrame::Malformed(_))));
    }

    #[test]
    fn an_update_has_a_limit_and_a_step_2_that_of_the_message() {
        assert!(decode(&Frame::Update(&[0; 8]).encode(), &limits()).is_ok());
        assert_eq!(decode(&Frame::Update(&[0; 9]).encode(), &limits()), Err(BadFrame::TooLarge(8)));
        assert!(decode(&Frame::Step2(&[0; 60]).encode(), &limits()).is_ok());
        assert_eq!(
            decode(&Frame::Step2(&[0; 64]).encode(), &limits()),
            Err(BadFrame::TooLarge(64))
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(frame) = decode(&bytes, &limits()) && !matches!(frame, Frame::Unknown(_)) {
                let encoded = frame.encode();
                prop_assert_eq!(decode(&encoded, &limits()), Ok(frame));
            }
        }
    }
}
