//! Comparing two texts for display: hunks of changed lines with context, and highlighted words in
//! changed lines (PRODUCT V4; API.md defines the JSON).
//!
//! Hunks contain only changes and their context. To show the rest, use [`Diff::gaps`].

mod gaps;
mod highlight;
mod hunk_id;
mod hunks;
mod line_words;
mod pairs;
mod types;

use super::budget::{Budget, DEFAULT_BUDGET};
use super::lines::{LineChanges, LineOptions};
use super::sequence::Comparer;
pub use gaps::Gap;
use highlight::Highlighter;
pub use hunk_id::HunkId;
pub(crate) use hunks::{HunkRange, group_changes};
pub use types::{Diff, DiffLine, Hunk, LineKind, Span};

/// How to compare two texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiffOptions {
    /// How many unchanged lines to show around changes.
    pub context: usize,
    /// Treats lines that differ only in white space as equal, including line ends and a missing
    /// newline at the end. Such lines are shown as in the new text.
    pub ignore_white_space: bool,
    /// The maximum number of steps. Beyond it the result is coarser, and marked as such.
    pub budget: u64,
    /// The maximum number of lines in all hunks. Each takes about 200 bytes besides its text.
    pub max_lines: usize,
}

/// The default of [`DiffOptions::max_lines`].
pub const MAX_LINES: usize = 100_000;

impl Default for DiffOptions {
    fn default() -> Self {
        Self { context: 3, ignore_white_space: false, budget: DEFAULT_BUDGET, max_lines: MAX_LINES }
    }
}

/// The number of added and removed lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LineCount {
    /// Lines that are only in the new text.
    pub added: usize,
    /// Lines that are only in the old text.
    pub removed: usize,
}

/// Compares two texts by lines, and the changed lines by words.
pub fn diff_lines(old: &str, new: &str, options: &DiffOptions) -> Diff {
    let mut budget = Budget::new(options.budget);
    let lines = compare_for_display(old, new, options, &mut budget);
    let count = count_changes(&lines);
    let mut highlighter = Highlighter::new(options.ignore_white_space);
    let (mut hunks, mut left, mut truncated) = (Vec::new(), options.max_lines, false);
    for range in group_changes(&lines, options.context) {
        truncated = range.lines() > left;
        if left > 0 {
            hunks.push(Hunk::of(&lines, &range, &mut highlighter, &mut budget, left));
        }
        if truncated {
            break;
        }
        left -= range.lines();
    }
    Diff {
        added: count.added,
        removed: count.removed,
        coarse: hunks.iter().any(|hunk| hunk.coarse),
        truncated,
        hunks,
    }
}

/// Counts added and removed lines, with the same result as [`diff_lines`] with default options.
pub fn count_lines(old: &str, new: &str) -> LineCount {
    let options = DiffOptions::default();
    let mut budget = Budget::new(options.budget);
    count_changes(&compare_for_display(old, new, &options, &mut budget))
}

/// Returns how many bytes of both texts [`count_lines`] compares: the lines from the first to the
/// last that differ, and some around them.
pub fn changed_bytes(old: &str, new: &str) -> usize {
    let window = LineChanges::window(old, new, DiffOptions::default().context);
    window.old.len() + window.new.len()
}

/// The changed lines, aligned for display.
pub(crate) fn compare_for_display<'a>(
    old: &'a str,
    new: &'a str,
    options: &DiffOptions,
    budget: &mut Budget,
) -> LineChanges<'a> {
    let mut comparer = Comparer::default();
    let line_options =
        LineOptions { ignore_white_space: options.ignore_white_space, context: options.context };
    let mut lines = LineChanges::between(old, new, line_options, &mut comparer, budget);
    lines.align_to_blank_lines();
    lines
}

fn count_changes(lines: &LineChanges<'_>) -> LineCount {
    let changes = lines.changes.iter();
    changes.fold(LineCount::default(), |count, change| LineCount {
        added: count.added + change.new.len(),
        removed: count.removed + change.old.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::testing;
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::json;

    fn options(context: usize, budget: u64) -> DiffOptions {
        DiffOptions { context, budget, ..DiffOptions::default() }
    }

    #[test]
    fn only_the_lines_around_the_changes_count_as_work() {
        let lines = "a line of text\n".repeat(10_000);
        let (old, new) = (format!("{lines}old\n{lines}"), format!("{lines}new\n{lines}"));
        assert!(changed_bytes(&old, &new) < 1_000);
        assert_eq!(changed_bytes("", &new), new.len());
    }

    #[test]
    fn serialises_as_documented() {
        let diff = diff_lines("a\nb c\n", "a\nb d", &DiffOptions::default());
        let id = diff.hunks[0].id.to_string();
        let json = json!({
            "added": 1, "removed": 1, "coarse": false,
            "hunks": [{
                "id": id, "oldStart": 1, "oldLines": 2, "newStart": 1, "newLines": 2,
                "lines": [
                    {"kind": "equal", "old": 1, "new": 1, "spans": [{"text": "a", "changed": false}]},
                    {"kind": "delete", "old": 2, "spans": [
                        {"text": "b ", "changed": false}, {"text": "c", "changed": true}
                    ]},
                    {"kind": "insert", "new": 2, "noNewline": true, "spans": [
                        {"text": "b ", "changed": false}, {"text": "d", "changed": true}
                    ]},
                ],
            }],
        });
        assert_eq!(serde_json::to_value(&diff).unwrap(), json);
        assert_eq!(serde_json::from_value::<Diff>(json).unwrap(), diff);
    }

    #[rstest]
    #[case::equal("a\n", "a\n", 0, 0)]
    #[case::line_added("a\n", "a\nb\n", 1, 0)]
    #[case::line_changed("a\nb\n", "a\nc\n", 1, 1)]
    #[case::newline_removed("a\n", "a", 1, 1)]
    #[case::from_nothing("", "a\n\n", 2, 0)]
    fn counts_lines(
        #[case] old: &str,
        #[case] new: &str,
        #[case] added: usize,
        #[case] removed: usize,
    ) {
        assert_eq!(count_lines(old, new), LineCount { added, removed });
    }

    #[test]
    fn equal_texts_have_no_hunks() {
        let diff = diff_lines("a\nb", "a\nb", &DiffOptions::default());
        assert_eq!((diff.added, diff.removed, diff.hunks), (0, 0, vec![]));
    }

    #[test]
    fn the_context_does_not_change_the_id_of_a_hunk() {
        let (old, new) = ("1\n2\n3\n4\n5\n", "1\n2\nthree\n4\n5\n");
        let id = |context| {
            let diff = diff_lines(old, new, &options(context, DEFAULT_BUDGET));
            diff.hunks[0].id.clone()
        };
        assert_eq!(id(0), id(3));
    }

    /// The page must compute the same id; `tests/text_wasm.rs` checks that.
    #[test]
    fn hunks_have_the_same_ids_as_in_the_page() {
        let diff = diff_lines("a\nb\nc\n", "a\nx y\nc", &DiffOptions::default());
        assert_eq!(diff.hunks[0].id.to_string(), "1-2-1-2-27d3fcb1803fffd3");
    }

    #[test]
    fn can_ignore_white_space() {
        let options = DiffOptions { ignore_white_space: true, ..DiffOptions::default() };
        let diff = diff_lines("  a\r\nb\nc\n", "a\nb\nd", &options);
        assert_eq!((diff.added, diff.removed), (1, 1));
        assert_eq!(diff.hunks[0].lines[0].text(), "a");
        assert!(diff_lines("a b", " ab\r\n", &options).hunks.is_empty());
    }

    #[rstest]
    #[case::all_lines(9, &[5, 4], false)]
    #[case::within_a_hunk(8, &[5, 3], true)]
    #[case::between_hunks(5, &[5], true)]
    #[case::within_a_change(2, &[2], true)]
    #[case::no_lines(0, &[], true)]
    fn hunks_are_truncated(
        #[case] max_lines: usize,
        #[case] lines: &[usize],
        #[case] truncated: bool,
    ) {
        let (old, new) = ("a\nb\n1\n2\n3\n4\n", "x\ny\n1\n2\n3\nfour\n4\nfive\n");
        let options = DiffOptions { max_lines, ..options(1, DEFAULT_BUDGET) };
        let diff = diff_lines(old, new, &options);
        let found: Vec<_> = diff.hunks.iter().map(|hunk| hunk.lines.len()).collect();
        assert_eq!((found.as_slice(), diff.truncated), (lines, truncated));
        assert_eq!((diff.added, diff.removed), (4, 2));
        for hunk in &diff.hunks {
            let olds = hunk.lines.iter().filter(|line| line.old.is_some()).count();
            let news = hunk.lines.iter().filter(|line| line.new.is_some()).count();
            assert_eq!((hunk.old_lines, hunk.new_lines), (olds, news));
        }
    }

    #[test]
    fn a_truncated_change_has_lines_of_both_sides() {
        let (old, new) = ("a\n".repeat(50), "b\n".repeat(30));
        let diff = diff_lines(&old, &new, &DiffOptions { max_lines: 20, ..options(3, 1_000) });
        assert_eq!((diff.hunks[0].old_lines, diff.hunks[0].new_lines), (10, 10));
        let diff = diff_lines(&old, &new, &DiffOptions { max_lines: 70, ..options(3, 1_000) });
        assert_eq!((diff.hunks[0].old_lines, diff.hunks[0].new_lines), (40, 30));
    }

    #[test]
    fn words_of_very_much_changed_text_are_not_compared() {
        let (old, new) = ("a b ".repeat(300_000), "a c ".repeat(300_000));
        let diff = diff_lines(&old, &new, &DiffOptions::default());
        let changed = |line: &DiffLine| line.spans.iter().filter(|span| span.changed).count();
        let spans: Vec<_> = diff.hunks[0].lines.iter().map(changed).collect();
        assert_eq!((spans.as_slice(), diff.coarse), ([1, 1].as_slice(), true));
    }

    #[test]
    fn a_small_change_in_a_very_long_line_is_found() {
        let around = "many words ".repeat(100_000);
        let (old, new) = (format!("{around}before {around}"), format!("{around}after {around}"));
        let diff = diff_lines(&old, &new, &DiffOptions::default());
        let changed = |line: &DiffLine| {
            let spans = line.spans.iter().filter(|span| span.changed);
            spans.map(|span| span.text.clone()).collect::<String>()
        };
        let texts: Vec<_> = diff.hunks[0].lines.iter().map(changed).collect();
        assert_eq!(
            (texts.as_slice(), diff.coarse),
            (["before", "after"].map(str::to_owned).as_slice(), false)
        );
        assert_eq!([diff.hunks[0].lines[0].text(), diff.hunks[0].lines[1].text()], [old, new]);
    }

    #[test]
    fn is_coarse_when_the_budget_runs_out() {
        let old = "a\nb\n".repeat(50);
        let new = "b\nb\na\n".repeat(50);
        let coarse = diff_lines(&old, &new, &options(3, 10));
        assert!(coarse.coarse && coarse.hunks[0].coarse);
        assert!(coarse.hunks[0].lines.iter().any(|line| line.coarse));
        assert!(!diff_lines(&old, &new, &DiffOptions::default()).coarse);
    }

    /// Both texts, rebuilt from the hunks and the gaps between them.
    fn rebuild(diff: &Diff, new: &str) -> (String, String) {
        let (mut old_text, mut new_text) = (String::new(), String::new());
        let gaps = diff.gaps(new);
        assert_eq!(gaps.len(), diff.hunks.len() + 1);
        let (mut old_line, mut new_line) = (1, 1);
        for (index, gap) in gaps.iter().enumerate() {
            assert_eq!((gap.old_start, gap.new_start), (old_line, new_line));
            for line in &gap.lines {
                old_text += &format!("{line}\n");
                new_text += &format!("{line}\n");
            }
            old_line += gap.lines.len();
            new_line += gap.lines.len();
            let Some(hunk) = diff.hunks.get(index) else {
                continue;
            };
            for line in &hunk.lines {
                let text = line.text() + if line.no_newline { "" } else { "\n" };
                if let Some(number) = line.old {
                    assert_eq!(number, old_line);
                    old_text += &text;
                    old_line += 1;
                }
                if let Some(number) = line.new {
                    assert_eq!(number, new_line);
                    new_text += &text;
                    new_line += 1;
                }
            }
        }
        // The last gap does not tell whether its last line ends with a newline.
        if !new.ends_with('\n') && gaps.last().is_some_and(|gap| !gap.lines.is_empty()) {
            old_text.pop();
            new_text.pop();
        }
        (old_text, new_text)
    }

    /// The unchanged text of changed lines on one side.
    fn unchanged(diff: &Diff, kind: LineKind) -> Vec<String> {
        let lines = diff.hunks.iter().flat_map(|hunk| &hunk.lines);
        let lines = lines.filter(|line| line.kind == kind && line.spans.iter().any(|s| !s.changed));
        let unchanged = |line: &DiffLine| {
            let spans = line.spans.iter().filter(|span| !span.changed);
            spans.map(|span| span.text.as_str()).collect()
        };
        lines.map(unchanged).collect()
    }

    proptest! {
        #[test]
        fn contains_both_texts(
            (old, new) in testing::text_pair(),
            context in 0..4_usize,
            budget in prop_oneof![Just(DEFAULT_BUDGET), 0..1_000_u64],
        ) {
            let diff = diff_lines(&old, &new, &options(context, budget));
            prop_assert_eq!(rebuild(&diff, &new), (old, new));
        }

        #[test]
        fn counts_the_lines_it_shows((old, new) in testing::text_pair()) {
            let diff = diff_lines(&old, &new, &DiffOptions::default());
            let lines = diff.hunks.iter().flat_map(|hunk| &hunk.lines);
            let (added, removed) = lines.fold((0, 0), |(added, removed), line| match line.kind {
                LineKind::Insert => (added + 1, removed),
                LineKind::Delete => (added, removed + 1),
                LineKind::Equal => (added, removed),
            });
            prop_assert_eq!((diff.added, diff.removed), (added, removed));
            prop_assert_eq!(count_lines(&old, &new), LineCount { added, removed });
        }

        #[test]
        fn unmarked_text_is_on_both_sides((old, new) in testing::text_pair()) {
            let diff = diff_lines(&old, &new, &DiffOptions::default());
            prop_assert_eq!(unchanged(&diff, LineKind::Delete), unchanged(&diff, LineKind::Insert));
        }

        #[test]
        fn hunk_ids_are_unique((old, new) in testing::text_pair()) {
            let diff = diff_lines(&old, &new, &options(0, DEFAULT_BUDGET));
            let mut ids: Vec<_> = diff.hunks.iter().map(|hunk| hunk.id.to_string()).collect();
            ids.sort();
            ids.dedup();
            prop_assert_eq!(ids.len(), diff.hunks.len());
        }
    }
}
