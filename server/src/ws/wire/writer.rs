//! Sends messages.

use super::Message;
use axum::body::Bytes;
use bytes::{Buf, BufMut as _, BytesMut};
use std::{
    collections::VecDeque,
    io::{self, IoSlice},
};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tungstenite::protocol::frame::{
    FrameHeader,
    coding::{Control, Data, OpCode},
};

/// Longest head of a frame without a mask.
const HEAD: usize = 10;
/// Payloads up to this length are copied behind their head, so that the kernel gets few slices.
const SHORT: usize = 1024;

/// The sending half of a socket.
#[derive(Debug)]
pub(in crate::ws) struct FrameWriter<S> {
    stream: S,
}

impl<S: AsyncWrite + Unpin> FrameWriter<S> {
    pub(in crate::ws) const fn new(stream: S) -> Self {
        Self { stream }
    }

    /// Sends messages, together where the stream takes them so. Leaves the list empty.
    ///
    /// # Errors
    /// The connection is lost, or the client does not read.
    pub(in crate::ws) async fn send(&mut self, messages: &mut Vec<Message>) -> io::Result<()> {
        if messages.is_empty() {
            return Ok(());
        }
        let mut frames = Frames::of(messages.drain(..))?;
        self.stream.write_all_buf(&mut frames).await?;
        self.stream.flush().await
    }
}

/// Encoded frames, in pieces: payloads are shared with other sockets.
#[derive(Debug, Default)]
struct Frames {
    pieces: VecDeque<Bytes>,
    remaining: usize,
}

impl Frames {
    fn of(messages: impl ExactSizeIterator<Item = Message>) -> io::Result<Self> {
        let mut frames = Self::default();
        // Heads and short payloads since the last long one.
        let mut short = BytesMut::new();
        for message in messages {
            let (opcode, payload) = encoded(message);
            let length = payload.len();
            let copied = if length <= SHORT { length } else { 0 };
            short.reserve(HEAD + copied);
            let header = FrameHeader { opcode, ..FrameHeader::default() };
            header
                .format(length as u64, &mut (&mut short).writer())
                .map_err(|error| io::Error::other(error.to_string()))?;
            if length <= SHORT {
                short.extend_from_slice(&payload);
            } else {
                frames.push(short.split().freeze());
                frames.push(payload);
            }
        }
        frames.push(short.freeze());
        Ok(frames)
    }

    fn push(&mut self, piece: Bytes) {
        if !piece.is_empty() {
            self.remaining += piece.len();
            self.pieces.push_back(piece);
        }
    }
}

fn encoded(message: Message) -> (OpCode, Bytes) {
    match message {
        Message::Binary(bytes) => (OpCode::Data(Data::Binary), bytes),
        Message::Text(bytes) => (OpCode::Data(Data::Text), bytes),
        Message::Ping => (OpCode::Control(Control::Ping), Bytes::new()),
        Message::Pong(bytes) => (OpCode::Control(Control::Pong), bytes),
        Message::Close(None) => (OpCode::Control(Control::Close), Bytes::new()),
        Message::Close(Some((code, reason))) => {
            let payload = [&code.to_be_bytes(), reason.as_bytes()].concat();
            (OpCode::Control(Control::Close), payload.into())
        }
    }
}

impl Buf for Frames {
    fn remaining(&self) -> usize {
        self.remaining
    }

    fn chunk(&self) -> &[u8] {
        self.pieces.front().map_or(&[], |piece| piece)
    }

    fn advance(&mut self, mut count: usize) {
        self.remaining -= count;
        while let Some(piece) = self.pieces.front_mut() {
            if count < piece.len() {
                piece.advance(count);
                return;
            }
            count -= piece.len();
            self.pieces.pop_front();
        }
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let filled = slices.iter_mut().zip(&self.pieces);
        filled.map(|(slice, piece)| *slice = IoSlice::new(piece)).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, duplex};

    async fn sent(messages: Vec<Message>) -> Vec<u8> {
        // Narrow, so that frames are written in many parts.
        let (server, mut client) = duplex(7);
        let sending = async move {
            let mut messages = messages;
            FrameWriter::new(server).send(&mut messages).await.unwrap();
            assert!(messages.is_empty());
        };
        let mut bytes = Vec::new();
        tokio::join!(sending, async { client.read_to_end(&mut bytes).await.unwrap() });
        bytes
    }

    #[tokio::test]
    async fn frames_have_the_lengths_of_rfc_6455() {
        let of = |length: usize| sent(vec![Message::Binary(vec![7; length].into())]);
        assert_eq!(of(0).await, [0x82, 0]);
        assert_eq!(of(125).await[..2], [0x82, 125]);
        assert_eq!(of(126).await[..4], [0x82, 126, 0, 126]);
        assert_eq!(of(65_535).await[..4], [0x82, 126, 0xff, 0xff]);
        assert_eq!(of(65_536).await[..10], [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
        for length in [0, 125, 126, SHORT, SHORT + 1, 65_536] {
            let bytes = of(length).await;
            assert_eq!(bytes[bytes.len() - length..], vec![7; length]);
        }
    }

    #[tokio::test]
    async fn short_and_long_messages_keep_their_order() {
        let long = Bytes::from(vec![b'x'; SHORT + 1]);
        let messages = vec![
            Message::Text(Bytes::from_static(b"a")),
            Message::Ping,
            Message::Binary(long.clone()),
            Message::Pong(Bytes::from_static(b"p")),
            Message::Binary(long),
            Message::Close(Some((4400, "why".to_owned()))),
        ];
        let head = [0x82, 126, 4, 1];
        let expected = [
            &[0x81, 1, b'a', 0x89, 0][..],
            &head,
            &vec![b'x'; SHORT + 1],
            &[0x8a, 1, b'p'],
            &head,
            &vec![b'x'; SHORT + 1],
            &[0x88, 5, 0x11, 0x30, b'w', b'h', b'y'],
        ];
        assert_eq!(sent(messages).await, expected.concat());
        assert_eq!(sent(vec![Message::Close(None)]).await, [0x88, 0]);
    }
}
