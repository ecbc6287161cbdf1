//! WebSocket messages on a byte stream (RFC 6455), on the server's side and without extensions.
//!
//! The format of a frame's head comes from `tungstenite`. Its buffers do not: it copies what it sends,
//! and a buffer keeps the size of the longest message, in each direction and for as long as a socket
//! is open. Here an idle socket holds no buffer, what several sockets are sent is shared, and a long
//! message reserves its memory: once its length is known, or as much as a message may have if it comes
//! in fragments.

mod reader;
mod upgrade;
mod writer;

pub(super) use reader::FrameReader;
pub(super) use upgrade::{Halves, NoUpgrade, Upgrade};
pub(super) use writer::FrameWriter;

use axum::body::Bytes;
use bytes::BytesMut;
use izanagi_domain::{budget::Reservation, error::Error};

/// What a client sends.
#[derive(Debug)]
pub(super) enum Arrived {
    /// A message. The memory of a long one is reserved until the reservation is dropped.
    Message(Payload, Option<Reservation>),
    /// A ping, which is answered with the same bytes.
    Ping(Bytes),
    /// A pong.
    Pong,
    /// The client closes the connection, with this code if it gives one. Nothing follows.
    Close(Option<u16>),
}

/// The content of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Payload {
    /// A binary message.
    Binary(BytesMut),
    /// A text message.
    Text(String),
}

/// Why nothing more can be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    /// The client is gone.
    #[error("the connection was lost: {0}")]
    Lost(#[from] std::io::Error),
    /// A message is longer than the limit.
    #[error("a message is too long")]
    TooLong,
    /// A frame violates the protocol.
    #[error("the frame is invalid: {0}")]
    Invalid(&'static str),
    /// A long message took too long to arrive.
    #[error("the message took too long to arrive")]
    TooSlow,
    /// There is no memory for a long message.
    #[error("there is no memory for the message: {0}")]
    NoMemory(Error),
}

/// What the server sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Message {
    Binary(Bytes),
    /// The bytes are UTF-8.
    Text(Bytes),
    Ping,
    Pong(Bytes),
    /// A code, if there is one, and a reason of at most 123 bytes.
    Close(Option<(u16, String)>),
}
