//! A delta with a single edit.

use super::{DeltaBuilder, TextDelta};

impl TextDelta {
    /// A delta with the same result that replaces everything from the first edit to the last in one
    /// piece. `base` is the text that this delta applies to; without its own base it changes nothing.
    #[must_use]
    pub fn as_one(&self, base: &str) -> Self {
        let (Some(first), Some(last), Ok(target)) =
            (self.edits.first(), self.edits.last(), self.apply(base))
        else {
            return Self::identity(base.len());
        };
        let (start, tail) = (first.range.start, self.base_len - last.range.end);
        let mut one = DeltaBuilder::default();
        one.retain(start);
        one.delete(last.range.end - start);
        one.insert(target.get(start..target.len() - tail).unwrap_or_default());
        one.retain(tail);
        one.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_the_same_text_by_one_edit() {
        let (old, new) = ("one two three four", "1 two 3 four");
        let delta = TextDelta::between(old, new);
        let one = delta.as_one(old);
        assert!(delta.edits().count() > 1);
        assert_eq!((one.edits().count(), one.apply(old).unwrap().as_str()), (1, new));
        assert!(TextDelta::identity(3).as_one("abc").is_identity());
    }
}
