//! Edits of a former lineage that this device has kept, after a reload or from a closed tab. They follow
//! as a change of the text where that loses nothing; otherwise the user decides.

use super::{
    clock,
    kept::{KeptText, KeptUpdate, Replaced},
    open::Session,
    transport::Failure,
};
use crate::{
    editor::{Answer, Trouble, split_long_inserts},
    flash::Notice,
    toasts::{Message, say},
    words,
};
use izanagi_shared::{
    crdt::{Change, TextDoc, changes_between},
    rules::MAX_CONTENT_BYTES,
    sync::SyncEngine,
    text::rebase::{Rebased, add_back, rebase},
};
use leptos::{prelude::*, task::spawn_local};
use std::{cmp::Reverse, collections::BTreeSet, rc::Rc};

/// How often another tab may be faster.
pub(super) const MOST_TURNS: u32 = 5;

/// What a page has left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Former {
    /// The last text of which the page knew that it was saved; `None` if only words are left.
    saved: Option<String>,
    /// The page's text, or the words.
    mine: String,
    op_ids: Vec<String>,
    text_ids: Vec<String>,
}

/// What is left of former lineages.
#[derive(Debug, Default, PartialEq, Eq)]
struct Left {
    formers: Vec<Former>,
    /// Updates and texts of no use to anybody.
    op_ids: Vec<String>,
    text_ids: Vec<String>,
    /// Texts of this lineage with edits that wait.
    here: Vec<String>,
}

/// Finds what is left of lineages other than this one. Where two pages had the same edits, the text of
/// the page with more unsaved edits stands for both.
fn find_left(updates: &[KeptUpdate], mut texts: Vec<KeptText>, lineage: &str) -> Left {
    let mut left = Left::default();
    let known: BTreeSet<&str> = updates.iter().map(|update| update.id.as_str()).collect();
    let mut claimed = BTreeSet::new();
    texts.sort_by_key(|text| Reverse(text.op_ids.len()));
    for KeptText { id, lineage: own, saved, mine, mut op_ids, is_asked } in texts {
        op_ids.retain(|id| known.contains(id.as_str()));
        if own == lineage && is_asked {
            // Its words may be missing, but its edits are sent as they are.
            op_ids.clear();
        } else if own == lineage {
            if op_ids.is_empty() {
                left.text_ids.push(id);
            } else {
                left.here.push(id);
            }
            continue;
        }
        op_ids.retain(|id| claimed.insert(id.clone()));
        if let Some(same) = left.formers.iter_mut().find(|it| it.mine == mine) {
            same.op_ids.extend(op_ids);
            same.text_ids.push(id);
        } else if op_ids.is_empty() && !is_asked {
            left.text_ids.push(id);
        } else {
            left.formers.push(Former { saved: Some(saved), mine, op_ids, text_ids: vec![id] });
        }
    }
    // A page that crashed within a moment has left no text.
    let rest = updates.iter().filter(|it| it.lineage != lineage && !claimed.contains(&it.id));
    let (ids, words): (Vec<_>, String) =
        rest.map(|update| (update.id.clone(), update.typed.as_str())).unzip();
    if words.trim().is_empty() {
        left.op_ids = ids;
    } else {
        left.formers.push(Former { saved: None, mine: words, op_ids: ids, text_ids: Vec::new() });
    }
    left
}

impl Former {
    fn decide(&self, theirs: &str) -> Rebased {
        self.saved.as_ref().map_or(Rebased::Missing, |saved| rebase(saved, &self.mine, theirs))
    }

    /// A document's text with everything that is left.
    fn added_to(&self, theirs: &str) -> String {
        match &self.saved {
            Some(saved) => add_back(saved, &self.mine, theirs),
            None if theirs.is_empty() => self.mine.clone(),
            None => format!("{}\n\n{}", theirs.trim_end_matches('\n'), self.mine),
        }
    }
}

impl Session {
    /// Restores edits from before a crash, a reload or a lost connection.
    pub(super) async fn take_over_kept(self: &Rc<Self>) {
        for _ in 0..MOST_TURNS {
            let (updates, texts) = self.kept.load().await;
            let lineage = self.engine.borrow().lineage().to_owned();
            self.restore(&updates, &lineage);
            let left = find_left(&updates, texts, &lineage);
            self.kept.drop_texts(&left.text_ids).await;
            self.kept.drop_all(left.op_ids).await;
            self.take_over_texts(left.here);
            self.former.borrow_mut().clear();
            let mut is_done = true;
            for former in left.formers {
                is_done &= self.take_over(former).await;
            }
            if is_done {
                break;
            }
        }
    }

    pub(super) fn restore(&self, updates: &[KeptUpdate], lineage: &str) {
        let known: BTreeSet<String> =
            self.engine.borrow().unsaved_ids().map(str::to_owned).collect();
        for it in updates.iter().filter(|it| it.lineage == lineage && !known.contains(&it.id)) {
            self.remember_base();
            // An update that does not apply to the document can never be sent.
            if self.doc.borrow_mut().apply(&it.update).is_ok() {
                let (id, update) = (it.id.clone(), it.update.clone());
                self.engine.borrow_mut().restored(clock::moment(), id, update);
            }
        }
    }

    /// Adds edits to the document if that loses nothing, or leaves them to the user. Returns whether
    /// they were still there.
    async fn take_over(&self, former: Former) -> bool {
        let theirs = self.doc.borrow().text();
        let made = match former.decide(&theirs) {
            Rebased::Complete => Some(Vec::new()),
            Rebased::Added(text) => self.prepare(&theirs, &text),
            Rebased::Missing => None,
        };
        if let Some(made) = made {
            match self.kept.replace(&former.op_ids, &former.text_ids, &made).await {
                Replaced::Done => {
                    let lineage = self.engine.borrow().lineage().to_owned();
                    self.restore(&made, &lineage);
                    return true;
                }
                Replaced::ByAnother => return false,
                Replaced::NotStored => {}
            }
        }
        self.former.borrow_mut().push(former);
        true
    }

    /// Makes updates that turn the document's text into another one, in a copy of the replica.
    fn prepare(&self, theirs: &str, text: &str) -> Option<Vec<KeptUpdate>> {
        let mut copy = self.doc.borrow().fork(clock::random_client_id()).ok()?;
        Some(make(&mut copy, self.engine.borrow().lineage(), theirs, text))
    }

    /// Shows what the user has to decide about what is left, if there is anything. A page whose user is
    /// gone stays covered.
    pub(super) fn offer_former(&self) {
        if !self.is_user_gone() {
            self.uncover();
        }
    }

    /// Shows the page, with what the user has to decide.
    pub(super) fn uncover(&self) {
        let words = self.former.borrow().first().map(|former| former.mine.clone());
        match words {
            Some(words) => self.show_trouble(Some(Trouble::Former(words))),
            None => self.show_trouble(None),
        }
    }

    /// The user has said what to do with words that the document lacks.
    pub(super) fn answer(self: &Rc<Self>, answer: Answer) {
        if self.backup.is_asked() {
            return self.rebase_with(Some(answer));
        }
        let first = self.former.borrow().first().cloned();
        let Some(former) = first else { return };
        let theirs = self.doc.borrow().text();
        if self.is_answering.replace(true) {
            return;
        }
        let session = Rc::clone(self);
        let lineage = self.engine.borrow().lineage().to_owned();
        spawn_local(async move {
            if let Some(made) = session.made_for(&former, &theirs, answer).await {
                session.replace_former(former, made, &lineage).await;
            }
            session.is_answering.set(false);
        });
    }

    /// The updates that do to the document what the user has decided; none if the server has done it, and
    /// `None` if it cannot be done now.
    async fn made_for(
        &self,
        former: &Former,
        theirs: &str,
        answer: Answer,
    ) -> Option<Vec<KeptUpdate>> {
        if answer == Answer::Discard {
            return Some(Vec::new());
        }
        let text = former.added_to(theirs);
        let is_too_long = text.len() > MAX_CONTENT_BYTES;
        let posted = match &former.saved {
            _ if is_too_long => Err(Failure::TooLong(String::new())),
            // Other devices may do the same at this moment.
            Some(saved) => self.post_lost_words(&former.mine, saved).await,
            None => return self.prepare(theirs, &text),
        };
        let problem = match posted {
            Ok(()) => return Some(Vec::new()),
            Err(Failure::TooLong(_)) => {
                self.view.too_long.update(|times| *times += 1);
                return None;
            }
            Err(Failure::Refused(reason) | Failure::Damaged(reason)) => reason,
            Err(Failure::SignedOut) => words::not_signed_in(),
            Err(Failure::Forbidden) => words::reason_forbidden(),
            Err(Failure::Trashed) => words::reason_trashed(),
            Err(Failure::Gone) => words::reason_gone(),
            Err(Failure::Lost | Failure::Later(_) | Failure::OtherLineage(_)) => {
                words::not_reachable()
            }
        };
        say(Message { notice: Notice::new(problem), is_problem: true, kind: None });
        None
    }

    /// Replaces what is left of a page on this device by updates, which are sent.
    /// They were made in this lineage.
    async fn replace_former(self: &Rc<Self>, former: Former, made: Vec<KeptUpdate>, lineage: &str) {
        if self.engine.borrow().lineage() != lineage {
            // Restored once more meanwhile.
            self.take_over_kept().await;
            return self.offer_former();
        }
        let replaced = self.kept.replace(&former.op_ids, &former.text_ids, &made).await;
        if self.engine.borrow().lineage() != lineage {
            // Restored once more meanwhile: what was stored is of a former lineage again.
            self.take_over_kept().await;
            return self.offer_former();
        }
        if replaced != Replaced::ByAnother {
            for update in made {
                self.adopt_update(update, replaced == Replaced::Done);
            }
        }
        self.former.borrow_mut().retain(|it| *it != former);
        self.offer_former();
    }

    /// Takes over an update that was made in a copy of the replica.
    fn adopt_update(self: &Rc<Self>, made: KeptUpdate, is_stored: bool) {
        self.remember_base();
        if !self.merge(&made.update) {
            return;
        }
        if !is_stored {
            return self.keep(made.update, made.typed);
        }
        let KeptUpdate { id, update, .. } = made;
        self.drive(|engine: &mut SyncEngine, at, out| engine.edited(at, id.clone(), update, out));
        self.engine.borrow_mut().stored(&id);
        self.tell();
    }
}

/// Makes updates in a replica with the text `theirs` that turn it into another one.
pub(super) fn make(doc: &mut TextDoc, lineage: &str, theirs: &str, text: &str) -> Vec<KeptUpdate> {
    make_updates(doc, lineage, changes_between(theirs, text))
}

/// Makes changes in a replica.
pub(super) fn make_updates(
    doc: &mut TextDoc,
    lineage: &str,
    changes: Vec<Change>,
) -> Vec<KeptUpdate> {
    let edits = split_long_inserts(changes).into_iter().filter(|edit| !edit.is_empty());
    let made = edits.map(|edit| KeptUpdate {
        id: clock::random_id(),
        update: doc.edit(&edit),
        lineage: lineage.to_owned(),
        typed: typed_in(&edit),
    });
    made.collect()
}

/// What an edit inserts.
pub(super) fn typed_in(edit: &[Change]) -> String {
    edit.iter().map(|change| change.insert.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(id: &str, lineage: &str, typed: &str) -> KeptUpdate {
        let (id, lineage, typed) = (id.to_owned(), lineage.to_owned(), typed.to_owned());
        KeptUpdate { id, update: Vec::new(), lineage, typed }
    }

    fn text(id: &str, lineage: &str, mine: &str, op_ids: &[&str]) -> KeptText {
        KeptText {
            id: id.to_owned(),
            lineage: lineage.to_owned(),
            saved: "base".to_owned(),
            mine: mine.to_owned(),
            op_ids: op_ids.iter().map(ToString::to_string).collect(),
            is_asked: false,
        }
    }

    fn former(saved: Option<&str>, mine: &str, op_ids: &[&str], text_ids: &[&str]) -> Former {
        let owned = |ids: &[&str]| ids.iter().map(ToString::to_string).collect();
        let (op_ids, text_ids) = (owned(op_ids), owned(text_ids));
        Former { saved: saved.map(str::to_owned), mine: mine.to_owned(), op_ids, text_ids }
    }

    #[test]
    fn two_pages_with_the_same_edits_count_once() {
        let updates = [update("1", "old", "x"), update("2", "old", "y"), update("3", "new", "z")];
        let texts = vec![
            text("reloaded", "old", "base x", &["1"]),
            text("first", "old", "base xy", &["1", "2"]),
            text("copy", "old", "base xy", &["1", "2"]),
        ];
        let left = find_left(&updates, texts, "new");
        let both = former(Some("base"), "base xy", &["1", "2"], &["first", "copy"]);
        assert_eq!(left.formers, [both]);
        assert_eq!((left.op_ids, left.text_ids), (vec![], vec!["reloaded".to_owned()]));
    }

    #[test]
    fn a_text_without_edits_goes_unless_the_user_was_asked() {
        let mut asked = text("asked", "old", "base saved", &[]);
        asked.is_asked = true;
        let texts = vec![text("saved", "old", "base x", &["1"]), asked];
        let left = find_left(&[], texts, "new");
        assert_eq!(left.formers, [former(Some("base"), "base saved", &[], &["asked"])]);
        assert_eq!(left.text_ids, ["saved"]);
    }

    #[test]
    fn a_text_of_this_lineage_stays_while_its_edits_wait() {
        let texts = vec![text("tab", "new", "base x", &["1"]), text("gone", "new", "base", &["2"])];
        let left = find_left(&[update("1", "new", "x")], texts, "new");
        let (text_ids, here) = (vec!["gone".to_owned()], vec!["tab".to_owned()]);
        assert_eq!(left, Left { text_ids, here, ..Left::default() });
    }

    #[test]
    fn words_without_a_text_are_not_lost() {
        let updates =
            [update("1", "old", "some "), update("2", "old", ""), update("3", "old", "words")];
        let left = find_left(&updates, Vec::new(), "new");
        let words = former(None, "some words", &["1", "2", "3"], &[]);
        assert_eq!(words.decide("base"), Rebased::Missing);
        assert_eq!(words.added_to("base\n"), "base\n\nsome words");
        assert_eq!(left.formers, [words]);
        let left = find_left(&updates[1..2], Vec::new(), "new");
        assert_eq!((left.formers, left.op_ids), (vec![], vec!["2".to_owned()]));
    }
}
