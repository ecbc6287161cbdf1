//! Building deltas from left to right.

use super::{DeltaOp, Replacement, TextDelta};

/// Collects the operations of a delta in text order and keeps them in normal form.
#[derive(Debug)]
pub(crate) struct DeltaBuilder(TextDelta);

impl Default for DeltaBuilder {
    fn default() -> Self {
        Self(TextDelta::identity(0))
    }
}

impl DeltaBuilder {
    /// Keeps the next `bytes`.
    pub(crate) const fn retain(&mut self, bytes: usize) {
        self.0.base_len += bytes;
    }

    /// Deletes the next `bytes`.
    pub(crate) fn delete(&mut self, bytes: usize) {
        if bytes > 0 {
            self.edit_here().range.end += bytes;
            self.0.base_len += bytes;
        }
    }

    /// Inserts `text`.
    pub(crate) fn insert(&mut self, text: &str) {
        if !text.is_empty() {
            self.edit_here().inserted.push_str(text);
        }
    }

    /// Replaces the next bytes, which are `old`, with `new`; keeps their common prefix and suffix.
    pub(crate) fn replace(&mut self, old: &str, new: &str) {
        let equal = old.bytes().zip(new.bytes());
        let prefix = equal.take_while(|(a, b)| a == b).count();
        let prefix = old.floor_char_boundary(prefix);
        let (old, new) = (&old[prefix..], &new[prefix..]);
        let equal = old.bytes().rev().zip(new.bytes().rev());
        let suffix = equal.take_while(|(a, b)| a == b).count();
        let deleted = old.ceil_char_boundary(old.len() - suffix);
        let suffix = old.len() - deleted;
        self.retain(prefix);
        self.delete(deleted);
        self.insert(&new[..new.len() - suffix]);
        self.retain(suffix);
    }

    /// Applies `delta` to the next bytes, which are its base.
    pub(crate) fn append(&mut self, delta: &TextDelta) {
        for op in delta.ops() {
            match op {
                DeltaOp::Retain(bytes) => self.retain(bytes),
                DeltaOp::Delete(bytes) => self.delete(bytes),
                DeltaOp::Insert(text) => self.insert(text),
            }
        }
    }

    /// The finished delta. All bytes kept and deleted add up to its base.
    pub(crate) fn finish(self) -> TextDelta {
        self.0
    }

    /// The edit that ends here, or a new one, so that touching edits are joined.
    fn edit_here(&mut self) -> &mut Replacement {
        let TextDelta { base_len, edits } = &mut self.0;
        let touches = edits.last().is_some_and(|edit| edit.range.end == *base_len);
        if !touches {
            edits.push(Replacement { range: *base_len..*base_len, inserted: String::new() });
        }
        let last = edits.len() - 1;
        &mut edits[last]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn joins_touching_edits() {
        let mut builder = DeltaBuilder::default();
        builder.retain(2);
        builder.insert("a");
        builder.delete(1);
        builder.retain(0);
        builder.insert("b");
        builder.delete(2);
        let delta = builder.finish();
        assert_eq!(delta.edits().collect::<Vec<_>>(), [(2..5, "ab")]);
    }

    #[rstest]
    #[case::middle("abcd", "abxd", 2..3, "x")]
    #[case::repeated("aa", "aaa", 2..2, "a")]
    #[case::first_byte_shared("é", "è", 0..2, "è")]
    #[case::last_byte_shared("\u{e9}", "\u{129}", 0..2, "\u{129}")]
    #[case::other_length("😀", "é", 0..4, "é")]
    fn keeps_common_prefix_and_suffix(
        #[case] old: &str,
        #[case] new: &str,
        #[case] range: std::ops::Range<usize>,
        #[case] inserted: &str,
    ) {
        let mut builder = DeltaBuilder::default();
        builder.replace(old, new);
        let delta = builder.finish();
        assert_eq!(delta.edits().collect::<Vec<_>>(), [(range, inserted)]);
        assert_eq!(delta.apply(old).unwrap(), new);
    }
}
