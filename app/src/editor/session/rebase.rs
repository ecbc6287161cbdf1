//! Moves an open page to another lineage: after damage, the server started editing anew from the
//! stored text (DESIGN §6). The replica cannot be merged with it, so what the server lacks follows as a
//! change of the text. If it lacks words that were saved, the user decides.

use super::{
    clock,
    former::{MOST_TURNS, make},
    kept::{KeptUpdate, Replaced},
    open::{Session, fetch_state, with},
    transport::{self, Failure, Updates},
};
use crate::{
    editor::{Answer, Trouble},
    words,
};
use izanagi_shared::{
    crdt::{TextDoc, changes_between},
    rules::MAX_CONTENT_BYTES,
    sync::{SyncEngine, engine::Stop, retry_delay},
    text::rebase::{Rebased, add_back, rebase},
};
use leptos::{prelude::*, task::spawn_local};
use std::{collections::BTreeSet, rc::Rc};

/// The code of the problem that says that the document has another lineage.
pub(super) const LINEAGE_CHANGED: &str = "lineage_changed";

/// Why a page cannot move to another lineage.
enum Obstacle {
    /// The server cannot be reached.
    Lost,
    /// The user has to decide.
    Missing,
    Stopped(Stop),
}

/// A replica of the new lineage.
struct Moved {
    doc: TextDoc,
    seq: u64,
    lineage: String,
    /// Edits that other tabs have made there.
    theirs: Vec<KeptUpdate>,
    made: Vec<KeptUpdate>,
    is_stored: bool,
    /// The document's text.
    text: String,
}

impl Session {
    /// Rebases, unless it is being done already. If that is impossible, editing stops.
    pub(super) fn rebase_soon(self: &Rc<Self>) {
        self.rebase_with(None);
    }

    /// Rebases as the user has decided.
    pub(super) fn rebase_with(self: &Rc<Self>, answer: Option<Answer>) {
        if answer.is_some() {
            self.answer.set(answer);
            // What is typed meanwhile would not be part of the decision.
            self.set_read_only(true);
        }
        if !self.is_rebasing.replace(true) {
            self.try_to_rebase(0);
        }
    }

    fn try_to_rebase(self: &Rc<Self>, attempt: u32) {
        let session = Rc::clone(self);
        spawn_local(async move {
            let answer = session.answer.get();
            let rebased = session.rebase(answer).await;
            if let Err(Obstacle::Lost) = rebased {
                let weak = Rc::downgrade(&session);
                let again = move || with(&weak, |session| session.try_to_rebase(attempt + 1));
                let _ = clock::later(retry_delay(attempt, clock::jitter()), again);
                return;
            }
            if matches!(rebased, Err(Obstacle::Missing)) && session.answer.get() != answer {
                // The user has answered meanwhile.
                return session.try_to_rebase(0);
            }
            session.answer.set(None);
            session.is_rebasing.set(false);
            session.set_read_only(false);
            if matches!(session.engine.borrow().stopped(), Some(Stop::SignedOut)) {
                // Meanwhile another user has signed in.
                return;
            }
            let stop = match rebased {
                Ok(()) => {
                    if session.view.trouble.try_get_untracked() == Some(Some(Trouble::Restored)) {
                        session.offer_former();
                    }
                    session.forget_damage();
                    return session.drive(SyncEngine::retry);
                }
                Err(Obstacle::Stopped(stop)) => stop,
                Err(Obstacle::Lost | Obstacle::Missing) => {
                    let (code, message) = (LINEAGE_CHANGED.to_owned(), words::reason_restored());
                    Stop::Refused { code, message }
                }
            };
            session.drive(|engine, at, out| engine.rebase_failed(at, stop, out));
        });
    }

    /// Nothing has changed if it fails.
    async fn rebase(self: &Rc<Self>, answer: Option<Answer>) -> Result<(), Obstacle> {
        // The lineage in which the server has what the user wants to add, and the page's text then.
        let mut added: Option<(String, String)> = None;
        for _ in 0..MOST_TURNS {
            let length = self.doc.borrow().text().len();
            let fetched = fetch_state(self.document, length).await;
            let Updates { seq, delta, lineage } = fetched.map_err(|it| self.obstacle(it))?;
            let doc = TextDoc::load(clock::random_client_id(), &delta);
            let mut doc = doc.map_err(|_| broken())?;
            let (kept, texts) = self.kept.load().await;
            let (mut theirs, former): (Vec<_>, Vec<_>) =
                kept.into_iter().partition(|update| update.lineage == lineage);
            theirs.retain(|it| doc.apply(&it.update).is_ok());

            let text = doc.text();
            let mine = match (added.take(), answer) {
                (Some((there, mine)), _) if there == lineage => mine,
                (_, Some(Answer::Add)) => {
                    let mine = self.doc.borrow().text();
                    self.add_back(&mine).await?;
                    added = Some((lineage, mine));
                    continue;
                }
                _ => self.doc.borrow().text(),
            };
            let made = match answer {
                None => self.text_after_move(&mine, &text)?,
                Some(_) => None,
            };
            let made = made.map_or_else(Vec::new, |new| make(&mut doc, &lineage, &text, &new));
            let own: BTreeSet<String> =
                self.engine.borrow().unsaved_ids().map(str::to_owned).collect();
            let op_ids: Vec<_> =
                former.into_iter().map(|it| it.id).filter(|id| own.contains(id)).collect();
            let text_ids = texts.into_iter().map(|it| it.id).filter(|id| *id == self.backup.id);
            let text_ids: Vec<_> = text_ids.collect();
            let replaced = self.kept.replace(&op_ids, &text_ids, &made).await;
            if replaced == Replaced::ByAnother {
                // A tab with the same edits was faster: see what it has made of them.
                continue;
            }
            let is_stored = replaced == Replaced::Done;
            self.install(Moved { doc, seq, lineage, theirs, made, is_stored, text }, &mine);
            return Ok(());
        }
        Err(Obstacle::Lost)
    }

    /// The text that the document shall have; `None` if it has it already.
    fn text_after_move(
        self: &Rc<Self>,
        mine: &str,
        theirs: &str,
    ) -> Result<Option<String>, Obstacle> {
        let saved = self.saved_or(mine);
        let text = match rebase(&saved, mine, theirs) {
            Rebased::Complete => None,
            Rebased::Added(text) => Some(text),
            Rebased::Missing => {
                self.ask(saved);
                return Err(Obstacle::Missing);
            }
        };
        self.check_length(text.as_deref().unwrap_or_default(), &saved)?;
        Ok(text)
    }

    /// Adds what the document lacks, as the user has decided. The server does it, because other pages
    /// may do the same at this moment.
    async fn add_back(self: &Rc<Self>, mine: &str) -> Result<(), Obstacle> {
        let saved = self.saved_or(mine);
        self.check_length(mine, &saved)?;
        match self.post_lost_words(mine, &saved).await {
            Err(Failure::TooLong(_)) => Err(self.too_long(&saved)),
            posted => posted.map_err(|failure| self.obstacle(failure)),
        }
    }

    /// Adds what the document lacks; once more if the access token has expired.
    pub(super) async fn post_lost_words(&self, mine: &str, saved: &str) -> Result<(), Failure> {
        let post = || {
            let saved = (saved != mine).then_some(saved);
            transport::post_lost_words(self.document, mine, saved)
        };
        match post().await {
            Err(Failure::SignedOut) => {
                transport::refresh_session().await?;
                post().await
            }
            posted => posted,
        }
    }

    /// The last text of which the page knows that it was saved, if its text is `mine`.
    fn saved_or(&self, mine: &str) -> String {
        let is_unsent = self.engine.borrow().unsaved() > 0;
        let saved = self.base.borrow().clone().filter(|_| is_unsent || self.backup.is_asked());
        saved.unwrap_or_else(|| mine.to_owned())
    }

    fn check_length(self: &Rc<Self>, text: &str, saved: &str) -> Result<(), Obstacle> {
        if text.len() > MAX_CONTENT_BYTES { Err(self.too_long(saved)) } else { Ok(()) }
    }

    fn too_long(self: &Rc<Self>, saved: &str) -> Obstacle {
        self.ask(saved.to_owned());
        self.view.too_long.update(|times| *times += 1);
        Obstacle::Missing
    }

    /// Takes over the replica of the new lineage. `mine` is the text that was moved.
    fn install(self: &Rc<Self>, moved: Moved, mine: &str) {
        let Moved { doc, seq, lineage, theirs, made, is_stored, text } = moved;
        let shown = self.doc.borrow().text();
        *self.base.borrow_mut() = Some(text);
        *self.doc.borrow_mut() = doc;
        self.forget_incoming();
        let old = self.engine.borrow_mut().rebased(lineage.clone());
        self.http.seq.set(seq);
        let (stored, unstored) = if is_stored { (made, Vec::new()) } else { (Vec::new(), made) };
        for KeptUpdate { id, update, .. } in theirs.into_iter().chain(stored) {
            self.engine.borrow_mut().restored(clock::moment(), id, update);
        }
        for made in unstored {
            self.keep(made.update, made.typed);
        }
        if shown != mine {
            // Typed while the server was asked.
            let now = self.doc.borrow().text();
            let text = match rebase(mine, &shown, &now) {
                Rebased::Complete => now.clone(),
                Rebased::Added(text) => text,
                Rebased::Missing => add_back(mine, &shown, &now),
            };
            let late = make(&mut self.doc.borrow_mut(), &lineage, &now, &text);
            for made in late {
                self.keep(made.update, made.typed);
            }
        }
        self.answered();
        self.back_up_later();
        // The cursor keeps its place.
        let changes = changes_between(&shown, &self.doc.borrow().text());
        let taken = self.with_editor(|editor| editor.take_over(&changes));
        if taken.is_some_and(|taken| taken.is_err()) {
            self.remount();
        }
        let session = Rc::clone(self);
        spawn_local(async move { session.kept.drop_all(old).await });
    }

    fn obstacle(&self, failure: Failure) -> Obstacle {
        Obstacle::Stopped(match failure {
            Failure::Lost | Failure::Later(_) => return Obstacle::Lost,
            Failure::SignedOut => Stop::SignedOut,
            Failure::Forbidden => Stop::Forbidden,
            Failure::Trashed => {
                self.is_in_trash.set(true);
                Stop::Gone
            }
            Failure::Gone => Stop::Gone,
            Failure::Damaged(message) => Stop::damaged(message),
            Failure::OtherLineage(message)
            | Failure::Refused(message)
            | Failure::TooLong(message) => Stop::Refused { code: String::new(), message },
        })
    }
}

fn broken() -> Obstacle {
    let message = words::reason_cannot_merge();
    Obstacle::Stopped(Stop::Refused { code: String::new(), message })
}
