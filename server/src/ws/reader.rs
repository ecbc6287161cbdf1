//! Reads messages and carries out what they ask of the room.

use super::{
    refusal::{refusal, told},
    socket::{Shared, Work},
    wire::{Arrived, FrameReader, Message, Payload, ReadError},
};
use futures::{SinkExt as _, channel::mpsc};
use izanagi_shared::sync::{
    Connection,
    connection::{Effect, Event, Incoming, Post, Refusal},
};
use std::time::Duration;
use tokio::{io::AsyncRead, time::timeout};

/// How long a client has to answer a close frame. Until then, what it sends is read and ignored: a
/// connection that is closed with unread bytes is reset, and the client may miss the close frame.
const CLOSE_WAIT: Duration = Duration::from_secs(2);

pub(super) struct Reader<'a> {
    pub(super) shared: &'a Shared,
    pub(super) give: mpsc::Sender<Work>,
}

impl Reader<'_> {
    /// Reads until the connection is closed.
    pub(super) async fn run<S: AsyncRead + Unpin>(mut self, incoming: &mut FrameReader<S>) {
        let mut effects = Vec::new();
        loop {
            match incoming.next().await {
                Ok(Arrived::Message(payload, _held)) => self.take(&payload, &mut effects),
                Ok(Arrived::Pong) => self.heard(),
                Ok(Arrived::Ping(bytes)) => {
                    self.heard();
                    if !self.give(Work::Send(Message::Pong(bytes))).await {
                        return;
                    }
                }
                Ok(Arrived::Close(code)) => {
                    let echo = Message::Close(code.map(|code| (code, String::new())));
                    self.give(Work::Send(echo)).await;
                    return;
                }
                Err(ReadError::Lost(_)) => return,
                Err(error) => self.fail(&error, &mut effects),
            }
            for effect in effects.drain(..) {
                if !self.carry_out(effect).await {
                    return;
                }
            }
            if !self.until_wanted().await {
                return;
            }
        }
    }

    fn heard(&self) {
        self.shared.with(|connection, now| connection.heard(now));
    }

    fn take(&self, payload: &Payload, effects: &mut Vec<Effect>) {
        let right = self.shared.poster.require_editor().map_err(|error| told(&error));
        let incoming = match payload {
            Payload::Binary(bytes) => Incoming::Binary(bytes),
            Payload::Text(text) => Incoming::Text(text),
        };
        self.shared.with(|connection, now| connection.received(now, incoming, right, effects));
    }

    /// Closes the connection, because nothing more can be read.
    fn fail(&self, error: &ReadError, effects: &mut Vec<Effect>) {
        self.shared.with(|connection, now| match error {
            ReadError::Lost(_) => {}
            ReadError::TooLong => connection.too_large(effects),
            ReadError::Invalid(reason) => connection.malformed(reason, effects),
            ReadError::TooSlow => connection.malformed("it took too long to arrive", effects),
            ReadError::NoMemory(cause) => {
                let Refusal { close, message, .. } = refusal(cause);
                connection.event(now, Event::Closed(close, &message), effects);
            }
        });
    }

    async fn give(&mut self, work: Work) -> bool {
        self.give.send(work).await.is_ok()
    }

    /// Returns whether the writer goes on.
    async fn carry_out(&mut self, effect: Effect) -> bool {
        let poster = &self.shared.poster;
        let work = match effect {
            // In the order of the messages, which is why the reader waits for the queue of the room.
            Effect::Post(Post { number, op_id, delta }) => {
                Work::Posted(number, poster.post(op_id, delta).await)
            }
            Effect::Present(presence) => {
                self.shared.present(presence).await;
                return true;
            }
            other => Work::Effect(other),
        };
        self.give(work).await
    }

    /// Waits until the room has answered enough; returns whether the connection goes on.
    async fn until_wanted(&self) -> bool {
        loop {
            let answered = self.shared.answered.notified();
            let state = |connection: &mut Connection, _| {
                (connection.is_closed(), connection.wants_messages())
            };
            match self.shared.with(state) {
                (true, _) => return false,
                (false, true) => return true,
                (false, false) => answered.await,
            }
        }
    }
}

/// Waits until the client closes the connection, but not for long.
pub(super) async fn wait_for_close<S: AsyncRead + Unpin>(incoming: &mut FrameReader<S>) {
    // A client that does not answer is cut off.
    let _ = timeout(CLOSE_WAIT, incoming.drain()).await;
}
