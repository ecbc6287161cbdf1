//! Reads messages.

use super::{Arrived, Payload, ReadError};
use bytes::{Buf as _, BufMut as _, BytesMut};
use futures::future::BoxFuture;
use izanagi_domain::{
    budget::Reservation,
    error::{Error, Result},
};
use std::{
    future::poll_fn,
    io::{self, Cursor},
    mem::MaybeUninit,
    pin::Pin,
    task::{Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, ReadBuf},
    time::{Instant, timeout_at},
};
use tungstenite::protocol::frame::{
    FrameHeader,
    coding::{CloseCode, Control, Data, OpCode},
};

/// Bytes that are read at once before it is known to which frame they belong.
const CHUNK: usize = 4 * 1024;
/// Bytes of a message that may arrive without a reservation.
const FREE: usize = 64 * 1024;
/// How long a message may take from there.
const AT_MOST: Duration = Duration::from_secs(60);
/// Longest payload of a control frame.
const CONTROL: u64 = 125;

type Arrive<T> = std::result::Result<T, ReadError>;

/// Reserves memory for a long message.
pub(in crate::ws) type Memory =
    Box<dyn Fn(usize) -> BoxFuture<'static, Result<Reservation>> + Send>;

/// The receiving half of a socket. It holds no memory while nothing arrives.
pub(in crate::ws) struct FrameReader<S> {
    stream: S,
    /// Bytes of the longest message.
    longest: usize,
    /// `None` as long as long messages are refused.
    memory: Option<Memory>,
    /// Bytes that have arrived and do not belong to a known frame yet.
    ahead: BytesMut,
    /// The frame that is arriving.
    frame: Option<Frame>,
    /// The message of which some frames have arrived.
    message: Option<Partial>,
    /// Nothing more can be read: what follows may be anything.
    has_failed: bool,
}

/// A frame whose head has arrived.
#[derive(Debug)]
struct Frame {
    opcode: OpCode,
    is_final: bool,
    mask: [u8; 4],
    /// Bytes of the payload that have not arrived.
    left: usize,
    /// The payload of a control frame; that of another one belongs to its message.
    control: BytesMut,
}

/// A message that is arriving.
#[derive(Debug)]
struct Partial {
    is_text: bool,
    bytes: BytesMut,
    held: Option<Reservation>,
    /// Set once the message is long.
    deadline: Option<Instant>,
}

impl<S: AsyncRead + Unpin> FrameReader<S> {
    pub(in crate::ws) fn new(stream: S, longest: usize) -> Self {
        Self {
            stream,
            longest,
            memory: None,
            ahead: BytesMut::new(),
            frame: None,
            message: None,
            has_failed: false,
        }
    }

    /// Allows long messages.
    pub(in crate::ws) fn reserve_with(&mut self, memory: Memory) {
        self.memory = Some(memory);
    }

    /// Returns what arrives next. Nothing is lost if the result is dropped before it is ready.
    ///
    /// # Errors
    /// Nothing more can be read.
    pub(in crate::ws) async fn next(&mut self) -> Arrive<Arrived> {
        let arrived = self.read_next().await;
        self.has_failed |= arrived.is_err();
        arrived
    }

    async fn read_next(&mut self) -> Arrive<Arrived> {
        loop {
            if self.frame.is_none() && !self.take_head()? {
                self.read_ahead().await?;
                continue;
            }
            self.reserve().await?;
            if !self.take_payload() {
                self.read_payload().await?;
                continue;
            }
            if let Some(arrived) = self.finish()? {
                return Ok(arrived);
            }
        }
    }

    /// Reads and drops everything until the client closes the connection.
    pub(in crate::ws) async fn drain(&mut self) {
        while !self.has_failed {
            match self.next().await {
                Ok(Arrived::Close(_)) | Err(ReadError::Lost(_)) => return,
                Ok(_) | Err(_) => {}
            }
        }
        // The bytes that follow cannot be parsed. They are read without a deadline and not kept.
        (self.frame, self.message) = (None, None);
        while matches!(self.read_ahead().await, Ok(())) {
            self.ahead = BytesMut::new();
        }
    }

    /// Takes the head of a frame, if it is complete.
    fn take_head(&mut self) -> Arrive<bool> {
        let mut cursor = Cursor::new(&self.ahead[..]);
        let head = FrameHeader::parse(&mut cursor);
        let head = head.map_err(|_| ReadError::Invalid("its opcode is unknown"))?;
        let Some((head, length)) = head else { return Ok(false) };
        let taken = usize::try_from(cursor.position()).unwrap_or(usize::MAX);
        self.ahead.advance(taken);
        if head.rsv1 || head.rsv2 || head.rsv3 {
            return Err(ReadError::Invalid("no extension was agreed"));
        }
        let mask = head.mask.ok_or(ReadError::Invalid("it has no mask"))?;
        match head.opcode {
            OpCode::Control(_) if length > CONTROL || !head.is_final => {
                return Err(ReadError::Invalid("a control frame has at most 125 bytes"));
            }
            OpCode::Data(Data::Continue) if self.message.is_none() => {
                return Err(ReadError::Invalid("it continues nothing"));
            }
            OpCode::Data(Data::Text | Data::Binary) if self.message.is_some() => {
                return Err(ReadError::Invalid("the message before is incomplete"));
            }
            OpCode::Data(kind @ (Data::Text | Data::Binary)) => {
                let (is_text, bytes) = (kind == Data::Text, BytesMut::new());
                self.message = Some(Partial { is_text, bytes, held: None, deadline: None });
            }
            OpCode::Data(_) | OpCode::Control(_) => {}
        }
        let left = usize::try_from(length).unwrap_or(usize::MAX);
        if let (OpCode::Data(_), Some(message)) = (head.opcode, &self.message)
            && left > self.longest.saturating_sub(message.bytes.len())
        {
            return Err(ReadError::TooLong);
        }
        let (opcode, is_final) = (head.opcode, head.is_final);
        self.frame = Some(Frame { opcode, is_final, mask, left, control: BytesMut::new() });
        Ok(true)
    }

    /// Reserves memory for a message that is long with this frame.
    async fn reserve(&mut self) -> Arrive<()> {
        let Self { frame: Some(frame), message: Some(message), longest, memory, .. } = self else {
            return Ok(());
        };
        let length = message.bytes.len() + frame.left;
        if frame.is_control() || length <= FREE || message.deadline.is_some() {
            return Ok(());
        }
        // A message in several frames does not tell its length.
        let most = if frame.is_final { length } else { *longest };
        let memory = memory.as_ref().ok_or(ReadError::NoMemory(Error::Forbidden))?;
        message.held = Some(memory(most).await.map_err(ReadError::NoMemory)?);
        // All of it at once: growing would take twice as much.
        let mut bytes = BytesMut::with_capacity(most);
        bytes.extend_from_slice(&message.bytes);
        message.bytes = bytes;
        message.deadline = Some(Instant::now() + AT_MOST);
        Ok(())
    }

    /// Takes what has arrived of the payload; returns whether it is complete.
    fn take_payload(&mut self) -> bool {
        let Self { frame: Some(frame), message, ahead, .. } = self else { return false };
        let arrived = ahead.len().min(frame.left);
        if arrived > 0 {
            let target = match message {
                Some(message) if !frame.is_control() => &mut message.bytes,
                _ => &mut frame.control,
            };
            let start = target.len();
            target.extend_from_slice(&ahead[..arrived]);
            unmask(&mut target[start..], &mut frame.mask);
            ahead.advance(arrived);
            frame.left -= arrived;
        }
        if ahead.is_empty() {
            *ahead = BytesMut::new();
        }
        frame.left == 0
    }

    /// Ends the frame; returns what is complete with it.
    fn finish(&mut self) -> Arrive<Option<Arrived>> {
        let Some(frame) = self.frame.take() else { return Ok(None) };
        let payload = frame.control;
        match frame.opcode {
            OpCode::Control(Control::Ping) => return Ok(Some(Arrived::Ping(payload.freeze()))),
            OpCode::Control(Control::Close) => return close(&payload).map(Some),
            OpCode::Control(_) => return Ok(Some(Arrived::Pong)),
            OpCode::Data(_) if !frame.is_final => return Ok(None),
            OpCode::Data(_) => {}
        }
        let Some(Partial { is_text, bytes, held, .. }) = self.message.take() else {
            return Ok(None);
        };
        let payload = match is_text {
            false => Payload::Binary(bytes),
            true => Payload::Text(
                String::from_utf8(bytes.into())
                    .map_err(|_| ReadError::Invalid("its text is not UTF-8"))?,
            ),
        };
        Ok(Some(Arrived::Message(payload, held)))
    }

    /// Reads bytes before it is known to which frame they belong.
    async fn read_ahead(&mut self) -> Arrive<()> {
        let Self { stream, ahead, message, .. } = self;
        let reading = poll_fn(|context| {
            // On the stack, so that a socket that waits has no buffer.
            let mut chunk = [MaybeUninit::uninit(); CHUNK];
            let mut buffer = ReadBuf::uninit(&mut chunk);
            ready!(Pin::new(&mut *stream).poll_read(context, &mut buffer))?;
            ahead.extend_from_slice(buffer.filled());
            Poll::Ready(Ok(buffer.filled().len()))
        });
        let deadline = message.as_ref().and_then(|message| message.deadline);
        some(in_time(reading, deadline).await?)
    }

    /// Reads more of the payload.
    async fn read_payload(&mut self) -> Arrive<()> {
        let Self { frame: Some(frame), message: Some(message), stream, .. } = self else {
            return self.read_ahead().await;
        };
        if frame.is_control() || frame.left <= CHUNK {
            return self.read_ahead().await;
        }
        // Straight into the message. Its memory grows with what has arrived, unless it is reserved.
        let room = if message.held.is_some() { frame.left } else { frame.left.min(4 * CHUNK) };
        let (start, deadline) = (message.bytes.len(), message.deadline);
        message.bytes.reserve(room);
        let mut target = (&mut message.bytes).limit(room);
        let read = in_time(stream.read_buf(&mut target), deadline).await?;
        unmask(&mut message.bytes[start..], &mut frame.mask);
        frame.left -= read;
        some(read)
    }
}

impl Frame {
    const fn is_control(&self) -> bool {
        matches!(self.opcode, OpCode::Control(_))
    }
}

async fn in_time<T>(
    reading: impl Future<Output = io::Result<T>>,
    deadline: Option<Instant>,
) -> Arrive<T> {
    Ok(match deadline {
        Some(deadline) => timeout_at(deadline, reading).await.map_err(|_| ReadError::TooSlow)??,
        None => reading.await?,
    })
}

/// The end of the stream is the end of the connection.
fn some(read: usize) -> Arrive<()> {
    if read == 0 { Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()) } else { Ok(()) }
}

/// Removes the mask, and turns it to where the next bytes begin (RFC 6455 §5.3).
fn unmask(bytes: &mut [u8], mask: &mut [u8; 4]) {
    let [a, b, c, d] = *mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = bytes.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
    mask.rotate_left(bytes.len() % 4);
}

/// Reads the payload of a close frame (RFC 6455 §5.5.1).
fn close(payload: &[u8]) -> Arrive<Arrived> {
    match payload {
        [] => Ok(Arrived::Close(None)),
        [high, low, reason @ ..] => {
            let code = u16::from_be_bytes([*high, *low]);
            if !CloseCode::from(code).is_allowed() || str::from_utf8(reason).is_err() {
                return Err(ReadError::Invalid("the client closes with an invalid code or reason"));
            }
            Ok(Arrived::Close(Some(code)))
        }
        [_] => Err(ReadError::Invalid("the client closes with half a code")),
    }
}

#[cfg(test)]
mod tests;
