//! Computing the delta between two texts.

use super::{DeltaBuilder, TextDelta};
use crate::text::budget::{Budget, DEFAULT_BUDGET};
use crate::text::edits::edits_between;

impl TextDelta {
    /// A small delta that turns `old` into `new`, byte for byte.
    ///
    /// Lines are compared first, then words in changed lines, then the ends of changed words, so
    /// that unchanged text and the cursors in it stay in place. The work is bounded: the delta
    /// between large texts with little in common may be longer than necessary, but is correct.
    pub fn between(old: &str, new: &str) -> Self {
        let mut delta = DeltaBuilder::default();
        let mut at = 0;
        for edit in edits_between(old, new, &mut Budget::new(DEFAULT_BUDGET)) {
            delta.retain(edit.old.start - at);
            at = edit.old.end;
            delta.replace(&old[edit.old], &new[edit.new]);
        }
        delta.retain(old.len() - at);
        delta.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::testing;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case::nothing("same", "same", "[4]")]
    #[case::letter("a recieved b", "a received b", r#"[5,-2,"ei",5]"#)]
    #[case::line("one\ntwo\n", "one\nnew\ntwo\n", r#"[4,"new\n",4]"#)]
    #[case::line_end("one\r\ntwo", "one\ntwo", r#"[3,-1,4]"#)]
    #[case::from_nothing("", "new", r#"["new"]"#)]
    #[case::to_nothing("old", "", r#"[-3]"#)]
    fn is_minimal(#[case] old: &str, #[case] new: &str, #[case] expected: &str) {
        let delta = TextDelta::between(old, new);
        assert_eq!(serde_json::to_string(&delta).unwrap(), expected);
    }

    #[test]
    fn contains_only_the_changed_words_and_letters() {
        let lines = (0..50).map(|n| format!("{n}: the quick brown fox jumps over the lazy dog\n"));
        let old: String = lines.collect();
        let new = old.replacen("quick", "slow", 1).replace("49: the", "49: then");
        let json = serde_json::to_string(&TextDelta::between(&old, &new)).unwrap();
        assert_eq!(json, r#"[7,-5,"slow",2337,"n",41]"#);
    }

    proptest! {
        #[test]
        fn turns_the_old_text_into_the_new_text((old, new) in testing::text_pair()) {
            prop_assert_eq!(TextDelta::between(&old, &new).apply(&old).unwrap(), new);
        }

        #[test]
        fn is_the_identity_only_for_equal_texts((old, new) in testing::text_pair()) {
            prop_assert_eq!(TextDelta::between(&old, &new).is_identity(), old == new);
        }
    }
}
