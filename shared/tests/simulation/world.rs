//! The world: clients, the network between them and the server, and what goes wrong. Time is a number
//! that jumps from event to event.

mod faults;
mod network;
mod server;
mod users;

use crate::{
    client::{CLOSE, Message, OPEN, Writer},
    json_client::JsonClient,
    page::Page,
    random::Random,
    room::Room,
    yjs_client::YjsClient,
};
use izanagi_shared::{
    crdt::TextDoc,
    sync::{Connection, engine::Moment},
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
            Event::Connect(name) => {
                if self.clients[name].link.is_none() {
                    self.connect(name);
                }
            }
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
