//! A page that writes over a WebSocket with the engine that real pages use, and keeps a ledger of the
//! edits that were acknowledged. All of them write one document.

use super::{Meter, writer::Account};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures::{SinkExt as _, StreamExt as _};
use izanagi_shared::{
    crdt::{Change, TextDoc},
    sync::{
        SyncEngine,
        engine::{Effect, Moment},
    },
};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Error, Message},
};
use tokio_util::sync::CancellationToken;

/// The code that a browser reports for a connection that was lost.
const LOST: u16 = 1006;
/// Pause before it connects again.
const AGAIN: Duration = Duration::from_millis(50);

/// A page. It is never reloaded, so that what is not acknowledged stays in its memory.
pub(crate) struct Page {
    account: Account,
    document: String,
    number: usize,
    rng: StdRng,
    replica: TextDoc,
    engine: SyncEngine,
    started: Instant,
    made: usize,
    /// The tokens of edits that were not acknowledged, by the edits' ids.
    unacknowledged: BTreeMap<String, String>,
    acknowledged: Vec<String>,
}

impl Page {
    pub(crate) async fn open(
        url: &str,
        account: &Account,
        document: &str,
        number: usize,
        seed: u64,
    ) -> Self {
        let client = 5_000 + number as u64;
        let state: Value = reqwest::Client::new()
            .get(format!("{url}/api/v1/documents/{document}/updates"))
            .bearer_auth(account.token())
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let delta = STANDARD.decode(state["deltaB64"].as_str().unwrap()).unwrap();
        let lineage = state["lineage"].as_str().unwrap().to_owned();
        Self {
            account: account.clone(),
            document: document.to_owned(),
            number,
            rng: StdRng::seed_from_u64(seed),
            replica: TextDoc::load(client, &delta).unwrap(),
            engine: SyncEngine::new(lineage, client),
            started: Instant::now(),
            made: 0,
            unacknowledged: BTreeMap::new(),
            acknowledged: Vec::new(),
        }
    }

    fn at(&self) -> Moment {
        Moment { now: self.started.elapsed(), jitter: 0.5 }
    }

    /// Types until the connection is lost.
    pub(crate) async fn type_until_killed(mut self, url: String, meter: Arc<Meter>) -> Self {
        self.run(&url, Some((&meter, &CancellationToken::new()))).await;
        self
    }

    /// Types until `stop`, over one connection after another.
    pub(crate) async fn type_on(
        mut self,
        url: String,
        meter: Arc<Meter>,
        stop: CancellationToken,
    ) -> Self {
        while !stop.is_cancelled() {
            self.run(&url, Some((&meter, &stop))).await;
            sleep_until(Instant::now() + AGAIN).await;
        }
        self
    }

    /// Connects once more, until the server has everything.
    pub(crate) async fn settle(&mut self, url: &str) {
        self.run(url, None).await;
        assert!(self.unacknowledged.is_empty(), "{:?}", self.unacknowledged);
    }

    /// Runs one connection, and types over it while a meter is given: until it is lost, or told to stop,
    /// or, if nothing is typed, until all is acknowledged.
    async fn run(&mut self, url: &str, typing: Option<(&Meter, &CancellationToken)>) {
        let meter = typing.map(|(meter, _)| meter);
        let never = CancellationToken::new();
        let stop = typing.map_or(&never, |(_, stop)| stop);
        let address = format!(
            "{}/ws/yjs/{}?acks=1&lineage={}&token={}",
            url.replacen("http", "ws", 1),
            self.document,
            self.engine.lineage(),
            self.account.token()
        );
        let mut effects = Vec::new();
        self.engine.retry(self.at(), &mut effects);
        self.engine.start(self.at(), &mut effects);
        let socket = loop {
            let opened = effects.drain(..).find_map(|effect| match effect {
                Effect::Open { socket } => Some(socket),
                _ => None,
            });
            if let Some(socket) = opened {
                break socket;
            }
            // The engine waits before it tries again; a test need not.
            let at = Moment { now: self.at().now + Duration::from_secs(120), jitter: 0.0 };
            self.engine.tick(at, &mut effects);
        };
        let Ok((stream, _)) = connect_async(address).await else {
            return self.engine.closed(self.at(), socket, LOST, &mut effects);
        };
        let (mut outgoing, mut incoming) = stream.split();
        self.engine.opened(self.at(), socket, &self.replica, &mut effects);
        loop {
            for message in self.carry_out(&mut effects, meter) {
                if outgoing.feed(message).await.is_err() {
                    return self.engine.closed(self.at(), socket, LOST, &mut effects);
                }
            }
            if outgoing.flush().await.is_err() {
                return self.engine.closed(self.at(), socket, LOST, &mut effects);
            }
            if meter.is_none() && self.unacknowledged.is_empty() {
                return;
            }
            let pause = Duration::from_millis(self.rng.random_range(1..15));
            tokio::select! {
                () = stop.cancelled() => {
                    return self.engine.closed(self.at(), socket, LOST, &mut effects);
                }
                message = incoming.next() => match message {
                    Some(Ok(Message::Binary(bytes))) => {
                        let at = self.at();
                        self.engine.received(at, socket, &bytes, &self.replica, &mut effects);
                    }
                    Some(Ok(Message::Close(frame))) => {
                        let code = frame.map_or(LOST, |frame| frame.code.into());
                        // What is typed here is never refused.
                        assert!(matches!(code, 1001 | 1013 | LOST), "closed with {code}");
                        return self.engine.closed(self.at(), socket, code, &mut effects);
                    }
                    Some(Ok(_)) => {}
                    Some(Err(Error::AlreadyClosed | Error::ConnectionClosed)) | None => {
                        return self.engine.closed(self.at(), socket, LOST, &mut effects);
                    }
                    Some(Err(_)) => return self.engine.closed(self.at(), socket, LOST, &mut effects),
                },
                () = sleep_until(Instant::now() + pause) => match meter {
                    Some(meter) => self.type_token(meter, &mut effects),
                    None => self.engine.tick(self.at(), &mut effects),
                },
            }
        }
    }

    fn type_token(&mut self, meter: &Meter, effects: &mut Vec<Effect>) {
        self.made += 1;
        let token = format!("[p{}:{}]", self.number, self.made);
        // Between two tokens, so that no token is split.
        let text = self.replica.text();
        let borders: Vec<usize> =
            std::iter::once(0).chain(text.match_indices(']').map(|(at, _)| at + 1)).collect();
        let at = u32::try_from(borders[self.rng.random_range(0..borders.len())]).unwrap();
        let update = self.replica.edit(&[Change { from: at, to: at, insert: token.clone() }]);
        let id = format!("{}-{}", self.number, self.made);
        self.unacknowledged.insert(id.clone(), token);
        meter.in_flight.fetch_add(1, Ordering::SeqCst);
        self.engine.edited(self.at(), id.clone(), update, effects);
        self.engine.stored(&id);
    }

    /// Returns the messages to send.
    fn carry_out(&mut self, effects: &mut Vec<Effect>, meter: Option<&Meter>) -> Vec<Message> {
        let mut messages = Vec::new();
        for effect in effects.drain(..) {
            match effect {
                Effect::Send(bytes) => messages.push(Message::Binary(bytes.into())),
                Effect::Apply(update) => self.replica.apply(&update).unwrap(),
                Effect::Acknowledged(ids) => {
                    for id in ids {
                        let token = self.unacknowledged.remove(&id);
                        self.acknowledged.push(token.expect("acknowledged twice"));
                        if let Some(meter) = meter {
                            meter.answered.fetch_add(1, Ordering::SeqCst);
                            meter.answered_one.notify_one();
                        }
                    }
                }
                // A page would send by requests meanwhile; this one waits for its next connection.
                Effect::Http(_) => {}
                Effect::Presence(_) | Effect::Document(_) | Effect::Close => {}
                other => panic!("{other:?}"),
            }
        }
        messages
    }

    /// Checks that every acknowledged edit is in the text exactly once, and nothing else of this page.
    pub(crate) fn check(&self, text: &str) {
        for token in &self.acknowledged {
            assert_eq!(text.matches(token.as_str()).count(), 1, "{token} in {text}");
        }
        let own = format!("[p{}:", self.number);
        assert_eq!(text.matches(&own).count(), self.acknowledged.len(), "unexpected edits");
    }
}
