//! What people do, and what their clients do by themselves.

use super::{Event, Kind, World};
use crate::{
    client::{Action, Message},
    room::{Origin, Update},
};
use izanagi_shared::sync::{Presence, engine::Failure, yjs::Frame};
use std::time::Duration;

impl World {
    pub(super) fn edit(&mut self, name: usize) {
        let at = self.moment();
        let actions = match &mut self.clients[name].kind {
            Kind::Page(page) => page.edit(at, &mut self.random, &self.room),
            Kind::Json(client) => client.edit(&mut self.random),
            Kind::Yjs(client) => client.edit(&mut self.random),
        };
        self.act(name, actions);
    }

    pub(super) fn reload(&mut self, name: usize) {
        let (load, at) = (self.next_load(), self.moment());
        if !matches!(self.clients[name].kind, Kind::Page(_)) || self.now < self.down_until {
            return;
        }
        self.act(name, vec![Action::Disconnect, Action::Poll(false)]);
        let Kind::Page(page) = &mut self.clients[name].kind else { return };
        page.reload(load, at, &self.room);
        let actions = page.start(at, &self.room);
        self.act(name, actions);
    }

    pub(super) fn tick(&mut self, name: usize) {
        if self.clients[name].tick_at != Some(self.now) {
            return;
        }
        self.clients[name].tick_at = None;
        let at = self.moment();
        let is_new = self.clients[name].link.is_none() && self.clients[name].heard == 0;
        self.clients[name].heard = self.clients[name].heard.max(1);
        let Kind::Page(page) = &mut self.clients[name].kind else { return };
        let actions = match is_new {
            true => page.start(at, &self.room),
            false => page.tick(at, &self.room),
        };
        self.act(name, actions);
    }

    /// Clients without an engine look after their connection every ten seconds.
    pub(super) fn check(&mut self, name: usize) {
        self.schedule(self.now + 10_000, Event::Check(name));
        let client = &mut self.clients[name];
        if client.link.is_none() {
            return;
        }
        if self.now > client.heard + 40_000 {
            return self.act(name, vec![Action::Disconnect]);
        }
        client.presence_clock += 1;
        let message = match &client.kind {
            Kind::Json(_) => Message::Text("{\"type\":\"ping\",\"ts\":1}".to_owned()),
            Kind::Yjs(yjs) => {
                let (client, clock) = (yjs.doc.client_id(), client.presence_clock);
                let presence = Presence { client, clock, state: Some("{}".into()) };
                Message::Binary(Frame::Awareness(vec![presence]).encode())
            }
            Kind::Page(_) => return,
        };
        self.act(name, vec![Action::Send(message)]);
    }

    pub(super) fn act(&mut self, name: usize, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Connect => self.connect(name),
                Action::Send(message) => {
                    if let Some(link) = self.clients[name].link {
                        self.send_up(link, message);
                    }
                }
                Action::Disconnect => self.disconnect(name),
                Action::Poll(is_on) => {
                    if is_on && !self.clients[name].is_polling {
                        self.soon(Event::Poll(name));
                    }
                    self.clients[name].is_polling = is_on;
                }
            }
        }
        self.schedule_tick(name);
    }

    pub(super) fn schedule_tick(&mut self, name: usize) {
        let client = &self.clients[name];
        let Kind::Page(page) = &client.kind else { return };
        let Some(wake) = page.engine.wake_at(Duration::from_millis(self.now)) else { return };
        let at = (u64::try_from(wake.as_millis()).unwrap() + 1).max(self.now + 1);
        // Timers are not exact.
        let at = at + self.random.between(0, 1_000);
        if client.tick_at.is_none_or(|planned| at < planned || planned < self.now) {
            self.clients[name].tick_at = Some(at);
            self.schedule(at, Event::Tick(name));
        }
    }

    pub(super) fn poll(&mut self, name: usize) {
        if !self.clients[name].is_polling {
            return;
        }
        let is_lost = self.now < self.down_until || (!self.is_peace() && self.random.chance(20));
        let at = self.moment();
        let Kind::Page(page) = &mut self.clients[name].kind else { return };
        if is_lost {
            page.engine.http_failed(at, Failure::Lost, &mut Vec::new());
        } else {
            let missing = self.room.missing(&page.doc.state_vector()).unwrap();
            let actions = page.polled(at, &missing.delta, &self.room);
            let batch = page.batch(&mut self.random);
            if let Some(batch) = batch {
                let (origin, op_id) = (Origin::Http { client: name }, Some(batch.op_id));
                self.post(Update { origin, op_id, delta: batch.update });
            }
            self.act(name, actions);
        }
        self.schedule(self.now + 2_000, Event::Poll(name));
    }

    /// The answer to a batch over HTTP: 0 for durable.
    pub(super) fn answered(&mut self, name: usize, outcome: u64) {
        let at = self.moment();
        let Kind::Page(page) = &mut self.clients[name].kind else { return };
        if outcome == 0 {
            let actions = page.batch_acknowledged(at, &self.room);
            self.act(name, actions);
        }
    }
}
