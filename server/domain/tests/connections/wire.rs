//! The receiving end of a connection, which sorts events by their kind.

use super::{Closing, Duration, LiveConnection, SeatEvent};
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
