//! Sends what the room tells and what the connection answers.

use super::{
    notice::notice,
    refusal::{closed, refusal},
    socket::{Shared, Work},
    wire::{FrameWriter, Message},
};
use crate::connections::ConnectionGuard;
use axum::body::Bytes;
use futures::{
    FutureExt as _, StreamExt as _,
    channel::mpsc,
    future::BoxFuture,
    stream::{FuturesOrdered, FuturesUnordered},
};
use izanagi_domain::{
    budget::Reservation,
    documents::{LiveConnection, LivePoster},
    error::Result,
    live::{
        self, Closing, LiveUpdate, PendingReceipt, PostedUpdate, PresenceUpdate, Receipt, SeatEvent,
    },
};
use izanagi_shared::sync::{
    CloseCode, Presence, close_reason,
    connection::{Effect, Event, Missing, Outgoing, Posted, Protocol},
    json,
    yjs::Frame,
};
use std::{pin::pin, sync::Arc};
use tokio::{io::AsyncWrite, time::sleep_until};

/// States of clients whose cursors the room is asked for. Beyond them, the seat keeps only the newest.
const MOST_PRESENCES: usize = 64;

/// Bytes that sending a document takes, for each byte of it: in base64, beside the original.
const SENT: usize = 3;

/// An answer of the room.
enum Answer {
    /// What becomes of a pending update comes later.
    Posted(u64, Result<Receipt>, Option<PendingReceipt>),
    /// With its memory, which is held until it has been sent.
    Missing(Result<(live::Missing, Reservation)>),
    /// The own state was announced again.
    Presented,
}

pub(super) struct Writer<S> {
    shared: Arc<Shared>,
    live: LiveConnection,
    outgoing: FrameWriter<S>,
    given: mpsc::Receiver<Work>,
    /// Questions to the room. The connection bounds their number.
    asked: FuturesUnordered<BoxFuture<'static, Answer>>,
    /// States of other clients for the JSON protocol, in their order: a client that has left must not
    /// appear again.
    presences: FuturesOrdered<BoxFuture<'static, Presence>>,
    /// Messages to send.
    messages: Vec<Message>,
    /// Their memory.
    held: Vec<Reservation>,
    /// The connection was closed with this code.
    closed: Option<CloseCode>,
}

impl<S: AsyncWrite + Unpin> Writer<S> {
    pub(super) fn new(
        shared: Arc<Shared>,
        live: LiveConnection,
        outgoing: FrameWriter<S>,
        given: mpsc::Receiver<Work>,
    ) -> Self {
        let (asked, presences) = (FuturesUnordered::new(), FuturesOrdered::new());
        let (messages, held) = (Vec::new(), Vec::new());
        Self { shared, live, outgoing, given, asked, presences, messages, held, closed: None }
    }

    /// Serves the connection; returns the code with which it was closed, `None` if it was lost.
    pub(super) async fn run(mut self, held: &ConnectionGuard) -> Option<CloseCode> {
        let mut effects = Vec::new();
        let mut events = Vec::new();
        self.shared.with(|connection, _| connection.start(&mut effects));
        let mut wake_at = self.shared.wake_at();
        let mut timer = pin!(sleep_until(wake_at));
        loop {
            self.carry_out(&mut effects);
            // Nothing follows a close frame.
            let close = self.messages.iter().position(|it| matches!(it, Message::Close(_)));
            if let Some(at) = close {
                self.messages.truncate(at + 1);
            }
            if self.outgoing.send(&mut self.messages).await.is_err() || close.is_some() {
                return self.closed;
            }
            self.held.clear();
            let due = self.shared.wake_at();
            if due != wake_at {
                wake_at = due;
                timer.as_mut().reset(due);
            }
            // A message may have closed the connection, and its close frame waits in the queue. Events
            // have no effect any more, and would make this loop spin.
            let (is_open, wants_events) = self
                .shared
                .with(|connection, _| (!connection.is_closed(), connection.wants_events()));
            let wants_events = is_open && wants_events && self.presences.len() < MOST_PRESENCES;
            tokio::select! {
                biased;
                () = held.ending.cancelled(), if is_open => self.tell(closed(Closing::GoingAway), &mut effects),
                work = self.given.next() => match work {
                    Some(work) => self.take_work(work, &mut effects),
                    // The client is gone.
                    None => return None,
                },
                Some(answer) = self.asked.next() => self.take_answer(answer, &mut effects),
                Some(presence) = self.presences.next() => {
                    self.tell(Event::Presence(&presence), &mut effects);
                }
                () = self.live.events(&mut events), if wants_events => {
                    for event in events.drain(..) {
                        self.take_event(event, &mut effects);
                    }
                }
                () = timer.as_mut(), if is_open => {
                    self.shared.with(|connection, now| connection.tick(now, &mut effects));
                }
            }
            // Whatever is there already is sent with it.
            while let Some(Some(work)) = self.given.next().now_or_never() {
                self.take_work(work, &mut effects);
            }
            while let Some(Some(answer)) = self.asked.next().now_or_never() {
                self.take_answer(answer, &mut effects);
            }
        }
    }

    fn take_work(&mut self, work: Work, effects: &mut Vec<Effect>) {
        match work {
            Work::Effect(effect) => effects.push(effect),
            Work::Send(message) => {
                self.carry_out(effects);
                self.messages.push(message);
            }
            Work::Posted(number, Ok(posted)) => {
                let PostedUpdate { receipt, settled } = posted;
                let answer = async move { Answer::Posted(number, receipt.await, Some(settled)) };
                self.asked.push(answer.boxed());
            }
            Work::Posted(number, Err(error)) => {
                self.take_answer(Answer::Posted(number, Err(error), None), effects);
            }
        }
    }

    fn take_answer(&mut self, answer: Answer, effects: &mut Vec<Effect>) {
        match answer {
            Answer::Posted(number, Ok(Receipt { seq, pending }), settled) => {
                let posted = Posted { seq, pending };
                self.shared.with(|connection, _| connection.posted(number, Ok(posted), effects));
                if let Some(settled) = settled.filter(|_| pending) {
                    let answer = async move { Answer::Posted(number, settled.await, None) };
                    self.asked.push(answer.boxed());
                }
            }
            Answer::Posted(number, Err(error), _) => {
                let refusal = refusal(&error);
                self.shared.with(|connection, _| connection.posted(number, Err(refusal), effects));
            }
            Answer::Missing(missing) => {
                let missing = missing.map(|(missing, held)| {
                    self.held.push(held);
                    Missing {
                        seq: missing.seq,
                        lineage: hex::encode(missing.lineage),
                        delta: missing.delta,
                        state_vector: missing.state_vector,
                    }
                });
                let missing = missing.map_err(|error| refusal(&error));
                self.shared.with(|connection, _| connection.missing(missing, effects));
            }
            Answer::Presented => {}
        }
        self.shared.answered.notify_one();
    }

    fn take_event(&mut self, event: SeatEvent, effects: &mut Vec<Effect>) {
        match event {
            SeatEvent::Update(update) => {
                // In the order of the room.
                self.carry_out(effects);
                self.messages.push(self.encode(&update));
            }
            SeatEvent::Presence(update) => {
                let PresenceUpdate { client, clock, state, .. } = &*update;
                let presence = Presence { client: *client, clock: *clock, state: state.clone() };
                match self.shared.protocol {
                    Protocol::Yjs { .. } => self.tell(Event::Presence(&presence), effects),
                    Protocol::Json => {
                        let poster = self.shared.poster.clone();
                        self.presences.push_back(completed(poster, presence).boxed());
                    }
                }
            }
            SeatEvent::Document(event) => self.tell(Event::Document(&notice(&event)), effects),
            SeatEvent::Closed(closing) => self.tell(closed(closing), effects),
        }
    }

    fn tell(&self, event: Event<'_>, effects: &mut Vec<Effect>) {
        self.shared.with(|connection, now| connection.event(now, event, effects));
    }

    /// Returns the message of an update, which all connections of a protocol share.
    fn encode(&self, update: &LiveUpdate) -> Message {
        match self.shared.protocol {
            Protocol::Yjs { .. } => {
                Message::Binary(update.yjs(|update| Frame::Update(&update.delta).encode().into()))
            }
            Protocol::Json => {
                let LiveUpdate { seq, actor, delta, .. } = update;
                let encode = || json::encode_remote_update(*seq, delta, &actor.to_string());
                Message::Text(update.json(|_| Bytes::from(encode())))
            }
        }
    }

    fn carry_out(&mut self, effects: &mut Vec<Effect>) {
        for effect in effects.drain(..) {
            match effect {
                Effect::Send(Outgoing::Binary(bytes)) => {
                    self.messages.push(Message::Binary(bytes.into()));
                }
                Effect::Send(Outgoing::Text(text)) => {
                    self.messages.push(Message::Text(text.into()));
                }
                Effect::Ping => self.messages.push(Message::Ping),
                Effect::Missing(state_vector) => {
                    let poster = self.shared.poster.clone();
                    let missing =
                        async move { Answer::Missing(missing(&poster, state_vector).await) };
                    self.asked.push(missing.boxed());
                }
                Effect::Present(presence) => {
                    let shared = Arc::clone(&self.shared);
                    let presented = async move {
                        shared.present(presence).await;
                        Answer::Presented
                    };
                    self.asked.push(presented.boxed());
                }
                Effect::Close { code, reason } => {
                    self.messages.push(close_message(code, &reason));
                    self.closed = Some(code);
                }
                // Only messages lead to posts, and the reader carries them out.
                Effect::Post(_) => {}
            }
        }
    }
}

/// Returns what a replica lacks, with the memory for sending it.
async fn missing(
    poster: &LivePoster,
    state_vector: Vec<u8>,
) -> Result<(live::Missing, Reservation)> {
    // Before it is in memory, when its size is not known yet.
    let mut held = poster.send().await?;
    let missing = poster.missing(state_vector).await?;
    held.shrink_to(missing.delta.len() * SENT);
    Ok((missing, held))
}

/// Completes the cursor of a state, so that a client of the JSON protocol can place it.
async fn completed(poster: LivePoster, presence: Presence) -> Presence {
    let Presence { client, clock, state } = presence;
    let state = match state {
        Some(given) => Some(poster.complete_cursor(Arc::clone(&given)).await.unwrap_or(given)),
        None => None,
    };
    Presence { client, clock, state }
}

/// Returns a close frame.
pub(super) fn close_message(code: CloseCode, reason: &str) -> Message {
    Message::Close(Some((code.code(), close_reason(reason).to_owned())))
}
