//! The server's side of a connection, for both protocols. It takes messages, results of the room and
//! the time, and returns effects, which its owner carries out in their order.
//!
//! The owner calls [`Connection::start`] first, then [`Connection::received`] for each message while
//! [`Connection::wants_messages`], and hands on what the room tells while
//! [`Connection::wants_events`]. Updates of others are the same bytes for all connections of a
//! protocol, so the owner encodes and sends them (`yjs::Frame::Update`, `json::encode_remote_update`).

mod answers;
mod json;
#[cfg(test)]
mod json_tests;
#[cfg(test)]
mod tests;
mod types;
mod yjs;

pub use types::{
    Effect, Event, Incoming, Missing, Options, Outgoing, Post, Posted, Protocol, Refusal,
};

use super::{
    BadFrame, CloseCode, Presence, bucket::TokenBucket, json::ServerMessage, presences::GONE_AFTER,
    yjs::Frame,
};
use answers::Answers;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// What a question for missing updates costs in messages, because the room encodes a state for it.
const QUESTION_COST: u32 = 100;
/// Updates without an answer of the room, above which no more messages are read.
const MOST_UNANSWERED: usize = 1_024;
/// Frames that are not durable, above which no more messages are read: one of them is pending.
const MOST_OPEN_FRAMES: usize = 16_384;
/// The most clients that can be present through one connection; usually it is one.
const MOST_PRESENTED: usize = 16;
/// The most clients whose states are remembered.
const MOST_KNOWN: usize = 1_024;

/// A connection.
#[derive(Debug)]
pub struct Connection {
    options: Options,
    bucket: TokenBucket,
    /// When a message or a pong arrived last.
    heard: Duration,
    pinged: Duration,
    answers: Answers,
    /// The room is asked for missing updates.
    is_asking: bool,
    next_question: Option<Vec<u8>>,
    /// The lineage of the first state that was sent.
    lineage: Option<String>,
    /// What the client knows of others, and when it was told.
    known: BTreeMap<u64, (Presence, Duration)>,
    /// The clients that are present through this connection.
    presented: BTreeSet<u64>,
    json: json::State,
    is_closed: bool,
}

impl Connection {
    /// A connection that was just opened.
    #[must_use]
    pub fn new(options: Options, now: Duration) -> Self {
        let limits = &options.limits;
        Self {
            bucket: TokenBucket::new(limits.messages_per_second, limits.message_burst),
            heard: now,
            pinged: now,
            answers: Answers::default(),
            is_asking: false,
            next_question: None,
            lineage: None,
            known: BTreeMap::new(),
            presented: BTreeSet::new(),
            json: json::State::new(options.display_name.clone()),
            is_closed: false,
            options,
        }
    }

    /// Returns the first effects.
    pub fn start(&mut self, out: &mut Vec<Effect>) {
        if self.options.protocol == Protocol::Json {
            // An empty state vector: the whole document.
            self.ask(vec![0], out);
        }
    }

    /// Whether the next message may be read: there are few updates that the room has not answered.
    #[must_use]
    pub fn wants_messages(&self) -> bool {
        !self.is_closed
            && self.answers.unanswered() < MOST_UNANSWERED
            && self.answers.open_frames() < MOST_OPEN_FRAMES
    }

    /// Whether updates and events of the room can be handed on. A client of the JSON protocol gets
    /// the document first.
    #[must_use]
    pub const fn wants_events(&self) -> bool {
        match self.options.protocol {
            Protocol::Yjs { .. } => true,
            Protocol::Json => self.lineage.is_some(),
        }
    }

    /// Whether the last effect was to close the connection.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Takes a message. `right` is why the client may not change the document now, if so.
    pub fn received(
        &mut self,
        now: Duration,
        message: Incoming<'_>,
        right: Result<(), Refusal>,
        out: &mut Vec<Effect>,
    ) {
        if self.is_closed {
            return;
        }
        self.heard = now;
        if !self.bucket.take(now, 1) {
            return self.close(CloseCode::RateLimited, "too many messages", out);
        }
        match (self.options.protocol, message) {
            (Protocol::Yjs { acks }, Incoming::Binary(bytes)) => {
                self.received_yjs(now, bytes, acks, right, out);
            }
            (Protocol::Json, Incoming::Text(text)) => self.received_json(now, text, right, out),
            (Protocol::Yjs { .. }, Incoming::Text(_)) => {
                self.bad_frame(&BadFrame::Malformed("messages of this protocol are binary"), out);
            }
            (Protocol::Json, Incoming::Binary(_)) => {
                self.bad_frame(&BadFrame::Malformed("messages of this protocol are text"), out);
            }
        }
    }

    /// Notes that the client is there: a ping or pong arrived.
    pub const fn heard(&mut self, now: Duration) {
        self.heard = now;
    }

    /// Takes the room's answer to a post. Answers of one connection may come in any order.
    pub fn posted(&mut self, number: u64, result: Result<Posted, Refusal>, out: &mut Vec<Effect>) {
        self.answers.insert(number, result);
        while let Some((number, result)) = self.answers.next() {
            if self.is_closed {
                return;
            }
            match self.options.protocol {
                Protocol::Yjs { acks } => {
                    if let Err(refusal) = result {
                        self.refuse_yjs(number, &refusal, acks, out);
                    }
                }
                Protocol::Json => self.answer_json(number, result, out),
            }
        }
        self.acknowledge(out);
    }

    /// Takes the room's answer to a question for missing updates.
    pub fn missing(&mut self, result: Result<Missing, Refusal>, out: &mut Vec<Effect>) {
        self.is_asking = false;
        if self.is_closed {
            return;
        }
        let missing = match result {
            Ok(missing) => missing,
            Err(Refusal { close, message, .. }) => {
                if self.options.protocol == Protocol::Json {
                    self.tell_refusal(close, &message, out);
                }
                return self.close(close, &message, out);
            }
        };
        let expected = self.lineage.as_ref().or(self.options.lineage.as_ref());
        if expected.is_some_and(|lineage| *lineage != missing.lineage) {
            let reason = "the document was restored from its text; load it again";
            return self.close(CloseCode::Resync, reason, out);
        }
        let is_first = self.lineage.is_none();
        match self.options.protocol {
            Protocol::Yjs { .. } => {
                if is_first {
                    send_frame(&Frame::Step1(&missing.state_vector), out);
                }
                send_frame(&Frame::Step2(&missing.delta), out);
            }
            Protocol::Json => {
                let message = ServerMessage::State {
                    version: missing.seq,
                    snapshot_b64: super::json::to_base64(&missing.delta),
                    lineage: &missing.lineage,
                };
                out.push(Effect::Send(Outgoing::Text(message.encode())));
            }
        }
        self.lineage = Some(missing.lineage);
        if let Some(question) = self.next_question.take() {
            self.ask(question, out);
        }
    }

    /// Takes what the room tells.
    pub fn event(&mut self, now: Duration, event: Event<'_>, out: &mut Vec<Effect>) {
        if self.is_closed {
            return;
        }
        match (event, self.options.protocol) {
            (Event::Closed(code, reason), _) => self.close(code, reason, out),
            (Event::Presence(presence), Protocol::Yjs { .. }) => {
                self.remember(now, presence);
                send_frame(&Frame::Awareness(vec![presence.clone()]), out);
            }
            (Event::Presence(presence), Protocol::Json) => self.tell_presence(now, presence, out),
            (Event::Document(notice), Protocol::Yjs { acks: true }) => {
                if let Ok(json) = serde_json::to_string(notice) {
                    send_frame(&Frame::Document(&json), out);
                }
            }
            // Plain y-websocket clients know no such message.
            (Event::Document(_), Protocol::Yjs { acks: false }) => {}
            (Event::Document(notice), Protocol::Json) => {
                if let Ok(json) = serde_json::to_string(notice) {
                    out.push(Effect::Send(Outgoing::Text(json)));
                }
            }
        }
    }

    /// Does what is due. Call it at [`Self::wake_at`].
    pub fn tick(&mut self, now: Duration, out: &mut Vec<Effect>) {
        if self.is_closed {
            return;
        }
        let limits = &self.options.limits;
        if now >= self.heard + limits.idle_after {
            return self.close(CloseCode::GoingAway, "nothing was heard for a long time", out);
        }
        if now >= self.pinged + limits.ping_every {
            self.pinged = now;
            out.push(Effect::Ping);
        }
        if self.options.protocol == Protocol::Json {
            self.tick_json(now, out);
        } else {
            // Clients of this protocol remove what is not renewed themselves.
            self.known.retain(|_, (_, told)| now < *told + GONE_AFTER);
        }
    }

    /// When [`Self::tick`] has something to do.
    #[must_use]
    pub fn wake_at(&self) -> Duration {
        let limits = &self.options.limits;
        let known = self.known.values().map(|(_, told)| *told + GONE_AFTER);
        let other = known.chain(self.json.renew_at()).min();
        let own = (self.heard + limits.idle_after).min(self.pinged + limits.ping_every);
        other.map_or(own, |other| own.min(other))
    }

    /// Asks the room, one question at a time; of those that wait the last one counts.
    fn ask(&mut self, state_vector: Vec<u8>, out: &mut Vec<Effect>) {
        if self.is_asking {
            self.next_question = Some(state_vector);
        } else {
            self.is_asking = true;
            out.push(Effect::Missing(state_vector));
        }
    }

    /// Notes what the client is told, and returns whether it had been told of that client.
    fn remember(&mut self, now: Duration, presence: &Presence) -> bool {
        if presence.state.is_none() {
            return self.known.remove(&presence.client).is_some();
        }
        if self.known.len() < MOST_KNOWN || self.known.contains_key(&presence.client) {
            return self.known.insert(presence.client, (presence.clone(), now)).is_some();
        }
        false
    }

    fn acknowledge(&mut self, out: &mut Vec<Effect>) {
        if self.is_closed || self.options.protocol != (Protocol::Yjs { acks: true }) {
            return;
        }
        if let Some(count) = self.answers.newly_durable() {
            let message = Effect::Send(Outgoing::Binary(Frame::Durable(count).encode()));
            match out.last_mut() {
                // Only the last count matters.
                Some(last) if is_durable(last) => *last = message,
                _ => out.push(message),
            }
        }
    }

    /// Closes the connection over a message that is too long even to be collected.
    pub fn too_large(&mut self, out: &mut Vec<Effect>) {
        let limits = &self.options.limits;
        let most = match self.options.protocol {
            Protocol::Yjs { .. } => limits.yjs_frame,
            Protocol::Json => limits.json_frame,
        };
        self.bad_frame(&BadFrame::TooLarge(most), out);
    }

    /// Closes the connection over bytes that are no message.
    pub fn malformed(&mut self, reason: &'static str, out: &mut Vec<Effect>) {
        self.bad_frame(&BadFrame::Malformed(reason), out);
    }

    fn bad_frame(&mut self, cause: &BadFrame, out: &mut Vec<Effect>) {
        if self.options.protocol == Protocol::Json {
            self.tell_bad_message(cause, None, out);
        }
        self.close(cause.close_code(), &format!("The message cannot be read: {cause}."), out);
    }

    fn close(&mut self, code: CloseCode, reason: &str, out: &mut Vec<Effect>) {
        self.is_closed = true;
        out.push(Effect::Close { code, reason: super::close_reason(reason).to_owned() });
    }
}

fn send_frame(frame: &Frame<'_>, out: &mut Vec<Effect>) {
    out.push(Effect::Send(Outgoing::Binary(frame.encode())));
}

fn is_durable(effect: &Effect) -> bool {
    matches!(effect, Effect::Send(Outgoing::Binary(bytes)) if bytes.first() == Some(&4))
}
