//! Moves an open page to another lineage: after damage, the server started editing anew from the
//! stored text (DESIGN §6). The replica cannot be merged with it, so unsent edits follow as a change
//! of the text.

use super::{
    clock,
    open::{Session, fetch_state, with},
    transport::{Failure, Updates},
};
use crate::{editor::split_long_inserts, words};
use izanagi_shared::{
    crdt::{TextDoc, one_change},
    sync::{SyncEngine, engine::Stop, retry_delay},
};
use leptos::task::spawn_local;
use std::rc::Rc;

/// The code of the problem that says that the document has another lineage.
const LINEAGE_CHANGED: &str = "lineage_changed";

/// Why a page cannot move to another lineage.
enum Obstacle {
    /// The server cannot be reached.
    Lost,
    /// The server's text is not the one that this page's unsent edits are based on.
    OtherText,
}

impl Session {
    /// Rebases, unless it is being done already. If that is impossible, editing stops.
    pub(super) fn rebase_soon(self: &Rc<Self>) {
        if self.is_rebasing.replace(true) {
            return;
        }
        self.try_to_rebase(0);
    }

    fn try_to_rebase(self: &Rc<Self>, attempt: u32) {
        let session = Rc::clone(self);
        spawn_local(async move {
            let rebased = session.rebase().await;
            if let Err(Obstacle::Lost) = rebased {
                let weak = Rc::downgrade(&session);
                let again = move || with(&weak, |session| session.try_to_rebase(attempt + 1));
                let _ = clock::later(retry_delay(attempt, clock::jitter()), again);
                return;
            }
            session.is_rebasing.set(false);
            if rebased.is_ok() {
                session.drive(SyncEngine::retry);
            } else {
                let (code, message) = (LINEAGE_CHANGED.to_owned(), words::left_behind());
                let stop = Stop::Refused { code, message };
                session.drive(|engine, _, out| engine.rebase_failed(stop, out));
            }
        });
    }

    /// Nothing has changed if it fails.
    async fn rebase(self: &Rc<Self>) -> Result<(), Obstacle> {
        let length = self.doc.borrow().text().len();
        let fetched = fetch_state(self.document, length).await;
        let Updates { seq, delta, lineage } = fetched.map_err(|failure| match failure {
            Failure::Lost | Failure::Later(_) => Obstacle::Lost,
            _ => Obstacle::OtherText,
        })?;
        let doc = TextDoc::load(clock::random_client_id(), &delta);
        let doc = doc.map_err(|_| Obstacle::OtherText)?;
        let theirs = doc.text();
        let is_unsent = self.engine.borrow().unsaved() > 0;
        let mine = is_unsent.then(|| self.doc.borrow().text());
        if is_unsent && self.base.borrow().as_deref() != Some(theirs.as_str()) {
            return Err(Obstacle::OtherText);
        }
        *self.doc.borrow_mut() = doc;
        self.forget_incoming();
        let ids = self.engine.borrow_mut().rebased(lineage);
        self.http.seq.set(seq);
        let change = mine.and_then(|mine| one_change(&theirs, &mine));
        for edit in split_long_inserts(change.into_iter().collect()) {
            let update = self.doc.borrow_mut().edit(&edit);
            self.keep(update);
        }
        self.kept.drop_all(ids).await;
        self.remount();
        Ok(())
    }
}
