//! Positions that keep their place in the text while it changes.

use super::TextDoc;
use serde::Deserialize as _;
use serde_json::Value;
use yrs::{Assoc, IndexedSequence as _, StickyIndex, Text as _, Transact as _};

impl TextDoc {
    /// The relative position, as JSON as Yjs has it, of an offset in UTF-16 units. An offset beyond
    /// the end is that of the end.
    #[must_use]
    pub fn position_at(&self, offset: u32) -> Option<Value> {
        let txn = self.doc.transact();
        let index = match offset < self.text.len(&txn) {
            true => self.text.sticky_index(&txn, offset, Assoc::After)?,
            false => StickyIndex::from_type(&txn, &self.text, Assoc::After),
        };
        drop(txn);
        serde_json::to_value(&index).ok()
    }

    /// The offset of a relative position in UTF-16 units; `None` if it is none in this text.
    #[must_use]
    pub fn offset_of(&self, position: &Value) -> Option<u32> {
        let index = StickyIndex::deserialize(position).ok()?;
        index.get_offset(&self.doc.transact()).map(|offset| offset.index)
    }
}
