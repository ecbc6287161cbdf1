//! The receiving end of a connection, which sorts events by their kind.

#![allow(dead_code)]

use super::{Closing, Duration, LiveConnection, SeatEvent};
use futures::FutureExt as _;
use izanagi_domain::{
    documents::LivePoster,
    live::{DocumentEvent, LiveUpdate, PresenceUpdate},
};
use std::{
    collections::VecDeque,
    sync::{Arc, mpsc},
};

/// A test gives up after this long, in real time.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Wire {
    connection: LiveConnection,
    pub(crate) poster: LivePoster,
    updates: VecDeque<Arc<LiveUpdate>>,
    documents: VecDeque<Arc<DocumentEvent>>,
    pub(crate) presences: VecDeque<Arc<PresenceUpdate>>,
    closed: Option<Closing>,
}

impl Wire {
    pub(crate) fn of(connection: LiveConnection) -> Self {
        let poster = connection.poster();
        let (updates, documents, presences) = Default::default();
        Self { connection, poster, updates, documents, presences, closed: None }
    }

    pub(crate) async fn update(&mut self) -> Arc<LiveUpdate> {
        loop {
            if let Some(update) = self.updates.pop_front() {
                return update;
            }
            self.listen().await;
        }
    }

    pub(crate) async fn document(&mut self) -> DocumentEvent {
        self.document_after(|_| true).await
    }

    /// Waits for the first event that says so.
    pub(crate) async fn document_after(
        &mut self,
        says: impl Fn(&DocumentEvent) -> bool,
    ) -> DocumentEvent {
        loop {
            while let Some(event) = self.documents.pop_front() {
                if says(&event) {
                    return (*event).clone();
                }
            }
            self.listen().await;
        }
    }

    pub(crate) async fn presence(&mut self) -> Arc<PresenceUpdate> {
        loop {
            if let Some(presence) = self.presences.back() {
                return Arc::clone(presence);
            }
            self.listen().await;
        }
    }

    /// Waits until a presence client is there.
    pub(crate) async fn presence_of(&mut self, client: u64) {
        self.until_presence(client, true).await;
    }

    /// Waits until a presence client has left.
    pub(crate) async fn gone(&mut self, client: u64) {
        self.until_presence(client, false).await;
    }

    async fn until_presence(&mut self, client: u64, is_here: bool) {
        while self.has(client) != Some(is_here) {
            self.listen().await;
        }
    }

    /// Whether a client is there, if anything was told of it.
    pub(crate) fn has(&self, client: u64) -> Option<bool> {
        let newest = self.presences.iter().rev().find(|presence| presence.client == client);
        newest.map(|presence| presence.state.is_some())
    }

    /// Takes what is queued now.
    pub(crate) fn listen_now(&mut self) {
        let mut events = Vec::new();
        let _ = self.connection.events(&mut events).now_or_never();
        self.sort(events);
    }

    pub(crate) async fn closed(&mut self) -> Closing {
        loop {
            if let Some(why) = self.closed {
                return why;
            }
            self.listen().await;
        }
    }

    async fn listen(&mut self) {
        let mut events = Vec::new();
        within_patience(self.connection.events(&mut events)).await;
        self.sort(events);
    }

    fn sort(&mut self, events: Vec<SeatEvent>) {
        for event in events {
            match event {
                SeatEvent::Update(update) => self.updates.push_back(update),
                SeatEvent::Document(event) => self.documents.push_back(event),
                SeatEvent::Presence(presence) => self.presences.push_back(presence),
                SeatEvent::Closed(why) => self.closed = Some(why),
            }
        }
    }
}

/// Waits in real time, because a paused clock may stand still. While it waits, a paused clock moves only
/// when the test moves it.
pub(crate) async fn within_patience<T>(work: impl Future<Output = T>) -> T {
    let (done, waiting) = mpsc::channel::<()>();
    let mut watchdog = tokio::task::spawn_blocking(move || {
        waiting.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout)
    });
    tokio::select! {
        answer = work => {
            drop(done);
            answer
        }
        _ = &mut watchdog => panic!("nothing came"),
    }
}
