//! Sends local updates and fetches remote ones over HTTP, where sockets do not come up.

use super::{
    clock,
    open::{Session, with},
    transport::{self, Failure, Polled, Updates},
};
use crate::editor::retry_delay;
use izanagi_shared::{
    sync::engine::{self, Stop},
    wire::OpAnswer,
};
use leptos::{prelude::*, task::spawn_local};
use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
    time::Duration,
};

/// Interval at which a damaged document is asked for.
const POLL_DAMAGED_EVERY: Duration = Duration::from_secs(30);

/// State of the fallback.
#[derive(Default)]
pub(super) struct Http {
    is_on: Cell<bool>,
    /// Revision of the metadata that the page shows.
    revision: Cell<u64>,
    /// Every update up to this sequence number is in the replica.
    pub(super) seq: Cell<u64>,
    is_sending: Cell<bool>,
    is_polling: Cell<bool>,
    /// A poll was requested while another was in flight.
    must_poll: Cell<bool>,
    /// When the last poll began.
    polled_at: Cell<Duration>,
    attempt: Cell<u32>,
    timer: RefCell<Option<TimeoutHandle>>,
}

impl Http {
    pub(super) fn new(seq: u64, revision: u64) -> Self {
        Self { seq: Cell::new(seq), revision: Cell::new(revision), ..Self::default() }
    }
}

impl Session {
    /// Starts or ends sending and polling over HTTP.
    pub(super) fn use_http(self: &Rc<Self>, on: bool) {
        self.http.is_on.set(on);
        self.retry_http();
    }

    /// Sends and polls without waiting for a retry.
    pub(super) fn retry_http(self: &Rc<Self>) {
        if let Some(timer) = self.http.timer.borrow_mut().take() {
            timer.clear();
        }
        self.http.attempt.set(0);
        self.send();
        self.poll();
    }

    /// Sends queued updates, one batch at a time.
    pub(super) fn send(self: &Rc<Self>) {
        let http = &self.http;
        let waits = http.is_sending.get() || http.timer.borrow().is_some();
        if !http.is_on.get() || waits || self.is_rebasing.get() {
            return;
        }
        let Some(batch) = self.engine.borrow_mut().http_batch(clock::random_id) else { return };
        http.is_sending.set(true);
        // That of the batch, also if the page moves to another one before it is sent again.
        let lineage = self.engine.borrow().lineage().to_owned();
        let session = Rc::clone(self);
        spawn_local(async move {
            let post = || {
                let lineage = lineage.clone();
                transport::post_op(session.document, lineage, &batch.op_id, &batch.update)
            };
            let mut sent = post().await;
            if sent == Err(Failure::SignedOut) {
                sent = match session.renew().await {
                    Ok(()) => post().await,
                    Err(failure) => Err(failure),
                };
            }
            session.http.is_sending.set(false);
            match sent {
                Ok(OpAnswer { pending: true, .. }) => {
                    // It is sent again with the same id, to ask what became of it.
                    session.send_later(session.next_delay());
                    session.drive(engine::SyncEngine::http_answered);
                    session.poll();
                }
                Ok(OpAnswer { seq, .. }) => session.arrived(seq),
                Err(failure) => session.failed(failure),
            }
        });
    }

    /// Sends queued updates when the page is left, with a request that outlives it. The browser
    /// aborts the request in flight; the same id ensures that the batch is applied once.
    pub(super) fn send_last(&self) {
        // What is on its way over a socket, or kept on this device, is not sent twice.
        if !self.http.is_on.get() && !self.is_at_risk() || self.http.attempt.get() > 0 {
            return;
        }
        let batch = self.engine.borrow_mut().http_batch(clock::random_id);
        if let Some(batch) = batch {
            let lineage = self.engine.borrow().lineage().to_owned();
            transport::post_op_as_page_goes(self.document, lineage, &batch.op_id, &batch.update);
        }
    }

    fn arrived(self: &Rc<Self>, seq: u64) {
        let http = &self.http;
        http.attempt.set(0);
        let known = http.seq.get();
        if seq == known + 1 {
            http.seq.set(seq);
        } else if seq > known {
            // Another client has written in between.
            self.poll();
        }
        self.drive(|engine, _, out| engine.http_acknowledged(out));
    }

    /// Sending failed: tries again later, where that helps.
    fn failed(self: &Rc<Self>, failure: Failure) {
        match failure {
            Failure::Lost => self.send_later(self.next_delay()),
            Failure::Later(wait) => self.send_later(wait),
            _ => {}
        }
        self.http_failed(failure);
    }

    fn http_failed(self: &Rc<Self>, failure: Failure) {
        if failure == Failure::Trashed {
            self.is_in_trash.set(true);
        }
        let failure = match failure {
            Failure::Lost => engine::Failure::Lost,
            Failure::Later(wait) => engine::Failure::Later(wait),
            Failure::OtherLineage(_) => engine::Failure::OtherLineage,
            Failure::SignedOut => engine::Failure::Stopped(Stop::SignedOut),
            Failure::Forbidden => engine::Failure::Stopped(Stop::Forbidden),
            Failure::Trashed | Failure::Gone => engine::Failure::Stopped(Stop::Gone),
            Failure::Damaged(message) => engine::Failure::Stopped(Stop::damaged(message)),
            Failure::Refused(message) => {
                engine::Failure::Stopped(Stop::Refused { code: String::new(), message })
            }
            Failure::TooLong(message) => {
                engine::Failure::Stopped(Stop::TooLong { code: String::new(), message })
            }
        };
        self.drive(|engine, at, out| engine.http_failed(at, failure, out));
    }

    fn next_delay(&self) -> Duration {
        let attempt = self.http.attempt.get();
        self.http.attempt.set(attempt.saturating_add(1));
        retry_delay(attempt, clock::jitter())
    }

    fn send_later(self: &Rc<Self>, wait: Duration) {
        let weak = Rc::downgrade(self);
        let timer = clock::later(wait, move || {
            with(&weak, |session| {
                session.http.timer.borrow_mut().take();
                session.send();
            });
        });
        *self.http.timer.borrow_mut() = timer;
    }

    /// Fetches remote updates.
    pub(super) fn poll(self: &Rc<Self>) {
        let http = &self.http;
        if !http.is_on.get() || self.is_over() || self.is_rebasing.get() {
            return;
        }
        if http.is_polling.replace(true) {
            http.must_poll.set(true);
            return;
        }
        http.polled_at.set(clock::moment().now);
        let session = Rc::clone(self);
        spawn_local(async move {
            session.poll_once().await;
            session.http.is_polling.set(false);
            if session.http.must_poll.take() {
                session.poll();
            }
        });
    }

    async fn poll_once(self: &Rc<Self>) {
        let get = || {
            let state_vector = self.doc.borrow().state_vector();
            let lineage = self.engine.borrow().lineage().to_owned();
            let since = self.http.seq.get();
            async move { transport::get_updates(self.document, &lineage, since, &state_vector).await }
        };
        let mut got = get().await;
        if got == Err(Failure::SignedOut) {
            got = match self.renew().await {
                Ok(()) => get().await,
                Err(failure) => Err(failure),
            };
        }
        let Polled { revision, updates } = match got {
            Ok(polled) => polled,
            // The next one may succeed.
            Err(Failure::Later(_)) => return,
            Err(failure) => return self.http_failed(failure),
        };
        if let Some(Updates { seq, delta, .. }) = updates {
            self.apply(&delta);
            self.http.seq.set(self.http.seq.get().max(seq));
        }
        self.drive(engine::SyncEngine::http_answered);
        if let Some(revision) = revision.filter(|it| *it != self.http.revision.get()) {
            self.learn_details(revision).await;
        }
    }

    /// Shows what has changed besides the text. If that fails, the next poll tries again.
    async fn learn_details(self: &Rc<Self>, revision: u64) {
        let Ok(details) = transport::get_details(self.document).await else { return };
        let _ = self.view.title_elsewhere.try_set(Some(details.title));
        let _ = self.view.head_version.try_set(details.head_version);
        if details.is_trashed {
            // Looked up again when the user retries.
            self.http_failed(Failure::Trashed);
        } else {
            self.http.revision.set(revision);
        }
    }

    /// Polls for the lifetime of the session.
    pub(super) fn poll_regularly(weak: &Weak<Self>) {
        with(weak, |session| {
            let is_damaged = session.engine.borrow().stopped().is_some_and(Stop::is_damage);
            let since = clock::moment().now.saturating_sub(session.http.polled_at.get());
            if !document().hidden() && (!is_damaged || since >= POLL_DAMAGED_EVERY) {
                session.poll();
            }
        });
    }
}
