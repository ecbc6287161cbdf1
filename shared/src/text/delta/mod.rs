//! Text deltas: edit scripts that turn one text into another, byte for byte. Versions are stored as
//! deltas from their successors (DESIGN §3), and live texts are changed by deltas (§6).

mod as_one;
mod between;
mod build;
mod compose;
mod json;

use std::ops::Range;

use thiserror::Error;

pub(crate) use build::DeltaBuilder;

/// An edit script for a text of a known length.
///
/// Offsets and lengths count UTF-8 bytes and are on character boundaries. A delta is always in
/// normal form: its edits are in order, do not touch, and each deletes or inserts something. So
/// deltas with the same edits are equal.
///
/// In JSON a delta is an array in text order: a positive number keeps that many bytes, a negative
/// number deletes them, a string is inserted. Bytes kept at the end are included, so the array
/// implies the length of its base: `[4,-3,"new",9]` applies to 16 bytes, `[]` to none. Reading
/// also accepts arrays that are not in normal form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextDelta {
    base_len: usize,
    edits: Vec<Replacement>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Replacement {
    range: Range<usize>,
    inserted: String,
}

/// An operation of a delta.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeltaOp<'a> {
    /// Keeps this many bytes.
    Retain(usize),
    /// Deletes this many bytes.
    Delete(usize),
    /// Inserts this text.
    Insert(&'a str),
}

/// Why a delta does not apply to a text or to the result of another delta.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DeltaError {
    /// The base has the wrong length.
    #[error("the delta applies to {expected} bytes, not to {actual}")]
    BaseLength {
        /// The length that the delta applies to.
        expected: usize,
        /// The length of the given text.
        actual: usize,
    },
    /// An edit starts or ends inside a character.
    #[error("byte {offset} is not on a character boundary")]
    CharBoundary {
        /// The offset in the base.
        offset: usize,
    },
}

impl TextDelta {
    /// The delta that changes nothing in a text of `base_len` bytes.
    pub const fn identity(base_len: usize) -> Self {
        Self { base_len, edits: Vec::new() }
    }

    /// The length of the base in bytes.
    pub const fn base_len(&self) -> usize {
        self.base_len
    }

    /// The length of the result in bytes.
    pub fn target_len(&self) -> usize {
        let kept = self.edits.iter().fold(self.base_len, |kept, edit| kept - edit.range.len());
        let inserted = self.edits.iter().map(|edit| edit.inserted.len());
        inserted.fold(kept, usize::saturating_add)
    }

    /// Whether it changes nothing.
    pub const fn is_identity(&self) -> bool {
        self.edits.is_empty()
    }

    /// The edits in order: a byte range of the base and the text that replaces it.
    pub fn edits(&self) -> impl ExactSizeIterator<Item = (Range<usize>, &str)> {
        let edits = self.edits.iter();
        edits.map(|edit| (edit.range.clone(), edit.inserted.as_str()))
    }

    /// The operations in order. Bytes kept and deleted add up to the length of the base.
    pub fn ops(&self) -> impl Iterator<Item = DeltaOp<'_>> {
        let mut at = 0;
        let edited = self.edits.iter().flat_map(move |edit| {
            let kept = edit.range.start - at;
            at = edit.range.end;
            [
                DeltaOp::Retain(kept),
                DeltaOp::Delete(edit.range.len()),
                DeltaOp::Insert(&edit.inserted),
            ]
        });
        let end = self.edits.last().map_or(0, |edit| edit.range.end);
        edited.chain([DeltaOp::Retain(self.base_len - end)]).filter(|op| !op.is_empty())
    }

    /// Applies the delta to `base`.
    ///
    /// # Errors
    /// When `base` has the wrong length, or an edit would split a character. A different text to
    /// which the delta happens to apply is not detected; versions carry hashes for that.
    pub fn apply(&self, base: &str) -> Result<String, DeltaError> {
        self.check_base(base)?;
        let mut target = String::with_capacity(self.target_len());
        let mut at = 0;
        for (range, inserted) in self.edits() {
            target.push_str(&base[at..range.start]);
            target.push_str(inserted);
            at = range.end;
        }
        target.push_str(&base[at..]);
        Ok(target)
    }

    /// The inverse delta, from the result of `apply(base)` to `base`.
    ///
    /// # Errors
    /// As for [`apply`](Self::apply).
    pub fn invert(&self, base: &str) -> Result<Self, DeltaError> {
        self.check_base(base)?;
        let mut inverse = DeltaBuilder::default();
        let mut at = 0;
        for (range, inserted) in self.edits() {
            inverse.retain(range.start - at);
            inverse.delete(inserted.len());
            inverse.insert(&base[range.clone()]);
            at = range.end;
        }
        inverse.retain(self.base_len - at);
        Ok(inverse.finish())
    }

    fn check_base(&self, base: &str) -> Result<(), DeltaError> {
        if base.len() != self.base_len {
            return Err(DeltaError::BaseLength { expected: self.base_len, actual: base.len() });
        }
        let mut ends = self.edits.iter().flat_map(|edit| [edit.range.start, edit.range.end]);
        match ends.find(|offset| !base.is_char_boundary(*offset)) {
            Some(offset) => Err(DeltaError::CharBoundary { offset }),
            None => Ok(()),
        }
    }
}

impl DeltaOp<'_> {
    fn is_empty(&self) -> bool {
        matches!(self, Self::Retain(0) | Self::Delete(0) | Self::Insert(""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::testing;
    use proptest::prelude::*;
    use rstest::rstest;

    fn delta(ops: &str) -> TextDelta {
        serde_json::from_str(ops).unwrap()
    }

    #[rstest]
    #[case::insert_at_the_start("abc", r#"["x",3]"#, "xabc")]
    #[case::insert_at_the_end("abc", r#"[3,"x"]"#, "abcx")]
    #[case::replace_all("abc", r#"[-3,"é"]"#, "é")]
    #[case::several("one two three", r#"[-3,"1",5,-5,"3"]"#, "1 two 3")]
    #[case::nothing("abc", "[3]", "abc")]
    #[case::empty("", "[]", "")]
    fn applies_edits(#[case] base: &str, #[case] ops: &str, #[case] expected: &str) {
        let delta = delta(ops);
        assert_eq!(delta.apply(base).unwrap(), expected);
        assert_eq!(delta.base_len(), base.len());
        assert_eq!(delta.target_len(), expected.len());
    }

    #[test]
    fn rejects_a_base_of_the_wrong_length() {
        let expected = Err(DeltaError::BaseLength { expected: 3, actual: 4 });
        assert_eq!(delta(r#"[3,"x"]"#).apply("abcd"), expected);
    }

    #[rstest]
    #[case::insert(r#"[1,"x",1]"#, 1)]
    #[case::delete_to(r#"[-1,1]"#, 1)]
    fn rejects_splitting_a_character(#[case] ops: &str, #[case] offset: usize) {
        assert_eq!(delta(ops).apply("é"), Err(DeltaError::CharBoundary { offset }));
        assert_eq!(delta(ops).invert("é"), Err(DeltaError::CharBoundary { offset }));
    }

    #[test]
    fn lists_edits_and_ops() {
        let delta = delta(r#"[1,-2,"x",3]"#);
        assert_eq!(delta.edits().collect::<Vec<_>>(), [(1..3, "x")]);
        assert_eq!(
            delta.ops().collect::<Vec<_>>(),
            [DeltaOp::Retain(1), DeltaOp::Delete(2), DeltaOp::Insert("x"), DeltaOp::Retain(3)]
        );
    }

    proptest! {
        #[test]
        fn an_inverse_restores_the_base((old, new) in testing::text_pair()) {
            let delta = TextDelta::between(&old, &new);
            let back = delta.invert(&old).unwrap();
            prop_assert_eq!(back.apply(&new).unwrap(), old.clone());
            prop_assert_eq!(back.invert(&new).unwrap(), delta);
        }
    }
}
