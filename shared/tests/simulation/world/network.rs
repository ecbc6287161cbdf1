//! Connections, and the messages on their way.

use super::{ABNORMAL, Event, Kind, Link, World};
use crate::{client::Message, room::LINEAGE};
use izanagi_shared::sync::{
    Connection, Limits, Presence,
    connection::{Event as RoomEvent, Incoming, Options, Protocol},
};
use std::{collections::VecDeque, time::Duration};

impl World {
    pub(super) fn connect(&mut self, name: usize) {
        self.disconnect(name);
        let link = self.links.len();
        self.links.push(Link {
            client: name,
            up: VecDeque::new(),
            down: VecDeque::new(),
            up_due: 0,
            down_due: 0,
            server: None,
            tick_at: None,
            is_cut: false,
        });
        self.clients[name].link = Some(link);
        self.clients[name].heard = self.now.max(1);
        self.soon(Event::Opened(link));
    }

    /// The client ends its connection.
    pub(super) fn disconnect(&mut self, name: usize) {
        let Some(link) = self.clients[name].link.take() else { return };
        self.send_up(link, Message::Closed(ABNORMAL));
        self.after_loss(name);
    }

    pub(super) fn after_loss(&mut self, name: usize) {
        match &mut self.clients[name].kind {
            Kind::Page(_) => return,
            Kind::Json(client) => client.disconnected(),
            Kind::Yjs(client) => client.disconnected(),
        }
        self.schedule(self.now + 1_000, Event::Connect(name));
    }

    pub(super) fn opened(&mut self, link: usize) {
        let name = self.links[link].client;
        if self.clients[name].link != Some(link) {
            return;
        }
        let is_blocked = self.clients[name].is_blocked && !self.is_peace();
        if self.now < self.down_until || is_blocked {
            return self.send_down(link, Message::Closed(ABNORMAL));
        }
        let protocol = match self.clients[name].kind {
            Kind::Page(_) => Protocol::Yjs { acks: true },
            Kind::Yjs(_) => Protocol::Yjs { acks: false },
            Kind::Json(_) => Protocol::Json,
        };
        let options = Options {
            protocol,
            lineage: (protocol == Protocol::Yjs { acks: true }).then(|| LINEAGE.to_owned()),
            user_id: Some(format!("user-{name}")),
            display_name: format!("User {name}"),
            presence_client: 500_000 + link as u64,
            limits: Limits::default(),
        };
        let mut connection = Connection::new(options, Duration::from_millis(self.now));
        let mut out = Vec::new();
        connection.start(&mut out);
        self.links[link].server = Some(connection);
        self.carry_out(link, out);
        let presences: Vec<Presence> =
            self.room.presences.values().map(|(presence, _)| presence.clone()).collect();
        for presence in presences {
            self.tell(link, RoomEvent::Presence(&presence));
        }
        let at = self.moment();
        let actions = match &mut self.clients[name].kind {
            Kind::Page(page) => page.opened(at, &self.room),
            Kind::Json(_) => Vec::new(),
            Kind::Yjs(client) => client.opened(),
        };
        self.act(name, actions);
    }

    pub(super) fn send_up(&mut self, link: usize, message: Message) {
        let due = self.links[link].up_due.max(self.now + self.random.between(1, 120));
        self.links[link].up_due = due;
        self.links[link].up.push_back(message);
        self.schedule(due, Event::Up(link));
    }

    pub(super) fn send_down(&mut self, link: usize, message: Message) {
        let due = self.links[link].down_due.max(self.now + self.random.between(1, 120));
        self.links[link].down_due = due;
        self.links[link].down.push_back(message);
        self.schedule(due, Event::Down(link));
    }

    pub(super) fn deliver_up(&mut self, link: usize) {
        let Some(message) = self.links[link].up.pop_front() else { return };
        if self.links[link].is_cut {
            return;
        }
        let now = Duration::from_millis(self.now);
        let Some(connection) = &mut self.links[link].server else { return };
        let mut out = Vec::new();
        match &message {
            Message::Binary(bytes) => {
                connection.received(now, Incoming::Binary(bytes), Ok(()), &mut out);
            }
            Message::Text(text) => connection.received(now, Incoming::Text(text), Ok(()), &mut out),
            Message::Closed(_) => return self.leave(link),
        }
        self.carry_out(link, out);
    }

    pub(super) fn deliver_down(&mut self, link: usize) {
        let Some(message) = self.links[link].down.pop_front() else { return };
        let name = self.links[link].client;
        let is_closed = matches!(message, Message::Closed(_));
        // A browser notices the loss of a connection; a cut one delivers nothing else.
        if (self.links[link].is_cut && !is_closed) || self.clients[name].link != Some(link) {
            return;
        }
        if is_closed {
            self.clients[name].link = None;
        }
        self.clients[name].heard = self.now;
        let at = self.moment();
        let actions = match &mut self.clients[name].kind {
            Kind::Page(page) => page.received(at, message, &self.room),
            Kind::Json(client) => client.received(message, &self.room),
            Kind::Yjs(client) => client.received(message),
        };
        if is_closed {
            self.after_loss(name);
        }
        self.act(name, actions);
    }
}
