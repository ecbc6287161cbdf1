//! Reads messages and carries out what they ask of the room.

use super::socket::{Shared, Work};
use axum::{
    Error as SocketError,
    extract::ws::{Message, WebSocket},
};
use futures::{StreamExt as _, stream::SplitStream};
use izanagi_shared::sync::{
    Connection,
    connection::{Effect, Incoming, Post},
};
use std::time::Duration;
use tokio::{sync::mpsc, time::timeout};

/// How long a client has to answer a close frame. Until then, what it sends is read and ignored: a
/// connection that is closed with unread bytes is reset, and the client may miss the close frame.
const CLOSE_WAIT: Duration = Duration::from_secs(2);

pub(super) struct Reader<'a> {
    pub(super) shared: &'a Shared,
    pub(super) give: mpsc::Sender<Work>,
}

impl Reader<'_> {
    /// Reads until the connection is closed.
    pub(super) async fn run(self, incoming: &mut SplitStream<WebSocket>) {
        let mut effects = Vec::new();
        while let Some(message) = incoming.next().await {
            self.shared.allowance.message_read();
            match message {
                Ok(message) => self.take(&message, &mut effects),
                Err(error) if is_too_large(&error) => {
                    self.shared.with(|connection, _| connection.too_large(&mut effects));
                }
                Err(_) => return,
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

    fn take(&self, message: &Message, effects: &mut Vec<Effect>) {
        let may_edit = self.shared.poster.may_edit();
        self.shared.with(|connection, now| match message {
            Message::Binary(bytes) => {
                connection.received(now, Incoming::Binary(bytes), may_edit, effects);
            }
            Message::Text(text) => {
                connection.received(now, Incoming::Text(text), may_edit, effects);
            }
            Message::Ping(_) | Message::Pong(_) => connection.heard(now),
            // The stream ends with it.
            Message::Close(_) => {}
        });
    }

    /// Returns whether the writer goes on.
    async fn carry_out(&self, effect: Effect) -> bool {
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
        self.give.send(work).await.is_ok()
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
pub(super) async fn wait_for_close(incoming: &mut SplitStream<WebSocket>) {
    let closing = async { while let Some(Ok(_)) = incoming.next().await {} };
    // A client that does not answer is cut off.
    let _ = timeout(CLOSE_WAIT, closing).await;
}

fn is_too_large(error: &SocketError) -> bool {
    use tungstenite::Error::Capacity;
    let cause = std::error::Error::source(error);
    cause.and_then(|cause| cause.downcast_ref()).is_some_and(|cause| matches!(cause, Capacity(_)))
}
