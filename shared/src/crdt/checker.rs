//! The checker: decides what of an update can be integrated now, what has to wait, and what no
//! client that follows the protocol can have made, before yrs sees it.
//!
//! It knows the order of a document's items ([`Order`]) and the updates that wait for others
//! ([`Pending`]), and nothing of what the items say. It is pure: the same state and update give the
//! same answer everywhere.

use super::{
    InvalidUpdate, Order, Refusal, Validation,
    cut::tidied,
    divide::{Division, divide},
    order::Cost,
    pending::Pending,
    walk::walk,
};
use std::borrow::Cow;

/// What is known of a document for judging updates.
#[derive(Debug, Clone, Default)]
pub(super) struct Checker {
    order: Order,
    pending: Pending,
    has_formats: bool,
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
    /// Takes an update in: its items get their places, and what has to wait is kept under `tag`.
    ///
    /// # Errors
    /// Why the document cannot take it; nothing has changed.
    pub(super) fn admit<'a>(
        &mut self,
        tag: u64,
        update: &'a [u8],
        validation: Validation,
    ) -> Result<Admitted<'a>, InvalidUpdate> {
        let Divided { ready, rest, clients, has_formats } = self.divide(update)?;
        let cost = self.order.take(&ready, validation)?;
        self.has_formats |= has_formats;
        let is_pending = rest.is_some();
        if let Some((rest, needs)) = rest {
            self.pending.hold(tag, rest, needs);
        }
        clients.into_iter().for_each(|client| self.pending.moved(client));
        Ok(Admitted { update: ready, cost, is_pending })
    }

    /// Whether [`Self::admit`] would take an update from an untrusted sender, and whether part of it
    /// would wait.
    ///
    /// # Errors
    /// As there.
    pub(super) fn check(&mut self, update: &[u8]) -> Result<bool, InvalidUpdate> {
        let Divided { ready, rest, .. } = self.divide(update)?;
        self.order.would_take(&ready, Validation::Untrusted)?;
        Ok(rest.is_some())
    }

    /// An update that no longer waits, with its tag. It must be admitted now, or is lost.
    pub(super) fn next_released(&mut self) -> Option<(u64, Vec<u8>)> {
        let order = &self.order;
        self.pending.take_met(|client| order.end_of(client))
    }

    pub(super) const fn order(&self) -> &Order {
        &self.order
    }

    pub(super) const fn pending(&self) -> &Pending {
        &self.pending
    }

    /// Whether any update held a format.
    pub(super) const fn has_formats(&self) -> bool {
        self.has_formats
    }

    fn divide<'a>(&self, update: &'a [u8]) -> Result<Divided<'a>, Refusal> {
        let walked = walk(update)?;
        let has_formats = walked.has_formats;
        let update = tidied(update, &walked);
        let walked = match &update {
            Cow::Borrowed(_) => walked,
            Cow::Owned(tidy) => walk(tidy)?,
        };
        let clients = walked.sections.iter().map(|section| section.client).collect();
        let (ready, rest) = match divide(&update, &walked, |client| self.order.end_of(client)) {
            Division::Ready => (update, None),
            Division::Divided { ready, rest, needs } => (Cow::Owned(ready), Some((rest, needs))),
        };
        Ok(Divided { ready, rest, clients, has_formats })
    }
}

/// An update, divided.
struct Divided<'a> {
    ready: Cow<'a, [u8]>,
    /// What has to wait, and for what.
    rest: Option<(Vec<u8>, Vec<super::walk::Need>)>,
    /// The clients whose structs it brings.
    clients: Vec<u64>,
    has_formats: bool,
}

/// A copy of a document's checker, for judging several updates that are written together: each is
/// checked against the document and those before it.
#[derive(Debug, Clone)]
pub struct Trial(Checker);

impl Trial {
    pub(super) fn new(checker: &Checker) -> Self {
        Self(checker.clone())
    }

    /// Takes an update in, and those that waited for it; returns whether part of it waits.
    ///
    /// # Errors
    /// Why the document cannot take it; nothing has changed.
    pub fn admit(&mut self, update: &[u8]) -> Result<bool, InvalidUpdate> {
        let is_pending = self.0.admit(0, update, Validation::Untrusted)?.is_pending;
        while let Some((tag, released)) = self.0.next_released() {
            // One that turns out to be invalid is quarantined when the document releases it.
            let _ = self.0.admit(tag, &released, Validation::Replayed);
        }
        Ok(is_pending)
    }
}
