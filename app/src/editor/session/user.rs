//! Whose page this is. A browser has one sign-in for all its tabs; when it ends or changes, this page
//! covers the text and sends nothing in another user's name.

use super::{
    open::{Session, with},
    transport::{self, Failure},
};
use crate::{
    browser,
    editor::Trouble,
    flash::Notice,
    toasts::{Message, say},
    words,
};
use izanagi_shared::sync::{SyncEngine, engine::Stop};
use leptos::{prelude::GetUntracked as _, task::spawn_local};
use std::rc::{Rc, Weak};

impl Session {
    /// Learns from other tabs who is signed in.
    pub(super) fn listen_to_users(weak: &Weak<Self>) {
        let weak = weak.clone();
        browser::on_user(move |user| {
            with(&weak, |session| {
                if user != session.user || session.is_signed_out() {
                    session.check_user();
                }
            });
        });
    }

    /// Covers the page if its user is not signed in any more, or goes on if they are again.
    pub(super) fn check_user(self: &Rc<Self>) {
        let session = Rc::clone(self);
        spawn_local(async move {
            let found = session.find_user().await;
            if found.is_ok() && session.is_signed_out() {
                session.go_on();
            }
        });
    }

    /// The page was frozen, or comes from the back-forward cache: its socket is likely to be dead, and
    /// another user may have signed in.
    pub(super) fn thaw(self: &Rc<Self>) {
        self.come_back();
        let session = Rc::clone(self);
        spawn_local(async move {
            match session.find_user().await {
                Ok(()) if session.is_signed_out() => session.go_on(),
                Err(Failure::SignedOut) => {}
                Ok(()) | Err(_) => {
                    session.drive(SyncEngine::thawed);
                    session.retry_http();
                }
            }
        });
    }

    /// The user tries again after the sign-in had ended.
    pub(super) fn try_to_sign_in(self: &Rc<Self>) {
        let session = Rc::clone(self);
        spawn_local(async move {
            let text = match session.find_user().await {
                Ok(()) => return session.go_on(),
                // The page says it already.
                Err(Failure::SignedOut) if session.is_another_user() => return,
                Err(Failure::SignedOut) => words::not_signed_in(),
                Err(_) => words::not_reachable(),
            };
            say(Message { notice: Notice::new(text), is_problem: true, kind: None });
        });
    }

    /// Renews the sign-in, unless it is another user's.
    pub(super) async fn renew(self: &Rc<Self>) -> Result<(), Failure> {
        transport::refresh_session().await?;
        self.find_user().await
    }

    /// Looks up whether the user is signed in, and covers the page if not.
    async fn find_user(self: &Rc<Self>) -> Result<(), Failure> {
        if self.user.is_empty() {
            return Ok(());
        }
        let mut user = transport::get_user().await;
        if user == Err(Failure::SignedOut) {
            user = match transport::refresh_session().await {
                Ok(()) => transport::get_user().await,
                Err(failure) => Err(failure),
            };
        }
        let trouble = match user {
            Ok(user) if user == self.user => return Ok(()),
            Ok(_) => Trouble::OtherUser,
            Err(Failure::SignedOut) => Trouble::SignedOut,
            Err(failure) => return Err(failure),
        };
        if !self.is_signed_out() {
            self.drive(|engine, _, out| engine.signed_out(out));
        }
        self.report(trouble);
        Err(Failure::SignedOut)
    }

    fn is_another_user(&self) -> bool {
        self.view.trouble.try_get_untracked() == Some(Some(Trouble::OtherUser))
    }

    fn is_signed_out(&self) -> bool {
        matches!(self.engine.borrow().stopped(), Some(Stop::SignedOut))
    }
}
