//! Sends local updates and fetches remote ones, with retries.

use super::{
    clock,
    open::{Session, with},
    transport::{self, Failure, Polled, Updates},
};
use crate::{
    editor::{Trouble, retry_delay},
    words,
};
use izanagi_shared::wire::OpAnswer;
use leptos::{prelude::*, task::spawn_local};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

/// Why sending is paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Halt {
    SignedOut,
    Refused,
    /// The document would exceed its limit; sending resumes once it would fit.
    TooLong,
}

/// Synchronisation state between this page and the server.
#[derive(Default)]
pub(super) struct Link {
    /// Revision of the metadata that the page shows.
    revision: Cell<u64>,
    /// Every update up to this sequence number is in the replica.
    pub(super) seq: Cell<u64>,
    /// Moving to another lineage.
    pub(super) is_rebasing: Cell<bool>,
    is_sending: Cell<bool>,
    is_polling: Cell<bool>,
    /// A poll was requested while another was in flight.
    must_poll: Cell<bool>,
    /// Sending is paused until the user acts.
    halted: Cell<Option<Halt>>,
    attempt: Cell<u32>,
    /// The last poll did not reach the server.
    poll_was_lost: Cell<bool>,
    timer: RefCell<Option<TimeoutHandle>>,
}

impl Link {
    pub(super) fn new(seq: u64, revision: u64) -> Self {
        Self { seq: Cell::new(seq), revision: Cell::new(revision), ..Self::default() }
    }
}

impl Session {
    /// Sends queued updates, one batch at a time.
    pub(super) fn send(self: &Rc<Self>) {
        let link = &self.link;
        if link.is_sending.get() || link.halted.get().is_some() || link.is_rebasing.get() {
            return;
        }
        if let Some(timer) = link.timer.borrow_mut().take() {
            timer.clear();
        }
        let Some(batch) = self.outbox.borrow_mut().batch(clock::random_id, merge) else { return };
        link.is_sending.set(true);
        let session = Rc::clone(self);
        spawn_local(async move {
            let post = || {
                let lineage = session.lineage.borrow().clone();
                transport::post_op(session.document, lineage, &batch.op_id, &batch.update)
            };
            let mut sent = post().await;
            if sent == Err(Failure::SignedOut) {
                sent = match transport::refresh_session().await {
                    Ok(()) => post().await,
                    Err(failure) => Err(failure),
                };
            }
            session.link.is_sending.set(false);
            match sent {
                Ok(OpAnswer { pending: true, .. }) => session.waits(),
                Ok(OpAnswer { seq, .. }) => session.arrived(seq),
                Err(failure) => session.failed(failure),
            }
        });
    }

    /// Sends queued updates when the page is left, with a request that outlives it. The browser
    /// aborts the request in flight; the same id ensures that the batch is applied once.
    pub(super) fn send_last(&self) {
        let link = &self.link;
        if link.halted.get().is_some() || link.attempt.get() > 0 {
            return;
        }
        if let Some(batch) = self.outbox.borrow_mut().batch(clock::random_id, merge) {
            let lineage = self.lineage.borrow().clone();
            transport::post_op_as_page_goes(self.document, lineage, &batch.op_id, &batch.update);
        }
    }

    /// Handles new local edits. They do not shorten the delay before a retry.
    pub(super) fn send_edits(self: &Rc<Self>) {
        self.go_on_if_it_fits();
        if self.link.timer.borrow().is_none() {
            self.send();
        }
    }

    /// Retries edits that exceeded the limit, once they fit.
    pub(super) fn go_on_if_it_fits(self: &Rc<Self>) {
        if self.link.halted.get() != Some(Halt::TooLong) || !self.fits() {
            return;
        }
        // Send deletions first, whatever their order, because they free the space.
        let deletions = {
            let doc = self.doc.borrow();
            doc.missing_from(&doc.state_vector())
        };
        if let Ok(deletions) = deletions {
            self.outbox.borrow_mut().push_first(clock::random_id(), deletions);
            self.tracker.borrow_mut().edited();
        }
        self.try_again();
    }

    /// Handles a batch acknowledged as update `seq`.
    fn arrived(self: &Rc<Self>, seq: u64) {
        let ids = self.outbox.borrow_mut().acknowledged();
        self.tracker.borrow_mut().acknowledged(ids.len());
        self.link.attempt.set(0);
        self.tell();
        let session = Rc::clone(self);
        spawn_local(async move { session.kept.drop_all(ids).await });
        let known = self.link.seq.get();
        if seq == known + 1 {
            self.link.seq.set(seq);
        } else if seq > known {
            // Another client has written in between.
            self.poll();
        }
        self.send();
    }

    /// The server has the batch, but not what it depends on: it is not saved, stays queued, and is
    /// sent again with the same id, to ask what became of it.
    fn waits(self: &Rc<Self>) {
        self.tracker.borrow_mut().reached();
        self.tell();
        let attempt = self.link.attempt.get();
        self.link.attempt.set(attempt.saturating_add(1));
        self.send_later(retry_delay(attempt, clock::jitter()));
        self.poll();
    }

    fn failed(self: &Rc<Self>, failure: Failure) {
        match failure {
            Failure::Lost => {
                self.tracker.borrow_mut().lost();
                let attempt = self.link.attempt.get();
                self.link.attempt.set(attempt.saturating_add(1));
                self.send_later(retry_delay(attempt, clock::jitter()));
            }
            Failure::Later(wait) => {
                self.tracker.borrow_mut().reached();
                self.send_later(wait);
            }
            Failure::SignedOut => self.halt_signed_out(),
            Failure::Trashed => self.halt_trashed(),
            Failure::OtherLineage(reason) => self.rebase_soon(reason),
            Failure::Refused(reason) => {
                // Under a new id, because a refusal is final for the old one.
                self.outbox.borrow_mut().take_back();
                self.halt(Halt::Refused, reason);
            }
            Failure::TooLong(reason) => {
                // Later edits may make it fit.
                self.outbox.borrow_mut().take_back();
                self.halt(Halt::TooLong, reason);
            }
        }
        self.tell();
    }

    fn halt_signed_out(&self) {
        self.link.halted.set(Some(Halt::SignedOut));
        self.tracker.borrow_mut().refused(words::reason_signed_out());
        self.report(Trouble::SignedOut);
    }

    fn halt_trashed(&self) {
        self.link.halted.set(Some(Halt::Refused));
        self.tracker.borrow_mut().refused(words::reason_trashed());
        self.report(Trouble::Trashed);
    }

    /// Refuses further edits until the user reloads the page.
    pub(super) fn halt_restored(&self, reason: String) {
        self.outbox.borrow_mut().take_back();
        self.halt(Halt::Refused, reason);
        self.tell();
    }

    fn halt(&self, halt: Halt, reason: String) {
        self.link.halted.set(Some(halt));
        self.tracker.borrow_mut().refused(reason.as_str());
        self.report(Trouble::Refused(reason));
    }

    fn send_later(self: &Rc<Self>, wait: Duration) {
        let session = Rc::clone(self);
        let timer = clock::later(wait, move || {
            session.link.timer.borrow_mut().take();
            session.send();
        });
        *self.link.timer.borrow_mut() = timer;
    }

    /// The user asks to send rejected edits again.
    pub(super) fn try_again(self: &Rc<Self>) {
        self.link.halted.set(None);
        self.tracker.borrow_mut().retried();
        let _ = self.view.trouble.try_set(None);
        self.tell();
        self.send();
        self.poll();
    }

    /// The browser reports a connection: retry without waiting.
    pub(super) fn reconnect(self: &Rc<Self>) {
        self.link.attempt.set(0);
        self.send();
        self.poll();
    }

    /// Fetches remote updates.
    pub(super) fn poll(self: &Rc<Self>) {
        let link = &self.link;
        let is_over = matches!(link.halted.get(), Some(Halt::SignedOut | Halt::Refused));
        if self.is_read_only() || is_over || link.is_rebasing.get() {
            return;
        }
        if link.is_polling.replace(true) {
            link.must_poll.set(true);
            return;
        }
        let session = Rc::clone(self);
        spawn_local(async move {
            session.poll_once().await;
            session.link.is_polling.set(false);
            if session.link.must_poll.take() {
                session.poll();
            }
        });
    }

    async fn poll_once(self: &Rc<Self>) {
        let get = || {
            let state_vector = self.doc.borrow().state_vector();
            let (lineage, since) = (self.lineage.borrow().clone(), self.link.seq.get());
            async move { transport::get_updates(self.document, &lineage, since, &state_vector).await }
        };
        let mut got = get().await;
        if got == Err(Failure::SignedOut) {
            got = match transport::refresh_session().await {
                Ok(()) => get().await,
                Err(failure) => Err(failure),
            };
        }
        match got {
            Ok(Polled { revision, updates }) => {
                if let Some(Updates { seq, delta, .. }) = updates {
                    if !self.merge(&delta) {
                        self.halt(Halt::Refused, words::reason_cannot_merge());
                        return self.tell();
                    }
                    self.link.seq.set(self.link.seq.get().max(seq));
                }
                self.tracker.borrow_mut().reached();
                if self.link.poll_was_lost.take() {
                    // The server is reachable again.
                    self.send();
                } else {
                    self.send_edits();
                }
                if let Some(revision) = revision.filter(|it| *it != self.link.revision.get()) {
                    self.learn_details(revision).await;
                }
            }
            Err(Failure::Lost) => {
                self.link.poll_was_lost.set(true);
                self.tracker.borrow_mut().lost();
            }
            Err(Failure::Later(_)) => {}
            Err(Failure::SignedOut) => self.halt_signed_out(),
            Err(Failure::Trashed) => self.halt_trashed(),
            Err(Failure::OtherLineage(reason)) => self.rebase_soon(reason),
            Err(Failure::Refused(reason) | Failure::TooLong(reason)) => {
                self.halt(Halt::Refused, reason);
            }
        }
        self.tell();
    }

    /// Shows what has changed besides the text. If that fails, the next poll tries again.
    async fn learn_details(&self, revision: u64) {
        let Ok(details) = transport::get_details(self.document).await else { return };
        let _ = self.view.title_elsewhere.try_set(Some(details.title));
        if details.is_trashed {
            // Looked up again when the user retries.
            self.halt_trashed();
        } else {
            self.link.revision.set(revision);
        }
    }

    /// Polls for the lifetime of the session.
    pub(super) fn poll_regularly(weak: &std::rc::Weak<Self>) {
        with(weak, |session| {
            if !document().hidden() {
                session.poll();
            }
        });
    }
}

fn merge(updates: &[&[u8]]) -> Option<Vec<u8>> {
    yrs::merge_updates_v1(updates).ok()
}
