//! The CRDT document that the server builds from the log, with panics contained.

use izanagi_shared::{
    crdt::{ApplyError, Checker, Integrated, InvalidUpdate, Rejected, TextDoc, Validation},
    text::delta::TextDelta,
};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Contains a panic of yrs or of the checker. The document must be discarded after a panic.
fn contained<T>(work: impl FnOnce() -> Result<T, ApplyError>) -> Result<T, ApplyError> {
    let panicked = |_| Err(ApplyError::Broken("applying it panicked".to_owned()));
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(panicked)
}

/// A [`TextDoc`] that never panics. After [`ApplyError::Broken`] from any method, discard it.
pub(crate) struct Lineage(
    TextDoc,
    /// Makes checks panic, for tests.
    #[cfg(test)]
    pub(super) bool,
);

impl Lineage {
    const fn of(doc: TextDoc) -> Self {
        Self(
            doc,
            #[cfg(test)]
            false,
        )
    }

    /// Loads a snapshot.
    ///
    /// # Errors
    /// The state cannot be loaded.
    pub(crate) fn load(client_id: u64, state: &[u8]) -> Result<Self, ApplyError> {
        contained(|| TextDoc::load(client_id, state).map(Self::of))
    }

    /// Returns a copy for a trial.
    ///
    /// # Errors
    /// yrs cannot read its own state, which would be a bug.
    pub(crate) fn fork(&self) -> Result<Self, ApplyError> {
        contained(|| self.0.fork(1).map(Self::of))
    }

    /// Returns a copy for a trial without the pending updates.
    ///
    /// # Errors
    /// As [`Self::fork`].
    pub(crate) fn fork_without_pending(&self) -> Result<Self, ApplyError> {
        contained(|| self.0.fork_without_pending(1).map(Self::of))
    }

    /// Checks an update from an untrusted sender against this document, or against `batch`: a copy of
    /// its checker that has admitted earlier updates. Returns whether part of it would be pending.
    ///
    /// # Errors
    /// Those of [`TextDoc::check`] and [`Checker::admit_next`].
    pub(crate) fn check(
        &mut self,
        delta: &[u8],
        batch: Option<&mut Checker>,
    ) -> Result<bool, ApplyError> {
        contained(|| {
            let is_pending = match batch {
                Some(batch) => batch.admit_next(delta)?,
                None => self.0.check(delta)?,
            };
            #[cfg(test)]
            assert!(!self.1, "a bug in the checker");
            Ok(is_pending)
        })
    }

    /// Applies the update with this seq, and the pending updates it releases.
    ///
    /// # Errors
    /// The rejected update, which may be an earlier one that this update released. Discard the
    /// lineage.
    pub(crate) fn apply(
        &mut self,
        seq: u64,
        delta: &[u8],
        validation: Validation,
    ) -> Result<(), Rejected> {
        let broken = |cause| Rejected { tag: seq, cause };
        let applied = contained(|| Ok(self.0.apply_checked(seq, delta, validation)));
        applied.map_err(broken)?
    }

    /// As [`Self::apply`]; returns what has changed.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn apply_and_encode(
        &mut self,
        seq: u64,
        delta: &[u8],
        validation: Validation,
    ) -> Result<Integrated, Rejected> {
        let broken = |cause| Rejected { tag: seq, cause };
        let applied = contained(|| Ok(self.0.apply_and_encode(seq, delta, validation)));
        applied.map_err(broken)?
    }

    /// Applies the pending updates released by an edit made here; returns what they have changed.
    ///
    /// # Errors
    /// As [`Self::apply`].
    pub(crate) fn apply_released(&mut self, seq: u64) -> Result<Integrated, Rejected> {
        let released = contained(|| Ok(self.0.apply_released()));
        released.map_err(|cause| Rejected { tag: seq, cause })?
    }

    /// Makes an edit; returns the update.
    ///
    /// # Errors
    /// As [`TextDoc::edit_by`].
    pub(crate) fn edit_by(&mut self, text: &str, delta: &TextDelta) -> Result<Vec<u8>, ApplyError> {
        contained(|| Ok(self.0.edit_by(text, delta)?))
    }

    /// Whether this state reproduces the document.
    pub(crate) fn reads_back(&self, state: &[u8]) -> bool {
        contained(|| Ok(self.0.reads_back(state))).unwrap_or(false)
    }

    /// The document, for reading.
    pub(crate) const fn doc(&self) -> &TextDoc {
        &self.0
    }
}

/// Returns why the update is invalid, if the cause may be shown to its sender.
pub(crate) const fn invalid(rejected: &Rejected) -> Option<InvalidUpdate> {
    match rejected.cause {
        ApplyError::Invalid(cause) => Some(cause),
        ApplyError::Broken(_) => None,
    }
}

#[cfg(test)]
mod tests;
