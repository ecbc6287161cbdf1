//! The world: clients, the network between them and the server, and what goes wrong. Time is a number
//! that jumps from event to event.

use crate::{
    client::{Action, CLOSE, Message, OPEN, Writer},
    json_client::JsonClient,
    page::Page,
    random::Random,
    room::{LINEAGE, Origin, Outcome, Room, Update, Written},
    yjs_client::YjsClient,
};
use izanagi_shared::{
    crdt::TextDoc,
    sync::{
        CloseCode, Connection, Limits, Presence,
        connection::{Effect, Event as RoomEvent, Incoming, Options, Outgoing, Posted, Protocol},
        engine::Moment,
        json::encode_remote_update,
        yjs::Frame,
    },
};
use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap, VecDeque},
    time::Duration,
};

/// Milliseconds.
type Time = u64;

/// A connection that is lost without a close frame.
const ABNORMAL: u16 = 1006;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Edit(usize),
    Reload(usize),
    Tick(usize),
    Poll(usize),
    Answered(usize, u64),
    Connect(usize),
    Check(usize),
    Opened(usize),
    Up(usize),
    Down(usize),
    ServerTick(usize),
    ServerNotices(usize),
    Write,
    Fault,
    Snapshot,
}

enum Kind {
    Page(Box<Page>),
    Json(Box<JsonClient>),
    Yjs(Box<YjsClient>),
}

struct Client {
    kind: Kind,
    /// The connection that it uses.
    link: Option<usize>,
    tick_at: Option<Time>,
    heard: Time,
    is_polling: bool,
    /// Sockets of this client do not come up while things go wrong.
    is_blocked: bool,
    presence_clock: u32,
}

struct Link {
    client: usize,
    up: VecDeque<Message>,
    down: VecDeque<Message>,
    up_due: Time,
    down_due: Time,
    server: Option<Connection>,
    tick_at: Option<Time>,
    /// No message arrives any more.
    is_cut: bool,
}

pub(crate) struct World {
    random: Random,
    now: Time,
    order: u64,
    events: BinaryHeap<Reverse<(Time, u64, Event)>>,
    room: Room,
    clients: Vec<Client>,
    links: Vec<Link>,
    /// Until when things go wrong.
    peace_at: Time,
    down_until: Time,
    is_writing: bool,
    loads: u64,
    seed: u64,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let peace_at = random.between(5_000, 60_000);
        let room = Room::new("Once upon a time ");
        let mut world = Self {
            random,
            now: 0,
            order: 0,
            events: BinaryHeap::new(),
            room,
            clients: Vec::new(),
            links: Vec::new(),
            peace_at,
            down_until: 0,
            is_writing: false,
            loads: 100,
            seed,
        };
        let count = world.random.between(2, 6) as usize;
        for name in 0..count {
            world.add_client(name);
        }
        for _ in 0..world.random.between(1, 12) {
            let at = world.random.between(0, peace_at);
            world.schedule(at, Event::Fault);
        }
        for _ in 0..world.random.between(0, 4) {
            let at = world.random.between(0, peace_at);
            world.schedule(at, Event::Snapshot);
        }
        world
    }

    fn add_client(&mut self, name: usize) {
        let load = self.next_load();
        let at = self.moment();
        let kind = match self.random.below(6) {
            // There is always a page.
            0 if name > 0 => Kind::Json(Box::new(JsonClient::new(name, load))),
            1 if name > 0 => Kind::Yjs(Box::new(YjsClient::new(name, load))),
            _ => Kind::Page(Box::new(Page::new(name, load, at, &self.room))),
        };
        let is_blocked = self.random.chance(10);
        self.clients.push(Client {
            kind,
            link: None,
            tick_at: None,
            heard: 0,
            is_polling: false,
            is_blocked,
            presence_clock: 0,
        });
        let start = self.random.between(0, 2_000);
        match self.clients[name].kind {
            Kind::Page(_) => self.schedule(start, Event::Tick(name)),
            Kind::Json(_) | Kind::Yjs(_) => {
                self.schedule(start, Event::Connect(name));
                self.schedule(start, Event::Check(name));
            }
        }
        self.clients[name].tick_at = Some(start);
        for _ in 0..self.random.between(1, 16) {
            let at = self.random.between(0, self.peace_at);
            // Several keys in a row.
            for key in 0..self.random.between(1, 5) {
                self.schedule(at + key * 30, Event::Edit(name));
            }
        }
        if self.random.chance(30) {
            let at = self.random.between(0, self.peace_at);
            self.schedule(at, Event::Reload(name));
        }
    }

    const fn next_load(&mut self) -> u64 {
        self.loads += 1;
        self.loads
    }

    fn moment(&mut self) -> Moment {
        Moment { now: Duration::from_millis(self.now), jitter: self.random.jitter() }
    }

    fn schedule(&mut self, at: Time, event: Event) {
        self.order += 1;
        self.events.push(Reverse((at.max(self.now), self.order, event)));
    }

    fn soon(&mut self, event: Event) {
        let delay = self.random.between(1, 200);
        self.schedule(self.now + delay, event);
    }

    const fn is_peace(&self) -> bool {
        self.now >= self.peace_at
    }

    /// Lets everything happen, then asserts that all is well.
    pub(crate) fn run(mut self) {
        // Long enough for a socket that is tried every minute, and for idle connections to end.
        let limit = self.peace_at + 400_000;
        let mut saved_at = None;
        while let Some(Reverse((at, _, event))) = self.events.pop() {
            self.now = at;
            self.handle(event);
            if !self.is_peace() {
                continue;
            }
            let is_saved = self.is_saved();
            let since = *saved_at.get_or_insert(self.now);
            if !is_saved {
                saved_at = None;
            } else if self.now > since + 70_000 {
                return self.assert_converged();
            }
            assert!(self.now < limit, "seed {}: not saved: {}", self.seed, self.unsaved());
        }
        panic!("nothing happens any more");
    }

    fn is_saved(&self) -> bool {
        self.room.is_idle() && self.clients.iter().all(|client| client.is_saved())
    }

    fn unsaved(&self) -> String {
        let clients = self.clients.iter().enumerate().filter(|(_, client)| !client.is_saved());
        let names = clients.map(|(name, client)| format!("{name} {}", client.describe()));
        names.collect::<Vec<_>>().join(", ")
    }

    fn assert_converged(&mut self) {
        let seed = self.seed;
        let text = self.room.text();
        self.room.restart();
        assert_eq!(self.room.text(), text, "seed {seed}: what a restart leaves");
        for (name, client) in self.clients.iter().enumerate() {
            assert_eq!(client.doc().text(), text, "seed {seed}: the text of client {name}");
        }
        let words: Vec<&str> =
            text.split_inclusive(CLOSE).map(|it| &it[it.find(OPEN).unwrap_or(0)..]).collect();
        let count = |word: &String| words.iter().filter(|it| *it == word).count();
        for writer in self.clients.iter().map(Client::writer) {
            for word in &writer.kept {
                assert_eq!(count(word), 1, "seed {seed}: {word} in {text}");
            }
            for word in &writer.deleted {
                assert_eq!(count(word), 0, "seed {seed}: {word} was deleted, in {text}");
            }
        }
        let pages = self.clients.iter().filter_map(Client::page);
        let ids: BTreeSet<u64> =
            pages.clone().map(|page| page.engine.presences().client()).collect();
        for page in pages {
            let presences = page.engine.presences();
            let seen = presences.others().map(|(client, _)| client);
            let seen: BTreeSet<u64> = seen.filter(|client| ids.contains(client)).collect();
            let mut others = ids.clone();
            others.remove(&presences.client());
            assert_eq!(seen, others, "seed {seed}: who is seen");
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Edit(name) => self.edit(name),
            Event::Reload(name) => self.reload(name),
            Event::Tick(name) => self.tick(name),
            Event::Poll(name) => self.poll(name),
            Event::Answered(name, outcome) => self.answered(name, outcome),
            Event::Connect(name) => self.connect(name),
            Event::Check(name) => self.check(name),
            Event::Opened(link) => self.opened(link),
            Event::Up(link) => self.deliver_up(link),
            Event::Down(link) => self.deliver_down(link),
            Event::ServerTick(link) => self.server_tick(link),
            Event::ServerNotices(link) => self.leave(link),
            Event::Write => self.write(),
            Event::Fault => self.go_wrong(),
            Event::Snapshot => self.room.snapshot(),
        }
    }

    // Clients.

    fn edit(&mut self, name: usize) {
        let at = self.moment();
        let actions = match &mut self.clients[name].kind {
            Kind::Page(page) => page.edit(at, &mut self.random, &self.room),
            Kind::Json(client) => client.edit(&mut self.random),
            Kind::Yjs(client) => client.edit(&mut self.random),
        };
        self.act(name, actions);
    }

    fn reload(&mut self, name: usize) {
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

    fn tick(&mut self, name: usize) {
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
    fn check(&mut self, name: usize) {
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

    fn act(&mut self, name: usize, actions: Vec<Action>) {
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

    fn schedule_tick(&mut self, name: usize) {
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

    fn poll(&mut self, name: usize) {
        if !self.clients[name].is_polling {
            return;
        }
        let is_lost = self.now < self.down_until || (!self.is_peace() && self.random.chance(20));
        let at = self.moment();
        let Kind::Page(page) = &mut self.clients[name].kind else { return };
        if is_lost {
            page.engine.http_failed(izanagi_shared::sync::engine::Failure::Lost, &mut Vec::new());
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
    fn answered(&mut self, name: usize, outcome: u64) {
        let at = self.moment();
        let Kind::Page(page) = &mut self.clients[name].kind else { return };
        if outcome == 0 {
            let actions = page.batch_acknowledged(at, &self.room);
            self.act(name, actions);
        }
    }

    // The network.

    fn connect(&mut self, name: usize) {
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
    fn disconnect(&mut self, name: usize) {
        let Some(link) = self.clients[name].link.take() else { return };
        self.send_up(link, Message::Closed(ABNORMAL));
        self.after_loss(name);
    }

    fn after_loss(&mut self, name: usize) {
        match &mut self.clients[name].kind {
            Kind::Page(_) => return,
            Kind::Json(client) => client.disconnected(),
            Kind::Yjs(client) => client.disconnected(),
        }
        self.schedule(self.now + 1_000, Event::Connect(name));
    }

    fn opened(&mut self, link: usize) {
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

    fn send_up(&mut self, link: usize, message: Message) {
        let due = self.links[link].up_due.max(self.now + self.random.between(1, 120));
        self.links[link].up_due = due;
        self.links[link].up.push_back(message);
        self.schedule(due, Event::Up(link));
    }

    fn send_down(&mut self, link: usize, message: Message) {
        let due = self.links[link].down_due.max(self.now + self.random.between(1, 120));
        self.links[link].down_due = due;
        self.links[link].down.push_back(message);
        self.schedule(due, Event::Down(link));
    }

    fn deliver_up(&mut self, link: usize) {
        let Some(message) = self.links[link].up.pop_front() else { return };
        if self.links[link].is_cut {
            return;
        }
        let now = Duration::from_millis(self.now);
        let Some(connection) = &mut self.links[link].server else { return };
        let mut out = Vec::new();
        match &message {
            Message::Binary(bytes) => {
                connection.received(now, Incoming::Binary(bytes), true, &mut out);
            }
            Message::Text(text) => connection.received(now, Incoming::Text(text), true, &mut out),
            Message::Closed(_) => return self.leave(link),
        }
        self.carry_out(link, out);
    }

    fn deliver_down(&mut self, link: usize) {
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

    // The server.

    fn carry_out(&mut self, link: usize, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send(Outgoing::Binary(bytes)) => {
                    self.send_down(link, Message::Binary(bytes))
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
                    let origin = Origin::Connection { connection: link, frame: post.frame };
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

    fn schedule_server_tick(&mut self, link: usize) {
        let Some(connection) = &self.links[link].server else { return };
        let at = u64::try_from(connection.wake_at().as_millis()).unwrap().max(self.now + 1);
        if self.links[link].tick_at.is_none_or(|planned| at < planned || planned < self.now) {
            self.links[link].tick_at = Some(at);
            self.schedule(at, Event::ServerTick(link));
        }
    }

    fn server_tick(&mut self, link: usize) {
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
    fn leave(&mut self, link: usize) {
        if self.links[link].server.take().is_some() {
            for presence in self.room.absent(link) {
                self.tell_all(&presence);
            }
        }
    }

    fn tell(&mut self, link: usize, event: RoomEvent<'_>) {
        let now = Duration::from_millis(self.now);
        let mut out = Vec::new();
        if let Some(connection) = &mut self.links[link].server {
            connection.event(now, event, &mut out);
        }
        self.carry_out(link, out);
    }

    fn tell_all(&mut self, presence: &Presence) {
        for link in 0..self.links.len() {
            if self.links[link].server.is_some() {
                self.tell(link, RoomEvent::Presence(presence));
            }
        }
    }

    fn post(&mut self, update: Update) {
        self.room.post(update);
        if !std::mem::replace(&mut self.is_writing, true) {
            let delay = self.random.between(1, 30);
            self.schedule(self.now + delay, Event::Write);
        }
    }

    fn write(&mut self) {
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

    fn broadcast(&mut self, origin: Option<Origin>, seq: u64, delta: &[u8]) {
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

    fn restart(&mut self) {
        self.down_until = self.now + self.random.between(0, 6_000);
        self.room.restart();
        self.is_writing = false;
        for link in 0..self.links.len() {
            if self.links[link].server.take().is_some() {
                self.links[link].is_cut = true;
                let code =
                    if self.random.chance(50) { ABNORMAL } else { CloseCode::GoingAway.code() };
                self.send_down(link, Message::Closed(code));
            }
        }
    }

    /// Something goes wrong.
    fn go_wrong(&mut self) {
        let open: Vec<usize> = (0..self.links.len())
            .filter(|link| self.links[*link].server.is_some() && !self.links[*link].is_cut)
            .collect();
        match self.random.below(8) {
            0 => self.restart(),
            1 => {
                self.room.snapshot();
                self.restart();
            }
            _ if open.is_empty() => {}
            kind => {
                let link = open[self.random.below(open.len())];
                match kind {
                    // Too slow: updates that were queued for it are lost.
                    2 => {
                        let kept = self.random.below(self.links[link].down.len() + 1);
                        self.links[link].down.truncate(kept);
                        self.tell(link, RoomEvent::Closed(CloseCode::TooSlow));
                    }
                    3 => self.tell(link, RoomEvent::Closed(CloseCode::TryLater)),
                    // Lost: each side notices at some time, or has to find out.
                    _ => {
                        self.links[link].is_cut = true;
                        if self.random.chance(50) {
                            let at = self.now + self.random.between(0, 10_000);
                            self.links[link].down_due = at;
                            self.send_down(link, Message::Closed(ABNORMAL));
                        }
                        if self.random.chance(50) {
                            let at = self.now + self.random.between(0, 10_000);
                            self.schedule(at, Event::ServerNotices(link));
                        }
                    }
                }
            }
        }
    }
}

impl Client {
    fn is_saved(&self) -> bool {
        match &self.kind {
            Kind::Page(page) => page.is_saved() && !self.is_polling,
            Kind::Json(client) => client.is_saved(),
            Kind::Yjs(client) => client.is_synced(),
        }
    }

    fn describe(&self) -> String {
        match &self.kind {
            Kind::Page(page) => format!("page {:?} {:?}", page.engine.save_state(), page.engine),
            Kind::Json(client) => format!("JSON {:?} {}", self.link, client.describe()),
            Kind::Yjs(_) => format!("Yjs {:?}", self.link),
        }
    }

    fn doc(&self) -> &TextDoc {
        match &self.kind {
            Kind::Page(page) => &page.doc,
            Kind::Json(client) => &client.doc,
            Kind::Yjs(client) => &client.doc,
        }
    }

    fn writer(&self) -> &Writer {
        match &self.kind {
            Kind::Page(page) => &page.writer,
            Kind::Json(client) => &client.writer,
            Kind::Yjs(client) => &client.writer,
        }
    }

    fn page(&self) -> Option<&Page> {
        match &self.kind {
            Kind::Page(page) => Some(page),
            Kind::Json(_) | Kind::Yjs(_) => None,
        }
    }
}
