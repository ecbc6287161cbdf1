//! Moves an open page to another lineage: after damage, the server started editing anew from the
//! stored text (DESIGN §6). The replica cannot be merged with it, so unsent edits follow as a change
//! of the text.

use super::{
    clock,
    open::{Session, fetch_state},
    transport::Updates,
};
use crate::editor::split_long_inserts;
use izanagi_shared::crdt::{TextDoc, one_change};
use leptos::task::spawn_local;
use std::rc::Rc;

impl Session {
    /// Rebases, unless it is being done already. If that is impossible, editing stops for `reason`.
    pub(super) fn rebase_soon(self: &Rc<Self>, reason: String) {
        if self.link.is_rebasing.replace(true) {
            return;
        }
        let session = Rc::clone(self);
        spawn_local(async move {
            let rebased = session.rebase().await;
            session.link.is_rebasing.set(false);
            if rebased.is_none() {
                return session.halt_restored(reason);
            }
            session.tell();
            session.send();
            session.poll();
        });
    }

    /// Returns `None` if the server's text is neither the one that this page's unsent edits are based
    /// on nor can be fetched. Nothing has changed then.
    async fn rebase(self: &Rc<Self>) -> Option<()> {
        let length = self.doc.borrow().text().len();
        let Updates { seq, delta, lineage } = fetch_state(self.document, length).await.ok()?;
        let doc = TextDoc::load(clock::random_client_id(), &delta).ok()?;
        let theirs = doc.text();
        let is_unsent = !self.outbox.borrow().is_empty();
        let mine = is_unsent.then(|| self.doc.borrow().text());
        if is_unsent && self.base.borrow().as_deref() != Some(theirs.as_str()) {
            return None;
        }
        *self.doc.borrow_mut() = doc;
        *self.lineage.borrow_mut() = lineage;
        self.link.seq.set(seq);
        let ids = self.outbox.borrow_mut().clear();
        self.tracker.borrow_mut().acknowledged(ids.len());
        let change = mine.and_then(|mine| one_change(&theirs, &mine));
        for edit in split_long_inserts(change.into_iter().collect()) {
            let update = self.doc.borrow_mut().edit(&edit);
            self.keep(update);
        }
        self.kept.drop_all(ids).await;
        self.remount();
        Some(())
    }
}
