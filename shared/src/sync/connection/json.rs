//! The JSON protocol.

use super::{Connection, Effect, Outgoing, Post, Posted, QUESTION_COST, Refusal};
use crate::sync::{
    BadFrame, CloseCode, Presence,
    json::{ClientMessage, Cursor, ServerMessage, decode},
    presences::GONE_AFTER,
};
use serde_json::{Value, json};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Clients of the Yjs protocol renew their state this often, so the server does it for others.
const RENEW_EVERY: Duration = Duration::from_secs(15);

#[derive(Debug)]
pub(super) struct State {
    display_name: String,
    has_joined: bool,
    /// The ids of updates without a final answer.
    op_ids: BTreeMap<u64, String>,
    /// The state that was announced, and when.
    presented: Option<(Presence, Duration)>,
    clock: u32,
    /// Clients whose cursors were told.
    told: BTreeSet<u64>,
}

impl State {
    pub(super) const fn new(display_name: String) -> Self {
        Self {
            display_name,
            has_joined: false,
            op_ids: BTreeMap::new(),
            presented: None,
            clock: 0,
            told: BTreeSet::new(),
        }
    }

    /// When the announced state is renewed.
    pub(super) fn renew_at(&self) -> Option<Duration> {
        self.presented.as_ref().map(|(_, at)| *at + RENEW_EVERY)
    }
}

impl Connection {
    pub(super) fn received_json(
        &mut self,
        now: Duration,
        message: &str,
        right: Result<(), Refusal>,
        out: &mut Vec<Effect>,
    ) {
        let message = match decode(message, &self.options.limits) {
            Ok(message) => message,
            Err(bad) => {
                self.tell_bad_message(&bad.cause, bad.op_id.as_deref(), out);
                let reason = format!("The message cannot be read: {}.", bad.cause);
                return self.close(bad.cause.close_code(), &reason, out);
            }
        };
        match message {
            ClientMessage::Join { display_name, state_vector, lineage } => {
                self.join(now, display_name, state_vector, lineage, out);
            }
            ClientMessage::Update { op_id, delta } => {
                let number = self.answers.number();
                self.json.op_ids.insert(number, op_id.clone());
                match right {
                    Ok(()) => out.push(Effect::Post(Post { number, op_id: Some(op_id), delta })),
                    Err(refusal) => self.posted(number, Err(refusal), out),
                }
            }
            ClientMessage::Presence { cursor, color } => {
                self.present(now, cursor, color.as_deref(), out);
            }
            ClientMessage::Ping { ts } => tell(&ServerMessage::Pong { ts }, out),
        }
    }

    fn join(
        &mut self,
        now: Duration,
        display_name: Option<String>,
        state_vector: Option<Vec<u8>>,
        lineage: Option<String>,
        out: &mut Vec<Effect>,
    ) {
        self.json.has_joined = true;
        if let Some(name) = display_name.filter(|name| !name.trim().is_empty()) {
            self.json.display_name = name;
        }
        if lineage.is_some() {
            self.options.lineage = lineage;
        }
        let current = self.lineage.as_ref();
        let other = |named: &String| current.is_some_and(|current| current != named);
        if self.options.lineage.as_ref().is_some_and(other) {
            let reason = "the document was restored from its text; load it again";
            return self.close(CloseCode::Resync, reason, out);
        }
        let Some(state_vector) = state_vector else { return };
        if !self.bucket.take(now, QUESTION_COST) {
            return self.close(CloseCode::RateLimited, "too many messages", out);
        }
        self.ask(state_vector, out);
    }

    fn present(
        &mut self,
        now: Duration,
        cursor: Option<Cursor>,
        color: Option<&str>,
        out: &mut Vec<Effect>,
    ) {
        if !self.json.has_joined {
            let message = "Join before you send a cursor.";
            return tell(&ServerMessage::Error { code: "bad_message", message, op_id: None }, out);
        }
        let state = cursor.map(|cursor| {
            let user = json!({
                "name": self.json.display_name, "color": color, "id": self.options.user_id,
            });
            json!({ "user": user, "cursor": cursor }).to_string()
        });
        self.json.clock += 1;
        let (client, clock) = (self.options.presence_client, self.json.clock);
        let presence = Presence { client, clock, state: state.map(Into::into) };
        let is_here = presence.state.is_some();
        self.json.presented = is_here.then(|| (presence.clone(), now));
        out.push(Effect::Present(presence));
    }

    pub(super) fn tick_json(&mut self, now: Duration, out: &mut Vec<Effect>) {
        if let Some((presence, at)) = &mut self.json.presented
            && now >= *at + RENEW_EVERY
        {
            self.json.clock += 1;
            presence.clock = self.json.clock;
            *at = now;
            out.push(Effect::Present(presence.clone()));
        }
        let silent = self.known.extract_if(.., |_, (_, told)| now >= *told + GONE_AFTER);
        for (client, (presence, _)) in silent.collect::<Vec<_>>() {
            let left = Presence { client, clock: presence.clock, state: None };
            self.tell_presence(now, &left, out);
        }
    }

    pub(super) fn answer_json(
        &mut self,
        number: u64,
        result: Result<Posted, Refusal>,
        out: &mut Vec<Effect>,
    ) {
        let Some(op_id) = self.json.op_ids.get(&number).cloned() else { return };
        if !matches!(result, Ok(Posted { pending: true, .. })) {
            self.json.op_ids.remove(&number);
        }
        match result {
            Ok(Posted { seq, pending }) => {
                tell(&ServerMessage::Ack { op_id: &op_id, seq, pending }, out);
            }
            Err(Refusal { close, message, .. }) => {
                let code = error_code(close);
                tell(&ServerMessage::Error { code, message: &message, op_id: Some(&op_id) }, out);
                // After these the connection is of no use.
                let ends = [CloseCode::Resync, CloseCode::SignedOut, CloseCode::Gone];
                if ends.contains(&close) {
                    self.close(close, &message, out);
                }
            }
        }
    }

    pub(super) fn tell_bad_message(
        &self,
        cause: &BadFrame,
        op_id: Option<&str>,
        out: &mut Vec<Effect>,
    ) {
        let code = match cause {
            BadFrame::TooLarge(_) => "too_large",
            BadFrame::Malformed(_) => "bad_message",
        };
        let message = format!("The message cannot be read: {cause}.");
        tell(&ServerMessage::Error { code, message: &message, op_id }, out);
    }

    /// Tells why the connection ends.
    pub(super) fn tell_refusal(&self, close: CloseCode, message: &str, out: &mut Vec<Effect>) {
        tell(&ServerMessage::Error { code: error_code(close), message, op_id: None }, out);
    }

    /// Tells where a client is. A client without a place in the text is told as one that left.
    pub(super) fn tell_presence(
        &mut self,
        now: Duration,
        presence: &Presence,
        out: &mut Vec<Effect>,
    ) {
        self.remember(now, presence);
        let is_known = self.known.contains_key(&presence.client);
        let state = presence.state.as_deref().and_then(|state| serde_json::from_str(state).ok());
        let state: Value = state.unwrap_or_default();
        let cursor = state.get("cursor").and_then(place).filter(|_| is_known);
        let was_told = match cursor {
            Some(_) => !self.json.told.insert(presence.client),
            None => self.json.told.remove(&presence.client),
        };
        if cursor.is_none() && !was_told {
            return;
        }
        let text = |name: &str| state.pointer(name).and_then(Value::as_str).map(Cow::Borrowed);
        let message = ServerMessage::Presence {
            client_id: presence.client,
            user_id: text("/user/id"),
            display_name: text("/user/name").unwrap_or_default(),
            cursor,
            color: text("/user/color"),
        };
        tell(&message, out);
    }
}

/// The offsets of a cursor, which [`complete_cursor`](crate::sync::complete_cursor) adds.
fn place(cursor: &Value) -> Option<Cursor> {
    let offset = |name| u32::try_from(cursor.get(name)?.as_u64()?).ok();
    Some(Cursor { from: offset("from")?, to: offset("to")? })
}

fn tell(message: &ServerMessage<'_>, out: &mut Vec<Effect>) {
    out.push(Effect::Send(Outgoing::Text(message.encode())));
}

/// The code of API.md for a refusal.
const fn error_code(close: CloseCode) -> &'static str {
    match close {
        CloseCode::BadFrame | CloseCode::Resync => "bad_update",
        CloseCode::SignedOut | CloseCode::Forbidden => "forbidden",
        CloseCode::Gone => "not_found",
        CloseCode::TooLarge => "too_large",
        CloseCode::RateLimited => "rate_limited",
        CloseCode::GoingAway | CloseCode::TryLater | CloseCode::TooSlow => "unavailable",
    }
}
