//! Local edits.

use super::{TextDoc, empty, integrate};
use crate::{
    crdt::{
        Change, InvalidUpdate, Validation,
        cut::{cut_evenly, without_deletes},
    },
    text::{delta::TextDelta, utf16::utf16_len},
};
use yrs::{In, ReadTxn as _, Text as _, Transact as _, types::Delta};

/// UTF-16 units that an edit may make yrs move before the text is cut beforehand: a quarter of a
/// second.
const MOST_MOVED: u64 = 5_000_000_000;

impl TextDoc {
    /// Makes a local edit; returns the update for the others.
    pub fn edit(&mut self, changes: &[Change]) -> Vec<u8> {
        let update = self.make_edit(changes);
        // What the checker refuses here (U+0000) the server refuses as well.
        let _ = self.note_edit(&update);
        update
    }

    /// Makes the edits of `delta`, whose base is `text`, the present text; returns the update.
    ///
    /// # Errors
    /// The update holds something that no document may hold. The replica must be thrown away.
    pub fn edit_by(&mut self, text: &str, delta: &TextDelta) -> Result<Vec<u8>, InvalidUpdate> {
        let update = self.make_edit(&changes_by(text, delta));
        self.note_edit(&update)?;
        Ok(update)
    }

    /// Turns the text into `new` by the smallest edits found; `None` when it is `new` already.
    pub fn replace_with(&mut self, new: &str) -> Option<Vec<u8>> {
        let old = self.text();
        if old == new {
            return None;
        }
        Some(self.edit(&changes_by(&old, &TextDelta::between(&old, new))))
    }

    fn note_edit(&mut self, update: &[u8]) -> Result<(), InvalidUpdate> {
        self.checker.admit(0, update, Validation::Trusted).map(drop)
    }

    fn make_edit(&mut self, changes: &[Change]) -> Vec<u8> {
        if self.checker.has_formats {
            return self.edit_as_one(changes);
        }
        let delta = delta_of(changes);
        let at = changes.last().map_or(0, |change| change.to);
        // Each change cuts the text, and yrs moves what follows.
        let moved = (changes.len() as u64).saturating_mul(u64::from(at));
        if moved > MOST_MOVED
            && let Some(update) = self.edit_in_pieces(&delta)
        {
            return update;
        }
        let mut txn = self.doc.transact_mut();
        // One pass over the items; an edit by index would walk them from the start each time.
        self.text.apply_delta(&mut txn, delta);
        txn.commit();
        txn.encode_update_v1()
    }

    /// Replaces everything from the first change to the last in one piece. Between formats yrs would
    /// end and begin each of them anew around each insertion of a delta.
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

    /// Makes an edit with very many changes in the document rebuilt from short pieces.
    pub(super) fn edit_in_pieces(&mut self, delta: &[Delta<In>]) -> Option<Vec<u8>> {
        let before = self.doc.transact().state_vector();
        let known = self.doc.transact().encode_diff_v1(&before);
        let state = cut_evenly(&self.encode())?;
        let (doc, text) = empty(self.client_id());
        let mut txn = doc.transact_mut();
        integrate(&mut txn, &state).ok()?;
        text.apply_delta(&mut txn, delta.iter().cloned());
        drop(txn);
        let update = doc.transact().encode_diff_v1(&before);
        let update = without_deletes(&update, &known)?;
        (self.doc, self.text) = (doc, text);
        Some(update)
    }
}

/// The edits of `delta` in UTF-16 units of `text`. They are in order, so one pass over the text
/// converts every offset.
pub(super) fn changes_by(text: &str, delta: &TextDelta) -> Vec<Change> {
    let (mut bytes, mut units) = (0, 0);
    let mut units_at = |offset: usize| {
        units += utf16_units(text.get(bytes..offset).unwrap_or_default());
        bytes = offset;
        units
    };
    let edits = delta.edits().map(|(range, insert)| Change {
        from: units_at(range.start),
        to: units_at(range.end),
        insert: insert.to_owned(),
    });
    edits.collect()
}

/// yrs counts in 32 bits; a text is far shorter (10 MiB).
fn utf16_units(text: &str) -> u32 {
    u32::try_from(utf16_len(text)).unwrap_or(u32::MAX)
}

/// The changes in the form that yrs takes.
pub(super) fn delta_of(changes: &[Change]) -> Vec<Delta<In>> {
    let mut delta = Vec::with_capacity(changes.len() * 3);
    let mut at = 0;
    for change in changes {
        if change.from > at {
            delta.push(Delta::Retain(change.from - at, None));
        }
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
