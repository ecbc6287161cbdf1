//! Edits between two texts at word level: lines are compared first, then the words in changed
//! lines, as long as these are not very many. Deltas and merges are built from them.

use std::ops::Range;

use super::budget::Budget;
use super::lines::{LineChanges, LineOptions, byte_range, line_starts};
use super::sequence::{Comparer, Interner, slide_down};
use super::words::{MOST_WORD_BYTES, split_words};

/// A byte range of the old text and the byte range of the new text that replaces it.
///
/// Both are on token boundaries and one may be empty. Between two edits at least one token is
/// equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edit {
    pub(crate) old: Range<usize>,
    pub(crate) new: Range<usize>,
}

/// The edits that turn `old` into `new`, in order.
pub(crate) fn edits_between(old: &str, new: &str, budget: &mut Budget) -> Vec<Edit> {
    let mut comparer = Comparer::default();
    let options = LineOptions { ignore_white_space: false, context: 0 };
    let lines = LineChanges::between(old, new, options, &mut comparer, budget);
    let old_starts = line_starts(lines.bytes_before, &lines.old);
    let new_starts = line_starts(lines.bytes_before, &lines.new);
    let mut words = WordComparer::new(comparer);
    let mut bytes_left = MOST_WORD_BYTES;
    let mut edits = Vec::new();
    for change in &lines.changes {
        let in_old = byte_range(&old_starts, &change.old);
        let in_new = byte_range(&new_starts, &change.new);
        let is_replaced = !in_old.is_empty() && !in_new.is_empty();
        let left = bytes_left.checked_sub(in_old.len() + in_new.len());
        let Some(left) = left.filter(|_| is_replaced) else {
            edits.push(Edit { old: in_old, new: in_new });
            continue;
        };
        bytes_left = left;
        let finer = words.compare(&old[in_old.clone()], &new[in_new.clone()], budget);
        edits.extend(finer.map(|edit| Edit {
            old: edit.old.start + in_old.start..edit.old.end + in_old.start,
            new: edit.new.start + in_new.start..edit.new.end + in_new.start,
        }));
    }
    edits
}

/// Compares words; reuses its buffers between comparisons.
pub(crate) struct WordComparer<'a> {
    comparer: Comparer,
    interner: Interner<'a>,
}

impl<'a> WordComparer<'a> {
    pub(crate) fn new(comparer: Comparer) -> Self {
        Self { comparer, interner: Interner::default() }
    }

    /// The edits that turn `old` into `new`, in order.
    pub(crate) fn compare(
        &mut self,
        old: &'a str,
        new: &'a str,
        budget: &mut Budget,
    ) -> impl Iterator<Item = Edit> + use<> {
        let (old_words, old_starts) = self.number_words(old);
        let (new_words, new_starts) = self.number_words(new);
        let changes = self.comparer.compare(&old_words, &new_words, budget);
        let changes = slide_down(changes, &(0..old_words.len()), |in_new, a, b| {
            let words = if in_new { &new_words } else { &old_words };
            words[a] == words[b]
        });
        changes.into_iter().map(move |change| Edit {
            old: byte_range(&old_starts, &change.old),
            new: byte_range(&new_starts, &change.new),
        })
    }

    /// The number of each token, and the offsets where tokens start; the last is the end.
    fn number_words(&mut self, text: &'a str) -> (Vec<u32>, Vec<usize>) {
        let mut numbers = Vec::new();
        let mut starts = vec![0];
        let mut at = 0;
        split_words(text, |word| {
            numbers.push(self.interner.intern(word));
            at += word.len();
            starts.push(at);
        });
        (numbers, starts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::budget::DEFAULT_BUDGET;
    use crate::text::testing;
    use proptest::prelude::*;
    use rstest::rstest;

    type Replaced<'a> = (&'a str, &'a str);

    fn replaced<'a>(old: &'a str, new: &'a str) -> Vec<Replaced<'a>> {
        let edits = edits_between(old, new, &mut Budget::new(DEFAULT_BUDGET)).into_iter();
        edits.map(|edit| (&old[edit.old], &new[edit.new])).collect()
    }

    #[rstest]
    #[case::word("a quick fox\n", "a slow fox\n", &[("quick", "slow")])]
    #[case::inserted_word("a fox", "a red fox", &[("", "red ")])]
    #[case::two_lines("one two\nsame\nfive six\n", "one 2\nsame\nfive 6\n", &[("two", "2"), ("six", "6")])]
    #[case::line("a\nb\n", "a\nnew\nb\n", &[("", "new\n")])]
    #[case::chinese("我写文章", "我改文章", &[("写", "改")])]
    #[case::joined_lines("a\nb\n", "a b\n", &[("\n", " ")])]
    fn finds_edits_at_word_level(
        #[case] old: &str,
        #[case] new: &str,
        #[case] expected: &[Replaced<'_>],
    ) {
        assert_eq!(replaced(old, new), expected);
    }

    #[test]
    fn words_of_very_much_changed_text_are_not_compared() {
        let (old, new) = ("a b ".repeat(300_000), "a c ".repeat(300_000));
        assert_eq!(replaced(&old, &new), [(old.as_str(), new.as_str())]);
    }

    proptest! {
        #[test]
        fn edits_turn_old_into_new((old, new) in testing::text_pair(), steps in 0..2_000_u64) {
            let mut rebuilt = String::new();
            let mut at = 0;
            for edit in edits_between(&old, &new, &mut Budget::new(steps)) {
                rebuilt.push_str(&old[at..edit.old.start]);
                prop_assert_eq!(rebuilt.len(), edit.new.start);
                rebuilt.push_str(&new[edit.new]);
                at = edit.old.end;
            }
            rebuilt.push_str(&old[at..]);
            prop_assert_eq!(rebuilt, new);
        }
    }
}
