//! Composing two consecutive deltas.

use super::{DeltaBuilder, DeltaError, DeltaOp, TextDelta};

impl TextDelta {
    /// The delta with the effect of this one followed by `next`.
    ///
    /// # Errors
    /// When `next` does not apply to the result of this one: the length differs, or `next` would
    /// split a character that this one inserts.
    pub fn compose(&self, next: &Self) -> Result<Self, DeltaError> {
        if self.target_len() != next.base_len {
            return Err(DeltaError::BaseLength {
                expected: next.base_len,
                actual: self.target_len(),
            });
        }
        let mut first = Pending::of(self);
        let mut composed = DeltaBuilder::default();
        for op in next.ops() {
            match op {
                DeltaOp::Retain(bytes) => first.take(bytes, &mut composed, Fate::Kept)?,
                DeltaOp::Delete(bytes) => first.take(bytes, &mut composed, Fate::Deleted)?,
                DeltaOp::Insert(text) => composed.insert(text),
            }
        }
        first.take_rest(&mut composed);
        Ok(composed.finish())
    }
}

/// What the second delta does with bytes of the first delta's result.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Kept,
    Deleted,
}

/// The operations of the first delta that the second has not consumed yet.
struct Pending<'a, I> {
    ops: I,
    /// The rest of a partly consumed operation.
    begun: Option<DeltaOp<'a>>,
    /// The offset in the first delta's result, for errors.
    at: usize,
}

impl<'a> Pending<'a, ()> {
    fn of(delta: &'a TextDelta) -> Pending<'a, impl Iterator<Item = DeltaOp<'a>>> {
        Pending { ops: delta.ops(), begun: None, at: 0 }
    }
}

impl<'a, I: Iterator<Item = DeltaOp<'a>>> Pending<'a, I> {
    /// Consumes the next `bytes` of the first delta's result.
    fn take(
        &mut self,
        mut bytes: usize,
        composed: &mut DeltaBuilder,
        fate: Fate,
    ) -> Result<(), DeltaError> {
        while bytes > 0 {
            let Some(op) = self.begun.take().or_else(|| self.ops.next()) else {
                break;
            };
            let taken = match op {
                DeltaOp::Delete(deleted) => {
                    composed.delete(deleted);
                    0
                }
                DeltaOp::Retain(kept) => {
                    let taken = kept.min(bytes);
                    match fate {
                        Fate::Kept => composed.retain(taken),
                        Fate::Deleted => composed.delete(taken),
                    }
                    self.begun = (kept > taken).then_some(DeltaOp::Retain(kept - taken));
                    taken
                }
                DeltaOp::Insert(text) => {
                    let taken = text.len().min(bytes);
                    let Some((text, rest)) = text.split_at_checked(taken) else {
                        return Err(DeltaError::CharBoundary { offset: self.at + taken });
                    };
                    if fate == Fate::Kept {
                        composed.insert(text);
                    }
                    self.begun = (!rest.is_empty()).then_some(DeltaOp::Insert(rest));
                    taken
                }
            };
            bytes -= taken;
            self.at += taken;
        }
        Ok(())
    }

    /// Copies the remaining operations, which can only be deletions.
    fn take_rest(mut self, composed: &mut DeltaBuilder) {
        let begun = self.begun.take();
        for op in begun.into_iter().chain(self.ops) {
            if let DeltaOp::Delete(deleted) = op {
                composed.delete(deleted);
            }
        }
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
    #[case::delete_what_was_inserted(r#"[2,"new",2]"#, "[2,-3,2]", "[4]")]
    #[case::delete_around(r#"[2,"new",2]"#, "[1,-5,1]", "[1,-2,1]")]
    #[case::insert_into_inserted(r#"["ad"]"#, r#"[1,"bc",1]"#, r#"["abcd"]"#)]
    #[case::delete_at_the_end("[2,-2]", r#"[2,"x"]"#, r#"[2,-2,"x"]"#)]
    fn composes_two_deltas(#[case] first: &str, #[case] next: &str, #[case] expected: &str) {
        assert_eq!(delta(first).compose(&delta(next)), Ok(delta(expected)));
    }

    #[test]
    fn rejects_deltas_that_do_not_match() {
        assert_eq!(
            delta("[3]").compose(&delta("[4]")),
            Err(DeltaError::BaseLength { expected: 4, actual: 3 })
        );
        assert_eq!(
            delta(r#"[1,"é"]"#).compose(&delta("[2,-1]")),
            Err(DeltaError::CharBoundary { offset: 2 })
        );
    }

    proptest! {
        #[test]
        fn has_the_effect_of_both(
            (base, edits) in (testing::text(), proptest::collection::vec(testing::edit(), 0..8)),
        ) {
            let mut composed = TextDelta::identity(base.len());
            let mut text = base.clone();
            for edit in edits {
                let next = edit.apply(&text);
                composed = composed.compose(&TextDelta::between(&text, &next)).unwrap();
                text = next;
            }
            prop_assert_eq!(composed.apply(&base).unwrap(), text);
        }

        #[test]
        fn a_delta_and_its_inverse_change_nothing((old, new) in testing::text_pair()) {
            let delta = TextDelta::between(&old, &new);
            let back = delta.compose(&delta.invert(&old).unwrap()).unwrap();
            prop_assert_eq!(back.apply(&old).unwrap(), old);
        }
    }
}
