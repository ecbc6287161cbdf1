//! One socket from its upgrade to its end.

use super::{
    reader::{Reader, wait_for_close},
    refusal::refusal,
    wire::{Halves, Message},
    writer::{Writer, close_message},
};
use crate::{connections::ConnectionGuard, state::AppState};
use futures::{FutureExt as _, channel::mpsc};
use izanagi_domain::{
    accounts::{Device, Network},
    documents::{LiveConnection, LivePoster},
    error::{Error, Result},
    live::{PostedUpdate, PresenceUpdate},
    principal::Principal,
};
use izanagi_shared::{
    id::DocumentId,
    sync::{
        CloseCode, Limits, Presence,
        connection::{Connection, Effect, Options, Protocol, Refusal},
        yjs::{Frame, RefusedFrame},
    },
};
use parking_lot::Mutex;
use std::{pin::pin, sync::Arc, time::Duration};
use tokio::{sync::Notify, time::Instant};

/// Messages that the reader hands to the writer before it waits.
const WORK: usize = 64;

/// A socket that was just upgraded.
pub(super) struct Opened {
    pub(super) app: AppState,
    /// `None` if the path is no document.
    pub(super) document: Option<DocumentId>,
    pub(super) protocol: Protocol,
    pub(super) limits: Limits,
    pub(super) lineage: Option<String>,
    pub(super) display_name: Option<String>,
    /// `None` if the token is invalid.
    pub(super) who: Option<Principal>,
    pub(super) device: Option<Device>,
    pub(super) held: Arc<ConnectionGuard>,
}

/// What reader and writer share.
pub(super) struct Shared {
    connection: Mutex<Connection>,
    pub(super) poster: LivePoster,
    pub(super) protocol: Protocol,
    started: Instant,
    /// Notified when the connection may want messages again.
    pub(super) answered: Notify,
}

impl Shared {
    /// Calls the connection with the time since it was opened.
    pub(super) fn with<T>(&self, call: impl FnOnce(&mut Connection, Duration) -> T) -> T {
        call(&mut self.connection.lock(), self.started.elapsed())
    }

    /// Presents a state of the client. A client of the JSON protocol knows places as offsets, which only
    /// the room can convert.
    pub(super) async fn present(&self, presence: Presence) {
        let Presence { client, clock, mut state } = presence;
        if let (Protocol::Json, Some(given)) = (self.protocol, &state) {
            match self.poster.complete_cursor(Arc::clone(given)).await {
                Ok(completed) => state = Some(completed),
                // The end of the connection is told by an event.
                Err(_) => return,
            }
        }
        if let Err(error) = self.poster.present(PresenceUpdate::new(client, clock, state)) {
            tracing::debug!(%error, "a presence was not taken");
        }
    }

    /// When the connection has something to do.
    pub(super) fn wake_at(&self) -> Instant {
        self.started + self.connection.lock().wake_at()
    }
}

impl Opened {
    /// Serves the socket until it ends.
    pub(super) async fn serve(self, halves: Halves) {
        let closing = self.held.closing.clone();
        // Boxed, so that a socket takes the memory of its present state only.
        closing.run_until_cancelled(self.serve_until_end(halves).boxed()).await;
    }

    async fn serve_until_end(self, (mut incoming, mut outgoing): Halves) {
        let started = Instant::now();
        let (live, options) = match self.connect().boxed().await {
            Ok(connected) => connected,
            Err(error) => {
                let refusal = refusal(&error);
                tracing::info!(code = refusal.close.code(), "socket refused");
                let mut messages = Vec::from_iter(self.reason(&error, &refusal));
                messages.push(close_message(refusal.close, &refusal.message));
                drop(outgoing.send(&mut messages).await);
                return wait_for_close(&mut incoming).await;
            }
        };
        let poster = live.poster();
        incoming.reserve_with(Box::new(move |bytes| {
            let poster = poster.clone();
            async move { poster.receive(bytes).await }.boxed()
        }));
        let shared = Arc::new(Shared {
            connection: Mutex::new(Connection::new(options, Duration::ZERO)),
            poster: live.poster(),
            protocol: self.protocol,
            started,
            answered: Notify::new(),
        });
        let (give, given) = mpsc::channel(WORK);
        let code = {
            let mut reading = pin!(Reader { shared: &shared, give }.run(&mut incoming));
            let mut writing =
                pin!(Writer::new(Arc::clone(&shared), live, outgoing, given).run(&self.held));
            tokio::select! {
                code = &mut writing => code,
                // The client is gone, or its message has closed the connection.
                () = &mut reading => writing.await,
            }
        };
        let (code, seconds) = (code.map(CloseCode::code), started.elapsed().as_secs());
        tracing::info!(code, seconds, "socket closed");
        if code.is_some() {
            wait_for_close(&mut incoming).await;
        }
    }

    /// What tells our own page why a document cannot be joined, where the close code does not: damage is
    /// no reason to try again soon.
    fn reason(&self, error: &Error, refusal: &Refusal) -> Option<Message> {
        let tells = self.protocol == Protocol::Yjs { acks: true }
            && matches!(error, Error::CorruptDocument(_));
        if !tells {
            return None;
        }
        let (code, message) = (refusal.code.clone(), refusal.message.clone());
        let json = serde_json::to_string(&RefusedFrame { frame: 0, code, message }).ok()?;
        Some(Message::Binary(Frame::Refused(&json).encode().into()))
    }

    /// Joins the document.
    async fn connect(&self) -> Result<(LiveConnection, Options)> {
        let who = self.who.as_ref().ok_or(Error::Unauthenticated)?;
        if let Some(user) = who.user() {
            tracing::Span::current().record("userId", tracing::field::display(user));
        }
        let document = self.document.ok_or_else(|| match who.is_anonymous() {
            true => Error::Unauthenticated,
            false => Error::NotFound("document"),
        })?;
        let network =
            self.device.as_ref().map_or(Network::None, |device| Network::of_text(&device.ip));
        let live = self.app.services.documents.connect(who, document, network).await?;
        if self.lineage.as_ref().is_some_and(|named| *named != hex::encode(live.lineage())) {
            return Err(Error::OtherLineage);
        }
        let given_name = self.display_name.clone().filter(|name| !name.trim().is_empty());
        let options = Options {
            protocol: self.protocol,
            lineage: self.lineage.clone(),
            user_id: who.user().map(|user| user.to_string()),
            display_name: given_name
                .or_else(|| live.display_name().map(str::to_owned))
                .unwrap_or_default(),
            presence_client: live.presence_client(),
            limits: self.limits.clone(),
        };
        Ok((live, options))
    }
}

/// Work that the reader leaves to the writer.
pub(super) enum Work {
    /// An effect of a message.
    Effect(Effect),
    /// An answer to a control frame.
    Send(Message),
    /// An update was posted; its answer comes later.
    Posted(u64, Result<PostedUpdate>),
}
