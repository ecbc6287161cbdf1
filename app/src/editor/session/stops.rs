//! What the page says when nothing is sent any more, and how it goes on.

use super::{
    clock,
    open::Session,
    rebase::LINEAGE_CHANGED,
    transport::{self, Failure},
};
use crate::{editor::Trouble, words};
use izanagi_shared::sync::{SyncEngine, engine::Stop};
use leptos::{prelude::GetUntracked as _, task::spawn_local};
use std::rc::Rc;

impl Session {
    /// Says why nothing is sent any more. The text stays, and can be copied.
    pub(super) fn stopped(self: &Rc<Self>, stop: Stop) {
        match stop {
            Stop::SignedOut => {
                // That another user has signed in may be known already.
                let known = self.view.trouble.try_get_untracked().flatten();
                let known = known.filter(|trouble| *trouble == Trouble::OtherUser);
                let trouble = known.unwrap_or(Trouble::SignedOut);
                self.explain(words::reason_signed_out(), trouble);
            }
            // No client may edit it there.
            Stop::Forbidden if self.is_in_trash.get() => {
                self.explain(words::reason_trashed(), Trouble::Trashed);
            }
            Stop::Forbidden => {
                self.explain(words::reason_forbidden(), Trouble::Forbidden);
                self.set_read_only(true);
            }
            Stop::Gone => self.find_out_where_it_is(),
            Stop::Refused { code, .. } if code == LINEAGE_CHANGED => {
                self.explain(words::reason_restored(), Trouble::Restored);
            }
            Stop::Refused { ref code, ref message } | Stop::TooLong { ref code, ref message } => {
                let reason = words::problem_code(code, message);
                let trouble = match stop.is_damage() {
                    true => Trouble::Damaged(reason.clone()),
                    false => Trouble::Refused(reason.clone()),
                };
                self.explain(reason, trouble);
            }
        }
    }

    /// The document was damaged, and is not any more.
    pub(super) fn repaired(self: &Rc<Self>) {
        self.forget_damage();
        self.retry_http();
    }

    /// Takes back the report of damage.
    pub(super) fn forget_damage(&self) {
        let trouble = self.view.trouble.try_get_untracked().flatten();
        if matches!(trouble, Some(Trouble::Damaged(_))) {
            self.offer_former();
        }
    }

    /// The document may be in the trash, from which it can be restored.
    fn find_out_where_it_is(self: &Rc<Self>) {
        self.engine.borrow_mut().explain(words::reason_gone());
        let session = Rc::clone(self);
        spawn_local(async move {
            let is_in_trash = match transport::get_details(session.document).await {
                Ok(details) => details.is_trashed,
                Err(Failure::Gone) => false,
                // It cannot be known now.
                Err(_) => session.is_in_trash.get(),
            };
            if !matches!(session.engine.borrow().stopped(), Some(Stop::Gone)) {
                // It goes on, or has another reason by now.
                return;
            }
            if is_in_trash {
                session.explain(words::reason_trashed(), Trouble::Trashed);
            } else {
                session.explain(words::reason_gone(), Trouble::Gone);
                session.set_read_only(true);
            }
            session.tell();
        });
    }

    fn explain(&self, reason: String, trouble: Trouble) {
        self.engine.borrow_mut().explain(reason);
        self.report(trouble);
    }

    pub(super) fn set_read_only(&self, on: bool) {
        self.with_editor(|editor| editor.set_read_only(on));
    }

    /// Returns whether others' edits are of no use any more.
    pub(super) fn is_over(&self) -> bool {
        let engine = self.engine.borrow();
        let goes_on = |stop: &Stop| matches!(stop, Stop::TooLong { .. }) || stop.is_damage();
        engine.stopped().is_some_and(|stop| !goes_on(stop))
    }

    /// The user asks to send rejected edits again.
    pub(super) fn try_again(self: &Rc<Self>) {
        if self.is_read_only() {
            return;
        }
        if matches!(self.engine.borrow().stopped(), Some(Stop::SignedOut)) {
            return self.try_to_sign_in();
        }
        self.go_on();
    }

    /// Sends again after a stop.
    pub(super) fn go_on(self: &Rc<Self>) {
        self.uncover();
        self.is_in_trash.set(false);
        self.set_read_only(false);
        self.drive(SyncEngine::retry);
        self.retry_http();
    }

    /// Retries edits that exceeded the limit, once they fit.
    pub(super) fn go_on_if_it_fits(self: &Rc<Self>) {
        let is_too_long = matches!(self.engine.borrow().stopped(), Some(Stop::TooLong { .. }));
        if !is_too_long || !self.fits() {
            return;
        }
        // Send deletions first, whatever their order, because they free the space.
        let deletions = {
            let doc = self.doc.borrow();
            doc.missing_from(&doc.state_vector())
        };
        self.offer_former();
        match deletions {
            Ok(deletions) => self.drive(|engine, at, out| {
                engine.send_deletions_first(at, clock::random_id(), deletions, out);
            }),
            Err(_) => self.drive(SyncEngine::retry),
        }
    }
}
