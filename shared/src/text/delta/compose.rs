//! Two deltas in a row as one.

use super::{DeltaBuilder, DeltaError, DeltaOp, TextDelta};

impl TextDelta {
    /// The delta that does what this one and then `next` does.
    ///
    /// # Errors
    /// When `next` does not fit what this one makes: another length, or it would cut a character
    /// that this one inserts.
    pub fn compose(&self, next: &Self) -> Result<Self, DeltaError> {
        if self.target_len() != next.base_len {
            return Err(DeltaError::BaseLength {
                expected: next.base_len,
                actual: self.target_len(),
            });
        }
        let mut made = Made::by(self);
        let mut composed = DeltaBuilder::default();
        for op in next.ops() {
            match op {
                DeltaOp::Retain(bytes) => made.take(bytes, &mut composed, Fate::Kept)?,
                DeltaOp::Delete(bytes) => made.take(bytes, &mut composed, Fate::Deleted)?,
                DeltaOp::Insert(text) => composed.insert(text),
            }
        }
        made.take_rest(&mut composed);
        Ok(composed.finish())
    }
}

/// What becomes of bytes that the first delta made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Kept,
    Deleted,
}

/// The first delta, read piece by piece as the second one asks for it.
struct Made<'a, I> {
    ops: I,
    /// What is left of the op that was begun.
    begun: Option<DeltaOp<'a>>,
    /// Bytes of the first delta's result that were asked for; for errors.
    at: usize,
}

impl<'a> Made<'a, ()> {
    fn by(delta: &'a TextDelta) -> Made<'a, impl Iterator<Item = DeltaOp<'a>>> {
        Made { ops: delta.ops(), begun: None, at: 0 }
    }
}

impl<'a, I: Iterator<Item = DeltaOp<'a>>> Made<'a, I> {
    /// Takes the next `bytes` that the first delta made.
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

    /// Only deletions are left once every byte that was made has been taken.
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
    fn joins_two_deltas(#[case] first: &str, #[case] next: &str, #[case] expected: &str) {
        assert_eq!(delta(first).compose(&delta(next)), Ok(delta(expected)));
    }

    #[test]
    fn refuses_deltas_that_do_not_fit() {
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
        fn does_what_both_do_in_turn(
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
