//! One document's text as a CRDT.

mod apply;
mod edit;
#[cfg(test)]
mod integrated_tests;
#[cfg(test)]
mod pending_tests;
mod place;
#[cfg(test)]
mod tests;

pub use apply::Integrated;

use super::{
    Change, Checker, ClientRange, InvalidUpdate, ROOT, UpdateSummary,
    change::{self, changes_of},
    vector::is_state_vector,
};
use crate::text::utf16::utf16_len;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};
use yrs::{
    ClientID, Doc, GetString, Observable, OffsetKind, Options, ReadTxn, StateVector, TextRef,
    Transact, TransactionMut, Update,
    updates::{decoder::Decode as _, encoder::Encode as _},
};

/// Client ids are drawn from `1..=MAX_CLIENT_ID`: 32 bits, as Yjs draws its own.
pub const MAX_CLIENT_ID: u64 = u32::MAX as u64;

/// Why an update was not applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// The update is invalid; nothing has changed.
    #[error(transparent)]
    Invalid(#[from] InvalidUpdate),
    /// yrs failed; the replica must be thrown away. For the log.
    #[error("{0}")]
    Broken(String),
}

impl ApplyError {
    fn broken(cause: impl std::fmt::Display) -> Self {
        Self::Broken(cause.to_string())
    }
}

/// An update that was not applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The tag of the update. It may be an earlier one that this update released.
    pub tag: u64,
    /// Why.
    pub cause: ApplyError,
}

/// A replica of a document's text, and what it knows about the order of its items.
pub struct TextDoc {
    doc: Doc,
    text: TextRef,
    checker: Checker,
}

impl std::fmt::Debug for TextDoc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TextDoc").field("client", &self.client_id()).finish_non_exhaustive()
    }
}

impl TextDoc {
    /// An empty replica. `client_id` must be one that no other replica of this document uses,
    /// in `1..=MAX_CLIENT_ID`: draw it at random for every load.
    #[must_use]
    pub fn new(client_id: u64) -> Self {
        let (doc, text) = empty(client_id);
        Self { doc, text, checker: Checker::default() }
    }

    /// A new lineage that begins with `text`, and the update that made it.
    #[must_use]
    pub fn from_text(client_id: u64, text: &str) -> (Self, Vec<u8>) {
        let mut doc = Self::new(client_id);
        let update = doc.replace_with(text).unwrap_or_else(|| doc.encode());
        (doc, update)
    }

    /// A replica of an encoded state.
    ///
    /// # Errors
    /// The bytes are no state.
    pub fn load(client_id: u64, state: &[u8]) -> Result<Self, ApplyError> {
        let mut doc = Self::new(client_id);
        doc.apply(state)?;
        Ok(doc)
    }

    /// A copy under another client id, with the updates that wait.
    ///
    /// # Errors
    /// yrs does not read its own state; that would be a bug.
    pub fn fork(&self, client_id: u64) -> Result<Self, ApplyError> {
        let (doc, text) = empty(client_id);
        integrate(&mut doc.transact_mut(), &self.encode())?;
        Ok(Self { doc, text, checker: self.checker.clone() })
    }

    /// The client id this replica writes under.
    #[must_use]
    pub fn client_id(&self) -> u64 {
        self.doc.client_id().get()
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> String {
        self.text.get_string(&self.doc.transact())
    }

    /// Checks whether [`Self::apply_checked`] would take an update from an untrusted sender; returns
    /// whether part of it would wait for others. After a panic the replica must be thrown away.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&mut self, update: &[u8]) -> Result<bool, InvalidUpdate> {
        self.checker.check(update)
    }

    /// What the checks of this replica know, for [`Checker::admit_next`].
    #[must_use]
    pub const fn checker(&self) -> &Checker {
        &self.checker
    }

    /// Like [`Self::apply`]; returns what the update changed in the text. For that yrs walks the
    /// whole text, so this is for replicas that show it.
    ///
    /// # Errors
    /// As there.
    pub fn apply_and_tell(&mut self, update: &[u8]) -> Result<Vec<Change>, ApplyError> {
        const OBSERVER: &str = "changes";
        let before = self.text();
        let changes = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&changes);
        self.text.observe(OBSERVER, move |txn, event| {
            let new = changes_of(event.delta(txn));
            sink.lock().unwrap_or_else(PoisonError::into_inner).push(new);
        });
        let result = self.apply(update);
        self.text.unobserve(OBSERVER);
        result?;
        let mut lists =
            std::mem::take(&mut *changes.lock().unwrap_or_else(PoisonError::into_inner));
        if lists.len() == 1 {
            return Ok(lists.remove(0));
        }
        // Nothing was seen, or several lists that count in different texts. That is rare, and a
        // comparison of the texts would be a large part of a browser's code.
        Ok(change::one_change(&before, &self.text()).into_iter().collect())
    }

    /// How many updates wait for others.
    #[must_use]
    pub fn pending_updates(&self) -> usize {
        self.checker.pending.len()
    }

    /// The bytes of the updates that wait for others.
    #[must_use]
    pub fn pending_bytes(&self) -> usize {
        self.checker.pending.bytes()
    }

    /// How many times updates that waited were tried again. If this is as before, nothing that
    /// waited has been integrated.
    #[must_use]
    pub const fn releases(&self) -> u64 {
        self.checker.pending.released()
    }

    /// Whether updates that wait would be tried again after an update with this summary.
    #[must_use]
    pub fn would_release(&self, summary: &UpdateSummary) -> bool {
        self.checker.releases(summary)
    }

    /// The part of an update that this replica has integrated, as an update. If the replica gives up
    /// the rest, this part replaces the update.
    ///
    /// # Errors
    /// The bytes are no update.
    pub fn integrated_part(&self, update: &[u8]) -> Result<Vec<u8>, InvalidUpdate> {
        self.checker.integrated_part(update)
    }

    /// A copy under another client id, without the updates that wait.
    ///
    /// # Errors
    /// As [`Self::fork`].
    pub fn fork_without_pending(&self, client_id: u64) -> Result<Self, ApplyError> {
        let mut copy = self.fork(client_id)?;
        copy.checker.forget_pending();
        Ok(copy)
    }

    /// How many items the document consists of, those that were made in one go counted once, and the
    /// clients that made them. An edit walks over as many.
    #[must_use]
    pub fn items(&self) -> usize {
        self.checker.order.items() + self.checker.order.clients()
    }

    /// How many items were passed by in search of places since the document was loaded, and while it was:
    /// how long it takes to integrate the same updates again.
    #[must_use]
    pub const fn steps(&self) -> u64 {
        self.checker.order.steps()
    }

    /// The items in the order of the text, deleted ones too, as ranges of clocks.
    #[must_use]
    pub fn items_in_order(&self) -> Vec<ClientRange> {
        self.checker.order.items_in_order()
    }

    /// How many second halves of surrogate pairs the checker remembers, deleted ones too.
    #[must_use]
    pub const fn second_halves(&self) -> usize {
        self.checker.order.second_halves()
    }

    /// The next clock of a client.
    #[must_use]
    pub fn clock_of(&self, client: u64) -> u32 {
        self.checker.order.end_of(client)
    }

    /// The state vector, encoded (v1): what this replica has.
    #[must_use]
    pub fn state_vector(&self) -> Vec<u8> {
        self.doc.transact().state_vector().encode_v1()
    }

    /// The state vector as a map from client id to its next clock.
    #[must_use]
    pub fn state_vector_map(&self) -> BTreeMap<u64, u32> {
        let state = self.doc.transact().state_vector();
        state.iter().map(|(client, clock)| (client.get(), *clock)).collect()
    }

    /// What a replica with this state vector (v1) lacks, as an update; deletions are always whole.
    ///
    /// # Errors
    /// The bytes are no state vector.
    pub fn missing_from(&self, state_vector: &[u8]) -> Result<Vec<u8>, ApplyError> {
        if !is_state_vector(state_vector) {
            return Err(ApplyError::broken("no state vector"));
        }
        let remote = StateVector::decode_v1(state_vector).map_err(ApplyError::broken)?;
        Ok(self.doc.transact().encode_state_as_update_v1(&remote))
    }

    /// The integrated state as an update. Updates that wait are not in it.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.doc.transact().encode_diff_v1(&StateVector::default())
    }

    /// Whether the text and the order of its items hold the same clocks and characters.
    #[must_use]
    pub fn is_consistent(&self) -> bool {
        let (order, clocks) = (&self.checker.order, self.state_vector_map());
        let is_same = |(client, clock): (&u64, &u32)| order.end_of(*client) == *clock;
        clocks.len() == order.clients()
            && clocks.iter().all(is_same)
            && order.units() == utf16_len(&self.text()) as u64
    }

    /// Whether a state gives this text and these clocks again when it is loaded.
    #[must_use]
    pub fn reads_back(&self, state: &[u8]) -> bool {
        Self::load(1, state).is_ok_and(|copy| {
            copy.text() == self.text() && copy.state_vector_map() == self.state_vector_map()
        })
    }
}

fn empty(client_id: u64) -> (Doc, TextRef) {
    let doc = Doc::with_options(Options {
        client_id: ClientID::new(client_id),
        offset_kind: OffsetKind::Utf16,
        ..Options::default()
    });
    let text = doc.get_or_insert_text(ROOT);
    (doc, text)
}

/// Integrates an update of which nothing has to wait.
fn integrate(txn: &mut TransactionMut<'_>, update: &[u8]) -> Result<(), ApplyError> {
    let update = Update::decode_v1(update).map_err(ApplyError::broken)?;
    txn.apply_update(update).map_err(ApplyError::broken)
}
