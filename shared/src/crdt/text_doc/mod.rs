//! One document's text as a CRDT.

#[cfg(test)]
mod tests;

use super::{
    Change, ROOT,
    change::changes_of,
    cut::{cut_evenly, cut_for, without_deletes},
    held::{Held, apply, clocks},
    vector::is_state_vector,
};
use crate::text::{delta::TextDelta, utf16::utf16_len};
use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};
use yrs::{
    ClientID, Doc, GetString, In, Observable, OffsetKind, Options, ReadTxn, StateVector, Text,
    TextRef, Transact,
    types::Delta,
    updates::{decoder::Decode as _, encoder::Encode as _},
};

/// Client ids are drawn from `1..=MAX_CLIENT_ID`: 32 bits, as Yjs draws its own.
pub const MAX_CLIENT_ID: u64 = u32::MAX as u64;

/// UTF-16 units that an edit may make yrs move before the text is cut beforehand: as many take it a
/// quarter of a second.
const MOST_MOVED: u64 = 5_000_000_000;

/// Bytes that are not a Yjs update or state vector, or that the document cannot take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a Yjs update for this document: {0}")]
pub struct CrdtError(String);

impl CrdtError {
    pub(super) fn new(cause: &impl std::fmt::Display) -> Self {
        Self(cause.to_string())
    }
}

/// A replica of a document's text.
pub struct TextDoc {
    doc: Doc,
    text: TextRef,
    held: Held,
}

impl std::fmt::Debug for TextDoc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TextDoc").field("client", &self.doc.client_id()).finish_non_exhaustive()
    }
}

impl TextDoc {
    /// An empty replica. `client_id` must be one that no other replica of this document uses,
    /// in `1..=MAX_CLIENT_ID`: draw it at random for every load.
    #[must_use]
    pub fn new(client_id: u64) -> Self {
        let doc = Doc::with_options(Options {
            client_id: ClientID::new(client_id),
            offset_kind: OffsetKind::Utf16,
            ..Options::default()
        });
        let text = doc.get_or_insert_text(ROOT);
        Self { doc, text, held: Held::default() }
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
    /// The state is not one.
    pub fn load(client_id: u64, state: &[u8]) -> Result<Self, CrdtError> {
        let mut doc = Self::new(client_id);
        // A state that a replica encoded lacks nothing.
        doc.integrate(state)?;
        doc.held.note(state);
        Ok(doc)
    }

    /// A copy, with what waits.
    ///
    /// # Errors
    /// yrs does not read its own state; that would be a bug.
    pub fn fork(&self, client_id: u64) -> Result<Self, CrdtError> {
        let mut copy = Self::load(client_id, &self.encode())?;
        copy.held = self.held.clone();
        Ok(copy)
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

    /// Takes an update in. What builds on something that is not there yet waits for it.
    ///
    /// # Errors
    /// The bytes are not an update that the gate lets through; the text is as before. Or yrs
    /// refuses it: then the replica must be thrown away.
    pub fn apply(&mut self, update: &[u8]) -> Result<(), CrdtError> {
        let mut txn = self.doc.transact_mut();
        let result = self.held.integrate(&mut txn, update);
        txn.commit();
        result
    }

    /// What of an update builds on nothing that is not there: an update for [`Self::integrate`]. The
    /// rest waits and is to be had of [`Self::next_held`] under this tag. `clock_of` gives the next
    /// clock of each client in this document, [`Self::clocks`] or the like.
    ///
    /// # Errors
    /// The bytes are not an update that the gate lets through; nothing has changed.
    pub fn hold_back<'a>(
        &mut self,
        clock_of: impl Fn(u64) -> u32,
        tag: u64,
        update: &'a [u8],
    ) -> Result<Cow<'a, [u8]>, CrdtError> {
        self.held.hold_back(clock_of, tag, update)
    }

    /// Integrates an update of which nothing has to wait.
    ///
    /// # Errors
    /// yrs refuses it; the replica must be thrown away.
    pub fn integrate(&mut self, ready: &[u8]) -> Result<(), CrdtError> {
        let mut txn = self.doc.transact_mut();
        let result = apply(&mut txn, ready);
        txn.commit();
        result
    }

    /// Like [`Self::integrate`], for an update that cuts long texts in many places: makes the
    /// document anew from its state, cut beforehand. Takes time by the length of the document,
    /// however many the cuts.
    ///
    /// # Errors
    /// As there; the replica is as before.
    pub fn integrate_cut(&mut self, ready: &[u8]) -> Result<(), CrdtError> {
        let state = cut_for(&self.encode(), ready).ok_or_else(|| CrdtError::new(&"no update"))?;
        let fresh = Self::new(self.client_id());
        let mut txn = fresh.doc.transact_mut();
        // In one transaction, at whose end yrs joins what can be.
        apply(&mut txn, &state)?;
        apply(&mut txn, ready)?;
        txn.commit();
        drop(txn);
        (self.doc, self.text) = (fresh.doc, fresh.text);
        Ok(())
    }

    /// An update that waits no longer, with its tag; it is to be applied now, or is lost.
    pub fn next_held(&mut self, clock_of: impl Fn(u64) -> u32) -> Option<(u64, Vec<u8>)> {
        self.held.take_met(clock_of)
    }

    /// How many updates wait, and their bytes.
    #[must_use]
    pub fn held(&self) -> (usize, usize) {
        self.held.size()
    }

    /// Like [`Self::apply`]; gives what the update changed in the text. To find out, yrs walks the
    /// whole text, so this is for those who show it.
    ///
    /// # Errors
    /// As there.
    pub fn apply_and_tell(&mut self, update: &[u8]) -> Result<Vec<Change>, CrdtError> {
        const OBSERVER: &str = "changes";
        let changes = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&changes);
        self.text.observe(OBSERVER, move |txn, event| {
            *sink.lock().unwrap_or_else(PoisonError::into_inner) = changes_of(event.delta(txn));
        });
        let result = self.apply(update);
        self.text.unobserve(OBSERVER);
        result
            .map(|()| std::mem::take(&mut *changes.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Makes a local edit; gives the update for the others.
    pub fn edit(&mut self, changes: &[Change]) -> Vec<u8> {
        self.held.moved(self.client_id());
        if self.held.has_formats() {
            return self.edit_as_one(changes);
        }
        let delta = delta_of(changes);
        let at = changes.last().map_or(0, |change| change.to);
        // Each change cuts the text, and yrs moves what stands behind.
        let moved = (changes.len() as u64).saturating_mul(u64::from(at));
        if moved > MOST_MOVED
            && let Some(update) = self.edit_in_pieces(&delta)
        {
            return update;
        }
        let mut txn = self.doc.transact_mut();
        // One pass over the items, where an edit by index would walk them from the start each time.
        self.text.apply_delta(&mut txn, delta);
        txn.commit();
        txn.encode_update_v1()
    }

    /// Makes a local edit from the first change to the last in one piece. Between formats yrs would
    /// end and begin again each of them around each insertion of a delta.
    fn edit_as_one(&mut self, changes: &[Change]) -> Vec<u8> {
        let (from, to) =
            (changes.first().map_or(0, |it| it.from), changes.last().map_or(0, |it| it.to));
        let units: Vec<u16> = self.text().encode_utf16().collect();
        let (mut insert, mut at) = (Vec::new(), from);
        for change in changes {
            insert.extend(units.get(at as usize..change.from as usize).unwrap_or_default());
            insert.extend(change.insert.encode_utf16());
            at = change.to;
        }
        let mut txn = self.doc.transact_mut();
        self.text.remove_range(&mut txn, from, to - from);
        self.text.insert(&mut txn, from, &String::from_utf16_lossy(&insert));
        txn.commit();
        txn.encode_update_v1()
    }

    /// Makes a local edit with very many changes in the document made anew, of short pieces.
    fn edit_in_pieces(&mut self, delta: &[Delta<In>]) -> Option<Vec<u8>> {
        let before = self.doc.transact().state_vector();
        let known = self.doc.transact().encode_diff_v1(&before);
        let state = cut_evenly(&self.encode())?;
        let fresh = Self::new(self.client_id());
        let mut txn = fresh.doc.transact_mut();
        apply(&mut txn, &state).ok()?;
        fresh.text.apply_delta(&mut txn, delta.iter().cloned());
        txn.commit();
        drop(txn);
        let update = fresh.doc.transact().encode_diff_v1(&before);
        let update = without_deletes(&update, &known)?;
        (self.doc, self.text) = (fresh.doc, fresh.text);
        Some(update)
    }

    /// Turns the text into `new` by the smallest edits found; `None` when it is `new` already.
    pub fn replace_with(&mut self, new: &str) -> Option<Vec<u8>> {
        let old = self.text();
        if old == new {
            return None;
        }
        let delta = TextDelta::between(&old, new);
        Some(self.edit_by(&old, &delta))
    }

    /// Makes the edits of `delta`, whose base is `text`, the present text.
    pub fn edit_by(&mut self, text: &str, delta: &TextDelta) -> Vec<u8> {
        let (mut bytes, mut units) = (0, 0);
        // The edits are in order, so one pass over the text converts every offset.
        let mut units_at = |offset: usize| {
            units += utf16_units(text.get(bytes..offset).unwrap_or_default());
            bytes = offset;
            units
        };
        let changes: Vec<Change> = delta
            .edits()
            .map(|(range, insert)| Change {
                from: units_at(range.start),
                to: units_at(range.end),
                insert: insert.to_owned(),
            })
            .collect();
        self.edit(&changes)
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

    /// The next clock of each client, as it is now.
    pub fn clocks(&self) -> impl Fn(u64) -> u32 + use<> {
        clocks(self.doc.transact().state_vector())
    }

    /// What a replica with this state vector lacks, as an update; deletions are always whole.
    ///
    /// # Errors
    /// The bytes are not a state vector.
    pub fn missing_from(&self, state_vector: &[u8]) -> Result<Vec<u8>, CrdtError> {
        if !is_state_vector(state_vector) {
            return Err(CrdtError::new(&"no state vector"));
        }
        let remote =
            StateVector::decode_v1(state_vector).map_err(|error| CrdtError::new(&error))?;
        Ok(self.doc.transact().encode_state_as_update_v1(&remote))
    }

    /// The whole integrated state as an update. What is pending is not in it.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.doc.transact().encode_diff_v1(&StateVector::default())
    }
}

/// yrs counts in 32 bits; a text is far shorter (10 MiB).
fn utf16_units(text: &str) -> u32 {
    u32::try_from(utf16_len(text)).unwrap_or(u32::MAX)
}

/// The changes as yrs takes them.
fn delta_of(changes: &[Change]) -> Vec<Delta<In>> {
    let mut delta = Vec::with_capacity(changes.len() * 3);
    let mut at = 0;
    for change in changes {
        push_retain(&mut delta, change.from.saturating_sub(at));
        if change.to > change.from {
            delta.push(Delta::Deleted(change.to - change.from));
        }
        if !change.insert.is_empty() {
            delta.push(Delta::Inserted(In::from(change.insert.as_str()), None));
        }
        at = change.to;
    }
    delta
}

fn push_retain(delta: &mut Vec<Delta<In>>, units: u32) {
    if units > 0 {
        delta.push(Delta::Retain(units, None));
    }
}
