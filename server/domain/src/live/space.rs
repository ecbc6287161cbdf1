//! How much room a document has left: for its text, its items, and its encoded state.

use super::{
    command::EditKind,
    lineage::{Lineage, invalid},
    replica::Replica,
    waiting::Size,
};
use crate::{
    budget::BudgetSettings,
    error::{Error, Result},
};
use izanagi_shared::{
    crdt::{ClientRange, UpdateSummary, Validation},
    rules::MAX_CONTENT_BYTES,
    text::delta::TextDelta,
};

/// Whether an update fits into a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// It fits, with what it releases.
    Whole,
    /// It fits, but not together with the waiting updates that it would release.
    WithoutWaiting,
    /// It does not fit.
    No,
}

/// What updates that are written together may add to a document.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Claim {
    /// Their own size.
    own: Size,
    /// The waiting updates that they release, which are the same for all of them.
    released: Size,
}

impl Claim {
    /// Adds an update, and what it releases.
    pub(super) fn and(self, own: Size, released: Size) -> Self {
        Self { own: self.own.plus(own), released: self.released.max(released) }
    }
}

impl Replica {
    /// Checks an update against the document's budgets. Pure deletions may exceed them by a
    /// quarter, so that a full document can still be emptied.
    pub(super) fn check_size(&mut self, delta: &[u8], summary: &UpdateSummary) -> Result<()> {
        let BudgetSettings { document_items, document_bytes, .. } = self.limits;
        let allowed = |limit: usize| if summary.items == 0 { limit + limit / 4 } else { limit };
        let items = self.lineage.doc().items() + summary.items + summary.deletes.len();
        if items > allowed(document_items) {
            return Err(Error::TooLarge(format!(
                "This document has reached the limit of {document_items} separate edits. \
                 Duplicate it and continue in the copy."
            )));
        }
        if self.state_bytes + delta.len() > allowed(document_bytes) {
            self.state_bytes = self.lineage.doc().encode().len();
        }
        if self.state_bytes + delta.len() > allowed(document_bytes) {
            return Err(Error::TooLarge(format!(
                "The editing state of this document has reached the limit of {document_bytes} \
                 bytes. Duplicate it and continue in the copy."
            )));
        }
        Ok(())
    }

    /// Returns the edit, or, if it would exceed the item limit, a single replacement from its first
    /// change to its last.
    pub(super) fn within_items(&self, text: &str, delta: TextDelta) -> TextDelta {
        // Each change splits an item and may insert another.
        let items = self.lineage.doc().items() + 3 * delta.edits().count();
        if items <= self.limits.document_items { delta } else { delta.as_one(text) }
    }

    /// What waiting updates may add to the document when an update with this summary is applied.
    pub(super) fn released_by(&self, summary: &UpdateSummary) -> Size {
        let releases = self.lineage.doc().would_release(summary);
        if releases { self.waiting.total() } else { Size::default() }
    }

    /// Whether a server edit may release more than the document has room for. Nobody but the server
    /// writes under its client id, but others may claim to build on it.
    pub(super) fn edit_may_overflow(&self, kind: &EditKind) -> bool {
        let client = self.lineage.doc().client_id();
        let own = ClientRange { client, start: 0, end: u32::MAX };
        let waiting = self.released_by(&UpdateSummary { structs: vec![own], ..Default::default() });
        if waiting == Size::default() {
            // An edit that is too long by itself is refused elsewhere.
            return false;
        }
        let current = self.bytes_at_most.min(MAX_CONTENT_BYTES);
        let text = kind.text_at_most(current).min(MAX_CONTENT_BYTES);
        let claim = Claim::default().and(Size::default(), waiting);
        text.saturating_add(waiting.text) > MAX_CONTENT_BYTES || !self.has_items_for(claim)
    }

    /// Items matter only if some are released: those of an update itself are checked before.
    fn has_items_for(&self, Claim { own, released }: Claim) -> bool {
        let items = self.lineage.doc().items() + own.items + released.items;
        released.items == 0 || items <= self.limits.document_items
    }

    /// Whether the document certainly has room for these updates, and for the waiting ones that they
    /// release. Counts only if necessary.
    pub(super) fn has_room_for(&mut self, claim: Claim) -> bool {
        let text = claim.own.text.saturating_add(claim.released.text);
        if !self.is_counted && self.bytes_at_most.saturating_add(text) > MAX_CONTENT_BYTES {
            self.bytes_at_most = self.lineage.doc().text().len();
            self.is_counted = true;
        }
        self.bytes_at_most.saturating_add(text) <= MAX_CONTENT_BYTES && self.has_items_for(claim)
    }

    /// Whether the document has room for an update after applying its own deletions. Tries it on a
    /// copy.
    pub(super) fn fit(&self, delta: &[u8], summary: &UpdateSummary) -> Result<Fit> {
        let whole = self.lineage.fork().map_err(Error::internal)?;
        if self.fits(whole, delta, summary)? {
            return Ok(Fit::Whole);
        }
        if !self.lineage.doc().would_release(summary) {
            return Ok(Fit::No);
        }
        let alone = self.lineage.fork_without_pending().map_err(Error::internal)?;
        let fits = self.fits(alone, delta, summary)?;
        Ok(if fits { Fit::WithoutWaiting } else { Fit::No })
    }

    fn fits(&self, mut copy: Lineage, delta: &[u8], summary: &UpdateSummary) -> Result<bool> {
        const TAG: u64 = 0;
        if let Err(rejected) = copy.apply(TAG, delta, Validation::Untrusted) {
            return match invalid(&rejected).filter(|_| rejected.tag == TAG) {
                Some(cause) => Err(Error::BadUpdate(cause.to_string())),
                // Only the copy is lost; whether the update is applicable is decided elsewhere.
                None => Ok(false),
            };
        }
        // An update that waits must fit, too, when its time comes.
        let is_whole = summary.structs_are_within(|client| copy.doc().clock_of(client));
        let waiting = if is_whole { 0 } else { summary.inserted_bytes };
        // Whether the update itself has too many items was checked before.
        let items = (self.lineage.doc().items() + summary.items + summary.deletes.len())
            .max(self.limits.document_items);
        Ok(copy.doc().text().len().saturating_add(waiting) <= MAX_CONTENT_BYTES
            && copy.doc().items() <= items)
    }
}
