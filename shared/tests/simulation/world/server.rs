//! The server: real connections around the model of a room.

use super::{Event, Kind, World};
use crate::{
    client::Message,
    room::{Origin, Outcome, Update, Written},
};
use izanagi_shared::sync::{
    CloseCode, Connection, Presence,
    connection::{Effect, Event as RoomEvent, Outgoing, Posted},
    json::encode_remote_update,
    yjs::Frame,
};
use std::time::Duration;

impl World {
    pub(super) fn carry_out(&mut self, link: usize, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send(Outgoing::Binary(bytes)) => {
                    self.send_down(link, Message::Binary(bytes));
                }
                Effect::Send(Outgoing::Text(text)) => self.send_down(link, Message::Text(text)),
                Effect::Ping => {
                    // The pong of a client whose network works.
                    let now = Duration::from_millis(self.now);
                    let client = self.links[link].client;
                    let is_there = self.clients[client].link == Some(link);
                    let link = &mut self.links[link];
                    if let Some(connection) =
                        link.server.as_mut().filter(|_| !link.is_cut && is_there)
                    {
                        connection.heard(now);
                    }
                }
                Effect::Post(post) => {
                    let origin = Origin::Connection { connection: link, frame: post.number };
                    self.post(Update { origin, op_id: post.op_id, delta: post.delta });
                }
                Effect::Missing(state_vector) => {
                    let missing = self.room.missing(&state_vector);
                    let mut out = Vec::new();
                    if let Some(connection) = &mut self.links[link].server {
                        connection.missing(missing, &mut out);
                    }
                    self.carry_out(link, out);
                }
                Effect::Present(presence) => {
                    if self.room.present(link, presence.clone()) {
                        self.tell_all(&presence);
                    }
                }
                Effect::Close { code, reason } => {
                    assert_ne!(code, CloseCode::RateLimited);
                    assert_ne!(code, CloseCode::TooLarge);
                    assert!(code != CloseCode::BadFrame, "seed {}: {reason}", self.seed);
                    self.send_down(link, Message::Closed(code.code()));
                    self.leave(link);
                }
            }
        }
        self.schedule_server_tick(link);
    }

    pub(super) fn schedule_server_tick(&mut self, link: usize) {
        let Some(connection) = &self.links[link].server else { return };
        let at = u64::try_from(connection.wake_at().as_millis()).unwrap().max(self.now + 1);
        if self.links[link].tick_at.is_none_or(|planned| at < planned || planned < self.now) {
            self.links[link].tick_at = Some(at);
            self.schedule(at, Event::ServerTick(link));
        }
    }

    pub(super) fn server_tick(&mut self, link: usize) {
        if self.links[link].tick_at != Some(self.now) {
            return;
        }
        self.links[link].tick_at = None;
        let now = Duration::from_millis(self.now);
        let mut out = Vec::new();
        if let Some(connection) = &mut self.links[link].server {
            connection.tick(now, &mut out);
        }
        self.carry_out(link, out);
    }

    /// The server's side of a connection ends.
    pub(super) fn leave(&mut self, link: usize) {
        if self.links[link].server.take().is_some() {
            for presence in self.room.absent(link) {
                self.tell_all(&presence);
            }
        }
    }

    pub(super) fn tell(&mut self, link: usize, event: RoomEvent<'_>) {
        let now = Duration::from_millis(self.now);
        let mut out = Vec::new();
        if let Some(connection) = &mut self.links[link].server {
            connection.event(now, event, &mut out);
        }
        self.carry_out(link, out);
    }

    pub(super) fn tell_all(&mut self, presence: &Presence) {
        for link in 0..self.links.len() {
            if self.links[link].server.is_some() {
                self.tell(link, RoomEvent::Presence(presence));
            }
        }
    }

    pub(super) fn post(&mut self, update: Update) {
        self.room.post(update);
        if !std::mem::replace(&mut self.is_writing, true) {
            let delay = self.random.between(1, 30);
            self.schedule(self.now + delay, Event::Write);
        }
    }

    pub(super) fn write(&mut self) {
        self.is_writing = false;
        let outcome = match self.random.between(0, 100) {
            _ if self.is_peace() => Outcome::Done,
            0..=2 => Outcome::Failed,
            3 => Outcome::Crashed,
            _ => Outcome::Done,
        };
        let most = self.random.below(8) + 1;
        let Written { answers, broadcasts } = self.room.write(most, outcome);
        if outcome == Outcome::Crashed {
            return self.restart();
        }
        for (origin, answer) in answers {
            match origin {
                Origin::Connection { connection, frame } => {
                    let mut out = Vec::new();
                    if let Some(server) = &mut self.links[connection].server {
                        server.posted(frame, answer, &mut out);
                    }
                    self.carry_out(connection, out);
                }
                Origin::Http { client } => {
                    let is_lost = !self.is_peace() && self.random.chance(20);
                    let is_durable = matches!(answer, Ok(Posted { pending: false, .. }));
                    if !is_lost {
                        self.soon(Event::Answered(client, u64::from(!is_durable)));
                    }
                }
            }
        }
        for (origin, seq, delta) in broadcasts {
            self.broadcast(origin, seq, &delta);
        }
        if !self.room.is_idle() {
            self.is_writing = true;
            self.schedule(self.now + 1, Event::Write);
        }
    }

    pub(super) fn broadcast(&mut self, origin: Option<Origin>, seq: u64, delta: &[u8]) {
        for link in 0..self.links.len() {
            let is_sender = matches!(
                origin, Some(Origin::Connection { connection, .. }) if connection == link
            );
            let wants = self.links[link].server.as_ref().is_some_and(Connection::wants_events);
            if is_sender || !wants {
                continue;
            }
            let client = self.links[link].client;
            let message = match self.clients[client].kind {
                Kind::Json(_) => Message::Text(encode_remote_update(seq, delta, "actor")),
                Kind::Page(_) | Kind::Yjs(_) => Message::Binary(Frame::Update(delta).encode()),
            };
            self.send_down(link, message);
        }
    }
}
