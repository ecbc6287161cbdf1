//! The checker: takes a document's state and an update, and returns which part of it can be
//! integrated now and which is pending, or why no client that follows the protocol can have made it.
//! yrs only gets what is admitted.
//!
//! The state is the order of the items ([`Order`]) and the pending updates ([`Pending`]), without the
//! text. The checker is pure: the same state and update give the same answer everywhere.

use super::{
    ClientRange, InvalidUpdate, Order, UpdateSummary, Validation, claims::Claims, encode::encode,
    order::Cost, parse::parse, pending::Pending,
};
use std::{borrow::Cow, sync::Arc};

/// What the checks of a document need to know.
#[derive(Debug, Clone, Default)]
pub struct Checker {
    pub(super) order: Order,
    pub(super) pending: Pending,
    /// What the pending updates bring.
    pub(super) claims: Claims,
    /// Whether any update held a format.
    pub(super) has_formats: bool,
}

/// The part of an update that can be integrated now.
#[derive(Debug)]
pub(super) struct Admitted<'a> {
    /// An update that can be integrated completely.
    pub(super) update: Cow<'a, [u8]>,
    pub(super) cost: Cost,
    /// Whether the rest is pending.
    pub(super) is_pending: bool,
}

impl Checker {
    /// Admits an update: places its items, and keeps under `tag` the part that is pending.
    ///
    /// # Errors
    /// Why the update is invalid; nothing has changed.
    pub(super) fn admit<'a>(
        &mut self,
        tag: u64,
        update: &'a [u8],
        validation: Validation,
    ) -> Result<Admitted<'a>, InvalidUpdate> {
        let parsed = parse(update)?;
        if validation == Validation::Untrusted {
            self.claims.check(&parsed.structs, |client| self.order.end_of(client))?;
        }
        let taken = self.order.take(&parsed, validation)?;
        self.has_formats |= parsed.has_formats;
        let (ready, is_pending, cost) = (taken.ready(), taken.is_pending(), taken.cost);
        if is_pending {
            let rest = taken.rest();
            self.claims.add(rest.iter().copied(), |client| self.order.end_of(client));
            self.pending.hold(tag, encode(&rest, &taken.later_deletes), taken.needs.clone());
        }
        for client in taken.clients() {
            self.pending.moved(client);
            self.claims.reached(client, self.order.end_of(client));
        }
        // Without the structs that are there already: yrs would wait for their neighbours.
        let is_whole = ready.len() == parsed.structs.len() && !is_pending;
        let update = match is_whole && parsed.is_tidy() {
            true => Cow::Borrowed(update),
            false => Cow::Owned(encode(&ready, &taken.deletes)),
        };
        Ok(Admitted { update, cost, is_pending })
    }

    /// Returns whether part of an update from an untrusted sender would be pending. Nothing changes.
    ///
    /// # Errors
    /// Why [`Self::admit`] would not admit it.
    pub(super) fn check(&mut self, update: &[u8]) -> Result<bool, InvalidUpdate> {
        let parsed = parse(update)?;
        self.claims.check(&parsed.structs, |client| self.order.end_of(client))?;
        self.order.would_take(&parsed)
    }

    /// Admits an update to a copy of a document's checker, and the pending ones that it releases. With
    /// such a copy, updates that are written together are checked against the document and against
    /// those before them. Returns whether part of the update is pending.
    ///
    /// # Errors
    /// Why the update is invalid; nothing has changed.
    pub fn admit_next(&mut self, update: &[u8]) -> Result<bool, InvalidUpdate> {
        let is_pending = self.admit(0, update, Validation::Untrusted)?.is_pending;
        while let Some((tag, released)) = self.next_released() {
            // One that turns out to be invalid is quarantined when the document releases it.
            let _ = self.admit(tag, &released, Validation::Replayed);
        }
        Ok(is_pending)
    }

    /// Forgets the pending updates.
    pub(super) fn forget_pending(&mut self) {
        (self.pending, self.claims) = (Pending::default(), Claims::default());
    }

    /// Removes and returns a pending update that can be tried again, with its tag.
    pub(super) fn next_released(&mut self) -> Option<(u64, Arc<[u8]>)> {
        let order = &self.order;
        self.pending.take_met(|client| order.end_of(client))
    }

    /// Whether pending updates would be tried again after an update with this summary.
    pub(super) fn releases(&self, summary: &UpdateSummary) -> bool {
        summary.structs.iter().any(|range| self.pending.waits_for(range.client, range.end))
    }

    /// Returns the part of an update that is integrated, as an update; nothing in it is pending.
    pub(super) fn integrated_part(&self, update: &[u8]) -> Result<Vec<u8>, InvalidUpdate> {
        let parsed = parse(update)?;
        let end_of = |client| self.order.end_of(client);
        let structs: Vec<_> =
            parsed.structs.iter().filter(|item| item.end() <= end_of(item.client)).collect();
        let deleted = parsed.deletes.iter().map(|range| {
            let end = end_of(range.client).clamp(range.start, range.end);
            ClientRange { end, ..*range }
        });
        let deletes: Vec<_> = deleted.filter(|range| range.start < range.end).collect();
        Ok(encode(&structs, &deletes))
    }
}
