//! Applying updates, and telling others what they have changed.

use super::{ApplyError, Rejected, TextDoc, empty, integrate};
use crate::crdt::{
    Validation,
    cut::{cut_for, without_deletes},
};
use std::borrow::Cow;
use yrs::{ReadTxn as _, Transact as _};

/// Clocks that yrs may move to cut items before it is cheaper to cut them beforehand. It moves about
/// one in a nanosecond.
const MOST_MOVED: u64 = 50_000_000;

/// What an update without effect consists of: no structs, and no deletions.
const EMPTY: [u8; 2] = [0, 0];

/// What a replica has integrated, as an update for replicas that have all that it had before. It is
/// encoded after yrs has removed deleted text: what was both inserted and deleted is not in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Integrated {
    /// The update, v1.
    pub update: Vec<u8>,
    /// Whether it contains parts of earlier updates that waited.
    pub has_released: bool,
}

impl Integrated {
    /// Whether nothing has changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.update == EMPTY
    }
}

/// From what a replica has encoded, without parts of earlier updates.
impl From<Vec<u8>> for Integrated {
    fn from(update: Vec<u8>) -> Self {
        Self { update, has_released: false }
    }
}

/// The part of an update that is to be integrated.
struct Ready<'a> {
    tag: u64,
    update: Cow<'a, [u8]>,
    /// Whether yrs would move so much to cut items that the document is to be rebuilt.
    is_costly: bool,
}

/// What has changed, one transaction after the other. Browsers do not need it merged, which takes code.
struct Parts {
    parts: Vec<Vec<u8>>,
    has_released: bool,
}

impl Parts {
    fn merged(mut self) -> Result<Integrated, Rejected> {
        let broken = |cause| Rejected { tag: 0, cause: ApplyError::broken(cause) };
        let update = match self.parts.len() {
            0 => EMPTY.to_vec(),
            1 => self.parts.remove(0),
            _ => yrs::merge_updates_v1(&self.parts).map_err(broken)?,
        };
        Ok(Integrated { update, has_released: self.has_released })
    }
}

impl TextDoc {
    /// Applies an update from a trusted sender. What builds on something that is not there waits.
    ///
    /// # Errors
    /// See [`ApplyError`].
    pub fn apply(&mut self, update: &[u8]) -> Result<(), ApplyError> {
        self.apply_checked(0, update, Validation::Trusted).map_err(|rejected| rejected.cause)
    }

    /// Applies an update, and the parts of earlier ones that waited for it. `tag` is the caller's
    /// name for the update in case it is rejected later.
    ///
    /// # Errors
    /// The update, or an earlier one that it released, is rejected. After that the replica must be
    /// thrown away, unless it was this update and it is [`ApplyError::Invalid`].
    pub fn apply_checked(
        &mut self,
        tag: u64,
        update: &[u8],
        validation: Validation,
    ) -> Result<(), Rejected> {
        let ready = self.admit(tag, update, validation)?;
        self.integrate_all(Some(ready), of_released(validation), false).map(drop)
    }

    /// As [`Self::apply_checked`]; returns what has changed.
    ///
    /// # Errors
    /// As there.
    pub fn apply_and_encode(
        &mut self,
        tag: u64,
        update: &[u8],
        validation: Validation,
    ) -> Result<Integrated, Rejected> {
        let ready = self.admit(tag, update, validation)?;
        self.integrate_all(Some(ready), of_released(validation), true)?.merged()
    }

    /// Applies the updates that no longer wait, and returns what they have changed. Needed after edits
    /// made here.
    ///
    /// # Errors
    /// As [`Self::apply_checked`].
    pub fn apply_released(&mut self) -> Result<Integrated, Rejected> {
        let ready = self.admit_released(Validation::Replayed)?;
        let has_released = ready.is_some();
        let integrated = self.integrate_all(ready, Validation::Replayed, true)?.merged()?;
        Ok(Integrated { has_released, ..integrated })
    }

    fn admit<'a>(
        &mut self,
        tag: u64,
        update: &'a [u8],
        validation: Validation,
    ) -> Result<Ready<'a>, Rejected> {
        let admitted = self.checker.admit(tag, update, validation);
        let admitted = admitted.map_err(|cause| Rejected { tag, cause: cause.into() })?;
        Ok(Ready { tag, is_costly: admitted.cost.moved > MOST_MOVED, update: admitted.update })
    }

    /// Admits an update that no longer waits.
    fn admit_released(
        &mut self,
        validation: Validation,
    ) -> Result<Option<Ready<'static>>, Rejected> {
        let Some((tag, update)) = self.checker.next_released() else { return Ok(None) };
        let Ready { tag, update, is_costly } = self.admit(tag, &update, validation)?;
        Ok(Some(Ready { tag, update: Cow::Owned(update.into_owned()), is_costly }))
    }

    /// Integrates an update and those that it releases, in one transaction if possible, so that what one
    /// of them deletes is not in the result.
    fn integrate_all(
        &mut self,
        first: Option<Ready<'_>>,
        validation: Validation,
        encodes: bool,
    ) -> Result<Parts, Rejected> {
        let (mut parts, mut has_released) = (Vec::new(), false);
        let mut next = first;
        while let Some(Ready { tag, update, is_costly }) = next.take() {
            let broken = |cause| Rejected { tag, cause };
            if is_costly {
                parts.extend(self.integrate_cut(&update, encodes).map_err(broken)?);
                next = self.admit_released(validation)?;
                has_released |= next.is_some();
                continue;
            }
            let doc = self.doc.clone();
            let mut txn = doc.transact_mut();
            integrate(&mut txn, &update).map_err(broken)?;
            next = self.admit_released(validation)?;
            while let Some(released) = next.take_if(|next| !next.is_costly) {
                has_released = true;
                let broken = |cause| Rejected { tag: released.tag, cause };
                integrate(&mut txn, &released.update).map_err(broken)?;
                next = self.admit_released(validation)?;
            }
            has_released |= next.is_some();
            if encodes {
                txn.commit();
                parts.push(txn.encode_update_v1());
            }
        }
        Ok(Parts { parts, has_released })
    }

    /// Integrates an update that cuts long texts in many places: rebuilds the document from its state,
    /// cut beforehand. This takes time by the length of the document, however many the cuts.
    fn integrate_cut(
        &mut self,
        ready: &[u8],
        encodes: bool,
    ) -> Result<Option<Vec<u8>>, ApplyError> {
        let before = self.doc.transact().state_vector();
        let known = self.doc.transact().encode_diff_v1(&before);
        let unreadable = || ApplyError::broken("a state that cannot be cut");
        let state = cut_for(&self.encode(), ready).ok_or_else(unreadable)?;
        let (doc, text) = empty(self.client_id());
        let mut txn = doc.transact_mut();
        // In one transaction, at whose end yrs joins items again.
        integrate(&mut txn, &state)?;
        integrate(&mut txn, ready)?;
        drop(txn);
        let change = encodes.then(|| {
            let update = doc.transact().encode_diff_v1(&before);
            without_deletes(&update, &known).ok_or_else(unreadable)
        });
        (self.doc, self.text) = (doc, text);
        change.transpose()
    }
}

/// How updates are validated that one releases.
fn of_released(validation: Validation) -> Validation {
    match validation {
        Validation::Trusted => validation,
        Validation::Replayed | Validation::Untrusted => Validation::Replayed,
    }
}
