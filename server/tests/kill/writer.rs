//! A client that writes and keeps a ledger of acknowledged requests.

use super::Meter;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use izanagi_shared::crdt::{Change, TextDoc};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use reqwest::{StatusCode, header::RETRY_AFTER};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// Pause before a request is sent again.
const AGAIN: Duration = Duration::from_millis(50);

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sent {
    Answered,
    /// Refused with 503: it is to be sent again.
    Refused,
    /// No answer arrived.
    Lost,
}

/// A signed-in account.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    token: String,
}

impl Account {
    /// Signs up an account.
    pub(crate) async fn sign_up(url: &str) -> Self {
        let body = json!({ "email": "ada@example.org", "password": "correct horse battery" });
        let answer = reqwest::Client::new()
            .post(format!("{url}/api/v1/auth/signup"))
            .json(&body)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 201);
        let answer: Value = answer.json().await.unwrap();
        Self { token: answer["accessToken"].as_str().unwrap().to_owned() }
    }

    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// Creates a document and returns its id.
    pub(crate) async fn create_document(&self, url: &str, title: &str) -> String {
        let answer = reqwest::Client::new()
            .post(format!("{url}/api/v1/documents"))
            .bearer_auth(&self.token)
            .json(&json!({ "title": title }))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 201);
        let document: Value = answer.json().await.unwrap();
        document["id"].as_str().unwrap().to_owned()
    }

    /// Returns the text of a document.
    pub(crate) async fn text(&self, url: &str, document: &str) -> String {
        let request = reqwest::Client::new()
            .get(format!("{url}/api/v1/documents/{document}/content"))
            .bearer_auth(&self.token);
        request.send().await.unwrap().text().await.unwrap()
    }
}

/// A request without a known outcome; it is retried unchanged until it is answered.
#[derive(Debug, Clone)]
enum Pending {
    Op { id: String, token: String, delta: Vec<u8> },
    Commit { key: String, tokens: usize },
}

/// An acknowledged commit.
#[derive(Debug)]
struct Acknowledged {
    number: u64,
    hash: String,
    /// Number of edits acknowledged before the commit was requested.
    tokens: usize,
}

/// Writes to its own document.
#[derive(Debug)]
pub(crate) struct Writer {
    http: reqwest::Client,
    account: Account,
    number: usize,
    rng: StdRng,
    document: String,
    replica: TextDoc,
    made: usize,
    pending: Option<Pending>,
    edits: Vec<String>,
    versions: Vec<Acknowledged>,
}

impl Writer {
    /// Creates a writer with its own document.
    pub(crate) async fn new(url: &str, account: &Account, number: usize, seed: u64) -> Self {
        let http = reqwest::Client::new();
        let document = account.create_document(url, &format!("Document {number}")).await;
        Self {
            http,
            account: account.clone(),
            number,
            rng: StdRng::seed_from_u64(seed),
            document,
            replica: TextDoc::new(1_000 + number as u64),
            made: 0,
            pending: None,
            edits: Vec::new(),
            versions: Vec::new(),
        }
    }

    /// Sends one request after another until one is not answered.
    pub(crate) async fn write_until_killed(mut self, url: String, meter: Arc<Meter>) -> Self {
        loop {
            let pending = self.pending.clone().unwrap_or_else(|| self.next());
            self.pending = Some(pending.clone());
            meter.in_flight.fetch_add(1, Ordering::SeqCst);
            let sent = self.send(&url, &pending).await;
            meter.in_flight.fetch_sub(1, Ordering::SeqCst);
            match sent {
                Sent::Answered => self.note(&meter),
                Sent::Refused => panic!("a server with all its stores refused {pending:?}"),
                Sent::Lost => return self,
            }
        }
    }

    /// Sends one request after another, each until it is answered, until `stop`. Only a server that
    /// `may_vanish` leaves a request without any answer.
    pub(crate) async fn write_on(
        mut self,
        url: String,
        may_vanish: bool,
        meter: Arc<Meter>,
        stop: CancellationToken,
    ) -> Self {
        while !stop.is_cancelled() {
            let pending = self.pending.clone().unwrap_or_else(|| self.next());
            self.pending = Some(pending.clone());
            match self.send(&url, &pending).await {
                Sent::Answered => self.note(&meter),
                Sent::Lost if !may_vanish => panic!("no answer to {pending:?}"),
                Sent::Refused | Sent::Lost => sleep_until(Instant::now() + AGAIN).await,
            }
        }
        self
    }

    fn note(&mut self, meter: &Meter) {
        self.pending = None;
        meter.answered.fetch_add(1, Ordering::SeqCst);
        meter.answered_one.notify_one();
    }

    /// Retries the pending request, if any.
    pub(crate) async fn settle(&mut self, url: &str) {
        if let Some(pending) = self.pending.take() {
            let sent = self.send(url, &pending).await;
            assert_eq!(sent, Sent::Answered, "a running server and its stores");
        }
    }

    fn next(&mut self) -> Pending {
        self.made += 1;
        if self.made.is_multiple_of(5) {
            let key = format!("commit {}", self.made);
            return Pending::Commit { key, tokens: self.edits.len() };
        }
        let token = format!("[{}:{}]", self.number, self.made);
        // Insert between two tokens, so that no token is split.
        let text = self.replica.text();
        let borders: Vec<usize> =
            std::iter::once(0).chain(text.match_indices(']').map(|(at, _)| at + 1)).collect();
        let at = u32::try_from(borders[self.rng.random_range(0..borders.len())]).unwrap();
        let delta = self.replica.edit(&[Change { from: at, to: at, insert: token.clone() }]);
        Pending::Op { id: format!("op {}", self.made), token, delta }
    }

    /// Sends a request. A response other than success or 503 fails the test.
    async fn send(&mut self, url: &str, pending: &Pending) -> Sent {
        let base = format!("{url}/api/v1/documents/{}", self.document);
        let request = match pending {
            Pending::Op { id, delta, .. } => self
                .http
                .post(format!("{base}/ops"))
                .json(&json!({ "opId": id, "deltaB64": STANDARD.encode(delta) })),
            Pending::Commit { key, .. } => self
                .http
                .post(format!("{base}/versions"))
                .header("Idempotency-Key", key)
                .json(&json!({ "message": key })),
        };
        let Ok(answer) = request.bearer_auth(&self.account.token).send().await else {
            return Sent::Lost;
        };
        let status = answer.status();
        let says_when = answer.headers().contains_key(RETRY_AFTER);
        let Ok(body) = answer.json::<Value>().await else { return Sent::Lost };
        if status == StatusCode::SERVICE_UNAVAILABLE {
            assert!(says_when, "{body}");
            return Sent::Refused;
        }
        match pending {
            Pending::Op { token, .. } => {
                assert_eq!(status, 200, "{body}");
                self.edits.push(token.clone());
            }
            Pending::Commit { tokens, .. } => {
                assert_eq!(status, 201, "{body}");
                self.versions.push(Acknowledged {
                    number: body["number"].as_u64().unwrap(),
                    hash: body["hash"].as_str().unwrap().to_owned(),
                    tokens: *tokens,
                });
            }
        }
        Sent::Answered
    }

    /// Checks that every acknowledged edit and version is present exactly once.
    pub(crate) async fn check(&self, url: &str) {
        let base = format!("{url}/api/v1/documents/{}", self.document);
        let text = self.get(&base).await["content"].as_str().unwrap().to_owned();
        for token in &self.edits {
            assert_eq!(text.matches(token.as_str()).count(), 1, "{token} in {text}");
        }
        assert_eq!(text.matches('[').count(), self.edits.len(), "unexpected edit");
        for (index, version) in self.versions.iter().enumerate() {
            assert_eq!(version.number, index as u64 + 1, "unexpected version");
            let found = self.get(&format!("{base}/versions/{}", version.number)).await;
            let content = found["content"].as_str().unwrap();
            assert_eq!(found["hash"].as_str(), Some(version.hash.as_str()));
            assert_eq!(hex::encode(Sha256::digest(content)), version.hash);
            for token in &self.edits[..version.tokens] {
                assert!(
                    content.contains(token.as_str()),
                    "version {} is missing {token}",
                    version.number
                );
            }
        }
    }

    async fn get(&self, url: &str) -> Value {
        let request = self.http.get(url).bearer_auth(&self.account.token);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.json().await.unwrap()
    }
}
