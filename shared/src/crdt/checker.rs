//! The checker: decides what of an update can be integrated now, what has to wait, and what no
//! client that follows the protocol can have made, before yrs sees it.
//!
//! It knows the order of a document's items ([`Order`]) and the pending updates ([`Pending`]), not
//! what the items say. It is pure: the same state and update give the same answer everywhere.

use super::{
    InvalidUpdate, Order, Validation, encode::encode, order::Cost, parse::parse, pending::Pending,
};
use std::borrow::Cow;

/// What is known of a document for judging updates.
#[derive(Debug, Clone, Default)]
pub struct Checker {
    pub(super) order: Order,
    pub(super) pending: Pending,
    /// Whether any update held a format.
    pub(super) has_formats: bool,
}

/// The part of an update that can be integrated now.
#[derive(Debug)]
pub(super) struct Admitted<'a> {
    /// An update of which nothing has to wait.
    pub(super) update: Cow<'a, [u8]>,
    pub(super) cost: Cost,
    /// Whether the rest of it waits.
    pub(super) is_pending: bool,
}

impl Checker {
    /// Admits an update: its items get their places, and what has to wait is kept under `tag`.
    ///
    /// # Errors
    /// Why the document cannot take it; nothing has changed.
    pub(super) fn admit<'a>(
        &mut self,
        tag: u64,
        update: &'a [u8],
        validation: Validation,
    ) -> Result<Admitted<'a>, InvalidUpdate> {
        let parsed = parse(update)?;
        let taken = self.order.take(&parsed, validation)?;
        self.has_formats |= parsed.has_formats;
        let (ready, is_pending, cost) = (taken.ready(), taken.is_pending(), taken.cost);
        if is_pending {
            self.pending.hold(
                tag,
                encode(&taken.rest(), &taken.later_deletes),
                taken.needs.clone(),
            );
        }
        taken.clients().for_each(|client| self.pending.moved(client));
        // yrs would ask what is there already what it builds on.
        let is_whole = ready.len() == parsed.structs.len() && !is_pending;
        let update = match is_whole && parsed.is_tidy() {
            true => Cow::Borrowed(update),
            false => Cow::Owned(encode(&ready, &taken.deletes)),
        };
        Ok(Admitted { update, cost, is_pending })
    }

    /// Returns whether part of an update from an untrusted sender would have to wait. Nothing changes.
    ///
    /// # Errors
    /// Why [`Self::admit`] would not admit it.
    pub(super) fn check(&mut self, update: &[u8]) -> Result<bool, InvalidUpdate> {
        self.order.would_take(&parse(update)?)
    }

    /// Admits an update to a copy of a document's checker, and the pending ones that it releases: for
    /// checking several updates that are written together, each against the document and those before
    /// it. Returns whether part of it has to wait.
    ///
    /// # Errors
    /// Why the document cannot take it; nothing has changed.
    pub fn admit_next(&mut self, update: &[u8]) -> Result<bool, InvalidUpdate> {
        let is_pending = self.admit(0, update, Validation::Untrusted)?.is_pending;
        while let Some((tag, released)) = self.next_released() {
            // One that turns out to be invalid is quarantined when the document releases it.
            let _ = self.admit(tag, &released, Validation::Replayed);
        }
        Ok(is_pending)
    }

    /// Removes and returns a pending update that can be tried again, with its tag.
    pub(super) fn next_released(&mut self) -> Option<(u64, Vec<u8>)> {
        let order = &self.order;
        self.pending.take_met(|client| order.end_of(client))
    }
}
