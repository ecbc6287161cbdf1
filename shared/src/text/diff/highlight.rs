//! Highlighting changed words in changed lines.

use super::Span;
use super::line_words::LineWords;
use super::pairs::pair_lines;
use crate::text::budget::Budget;
use crate::text::sequence::{Change, Comparer, Interner, slide_down};
use crate::text::words::{MOST_WORD_BYTES, common_ends};

/// The minimum percentage of equal text. Below it two lines are highlighted as a whole, because
/// highlighted words would only be noise.
const LEAST_EQUAL: usize = 20;

/// Two lines with more bytes than this are compared only between their common ends.
const LONG_LINES: usize = 64 * 1024;

/// Highlights changed words; shares word numbers and buffers between changes.
pub(super) struct Highlighter<'a> {
    comparer: Comparer,
    interner: Interner<'a>,
    ignore_white_space: bool,
    /// What is left of [`MOST_WORD_BYTES`].
    bytes_left: usize,
}

/// A line with its changed words highlighted.
pub(super) struct Marked {
    pub(super) spans: Vec<Span>,
    pub(super) coarse: bool,
}

/// The lines of a change with their changed words highlighted.
pub(super) struct MarkedLines {
    pub(super) old: Vec<Marked>,
    pub(super) new: Vec<Marked>,
}

impl<'a> Highlighter<'a> {
    pub(super) fn new(ignore_white_space: bool) -> Self {
        Self {
            comparer: Comparer::default(),
            interner: Interner::default(),
            ignore_white_space,
            bytes_left: MOST_WORD_BYTES,
        }
    }

    /// Highlights `old` lines and the `new` lines that replace them, all without `\n`.
    pub(super) fn highlight(
        &mut self,
        old: &[&'a str],
        new: &[&'a str],
        budget: &mut Budget,
    ) -> MarkedLines {
        let mut marked =
            MarkedLines { old: Vec::with_capacity(old.len()), new: Vec::with_capacity(new.len()) };
        if !old.is_empty() && !new.is_empty() {
            let bytes = old.iter().chain(new).map(|line| line.len()).sum();
            if let ([old], [new]) = (old, new)
                && bytes > LONG_LINES
                && let (begin, end) = common_ends(old, new)
                && begin + end > 0
            {
                return self.highlight_between(old, new, (begin, end), budget);
            }
            if let Some(left) = self.bytes_left.checked_sub(bytes) {
                self.bytes_left = left;
                self.highlight_pairs(old, new, &mut marked, budget);
            } else {
                let whole = |line: &&str| Marked { spans: mark_all(line), coarse: true };
                marked.old.extend(old.iter().map(whole));
                marked.new.extend(new.iter().map(whole));
            }
        }
        marked.fill(old, old.len(), new, new.len());
        marked
    }

    /// Highlights two lines between what they have in common at both ends.
    fn highlight_between(
        &mut self,
        old: &'a str,
        new: &'a str,
        (begin, end): (usize, usize),
        budget: &mut Budget,
    ) -> MarkedLines {
        let middle = |line: &'a str| &line[begin..line.len() - end];
        let mut marked = self.highlight(&[middle(old)], &[middle(new)], budget);
        let ends = |marked: &mut [Marked], line: &str| {
            let span = |text: &str| {
                (!text.is_empty()).then(|| Span { text: text.to_owned(), changed: false })
            };
            for line_marked in marked {
                line_marked.spans.splice(0..0, span(&line[..begin]));
                line_marked.spans.extend(span(&line[line.len() - end..]));
            }
        };
        ends(&mut marked.old, old);
        ends(&mut marked.new, new);
        marked
    }

    /// Highlights paired lines, and adds the lines before and between them.
    fn highlight_pairs(
        &mut self,
        old: &[&'a str],
        new: &[&'a str],
        marked: &mut MarkedLines,
        budget: &mut Budget,
    ) {
        let ignore = self.ignore_white_space;
        let mut split = |lines: &[&'a str]| -> Vec<_> {
            let lines = lines.iter();
            lines.map(|line| LineWords::split(line, ignore, &mut self.interner)).collect()
        };
        let (old_words, new_words) = (split(old), split(new));
        let found = pair_lines(&old_words, &new_words, budget);
        for (i, j) in found.pairs {
            marked.fill(old, i, new, j);
            let changes = self.compare(&old_words[i], &new_words[j], budget);
            let coarse = found.coarse || changes.iter().any(|change| change.coarse);
            let spans = if are_alike(&old_words[i], &new_words[j], &changes) {
                let in_old = changes.iter().map(|change| &change.old);
                let in_new = changes.iter().map(|change| &change.new);
                (old_words[i].spans(in_old), new_words[j].spans(in_new))
            } else {
                (mark_all(old[i]), mark_all(new[j]))
            };
            marked.old.push(Marked { spans: spans.0, coarse });
            marked.new.push(Marked { spans: spans.1, coarse });
        }
    }

    fn compare(
        &mut self,
        old: &LineWords<'_>,
        new: &LineWords<'_>,
        budget: &mut Budget,
    ) -> Vec<Change> {
        let found = self.comparer.compare(&old.numbers, &new.numbers, budget);
        let found = slide_down(found, &(0..old.numbers.len()), |in_new, a, b| {
            let numbers = &if in_new { new } else { old }.numbers;
            numbers[a] == numbers[b]
        });
        // Replaced words with only white space between them are easier to read as one change.
        let mut changes: Vec<Change> = Vec::with_capacity(found.len());
        for change in found {
            let is_replacement = |change: &Change| !change.old.is_empty() && !change.new.is_empty();
            match changes.last_mut() {
                Some(last)
                    if is_replacement(last)
                        && is_replacement(&change)
                        && old.is_blank(last.old.end..change.old.start) =>
                {
                    last.old.end = change.old.end;
                    last.new.end = change.new.end;
                    last.coarse |= change.coarse;
                }
                _ => changes.push(change),
            }
        }
        changes
    }
}

impl MarkedLines {
    /// Adds the unpaired lines before the next pair.
    fn fill(&mut self, old: &[&str], i: usize, new: &[&str], j: usize) {
        let alone = |line: &&str| Marked { spans: mark_all(line), coarse: false };
        self.old.extend(old[self.old.len()..i].iter().map(alone));
        self.new.extend(new[self.new.len()..j].iter().map(alone));
    }
}

/// A line as one changed span.
fn mark_all(line: &str) -> Vec<Span> {
    let span = (!line.is_empty()).then(|| Span { text: line.to_owned(), changed: true });
    span.into_iter().collect()
}

fn are_alike(old: &LineWords<'_>, new: &LineWords<'_>, changes: &[Change]) -> bool {
    let all = old.visible_len + new.visible_len;
    let changed: usize = changes
        .iter()
        .map(|change| old.visible_len_in(&change.old) + new.visible_len_in(&change.new))
        .sum();
    (all - changed) * 100 >= all * LEAST_EQUAL
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::budget::DEFAULT_BUDGET;
    use rstest::rstest;

    /// A line with changed words in brackets.
    fn bracketed(line: &Marked) -> String {
        let spans = line.spans.iter().map(|span| match span.changed {
            true => format!("[{}]", span.text),
            false => span.text.clone(),
        });
        spans.collect()
    }

    fn highlight(old: &[&str], new: &[&str], ignore: bool) -> (Vec<String>, Vec<String>) {
        let mut budget = Budget::new(DEFAULT_BUDGET);
        let marked = Highlighter::new(ignore).highlight(old, new, &mut budget);
        let bracketed = |lines: &[Marked]| lines.iter().map(bracketed).collect();
        (bracketed(&marked.old), bracketed(&marked.new))
    }

    #[rstest]
    #[case::word("a quick fox", "a slow fox", "a [quick] fox", "a [slow] fox")]
    #[case::neighbours(
        "the big old dog",
        "the tiny new dog",
        "the [big old] dog",
        "the [tiny new] dog"
    )]
    #[case::inserted("a fox", "a red fox", "a fox", "a [red ]fox")]
    #[case::space("a b", "a  b", "a[ ]b", "a[  ]b")]
    #[case::chinese("我们写文章", "我们改文章", "我们[写]文章", "我们[改]文章")]
    #[case::emoji("ok 👍🏽 done", "ok 👍 done", "ok [👍🏽] done", "ok [👍] done")]
    #[case::carriage_return("line\r", "line", "line[\r]", "line")]
    #[case::nothing_in_common("apples grow", "rusty nails", "[apples grow]", "[rusty nails]")]
    #[case::equal_but_for_the_newline("same", "same", "same", "same")]
    #[case::from_empty("", "new", "", "[new]")]
    fn highlights_changed_words(
        #[case] old: &str,
        #[case] new: &str,
        #[case] marked_old: &str,
        #[case] marked_new: &str,
    ) {
        let (found_old, found_new) = highlight(&[old], &[new], false);
        assert_eq!(found_old, [marked_old]);
        assert_eq!(found_new, [marked_new]);
    }

    #[rstest]
    #[case::space("a  b c", "a b x", "a  b [c]", "a b [x]")]
    #[case::indent("\tlet x", "let y", "\tlet [x]", "let [y]")]
    fn does_not_highlight_ignored_white_space(
        #[case] old: &str,
        #[case] new: &str,
        #[case] marked_old: &str,
        #[case] marked_new: &str,
    ) {
        let (found_old, found_new) = highlight(&[old], &[new], true);
        assert_eq!(found_old, [marked_old]);
        assert_eq!(found_new, [marked_new]);
    }

    #[test]
    fn highlights_an_unpaired_line_as_a_whole() {
        let (old, new) = highlight(&["one two three"], &["unlike", "one two 3"], false);
        assert_eq!(old, ["one two [three]"]);
        assert_eq!(new, ["[unlike]", "one two [3]"]);
    }

    #[test]
    fn lines_are_coarse_when_the_budget_runs_out() {
        let marked =
            Highlighter::new(false).highlight(&["x y x y z"], &["y x x z y"], &mut Budget::new(0));
        assert!(marked.old[0].coarse && marked.new[0].coarse);
    }
}
