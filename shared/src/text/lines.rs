//! Comparing two texts by lines. Only `\n` ends a line; a `\r` belongs to its line.

use std::borrow::Cow;
use std::iter;
use std::ops::Range;

use super::budget::Budget;
use super::sequence::{Change, Comparer, Interner, slide_down, slide_up_to};
use super::window::Window;
use super::without_mark;

/// How many lines a change may slide beyond the part in which the texts differ.
const SLIDE: usize = 8;

/// The lines, each with its `\n`, in which two texts differ, and some equal lines around them.
///
/// Line numbers count from the first of these lines, which comes after `lines_before` lines and
/// `bytes_before` bytes in both texts.
pub(crate) struct LineChanges<'a> {
    pub(crate) old: Vec<&'a str>,
    pub(crate) new: Vec<&'a str>,
    pub(crate) changes: Vec<Change>,
    pub(crate) lines_before: usize,
    pub(crate) bytes_before: usize,
    /// The lines of the old text within which changes may slide, so that each keeps its context.
    movable: Range<usize>,
}

/// How to compare lines.
#[derive(Clone, Copy)]
pub(crate) struct LineOptions {
    /// Treats lines that differ only in white space as equal.
    pub(crate) ignore_white_space: bool,
    /// How many equal lines to keep around each change.
    pub(crate) context: usize,
}

impl<'a> LineChanges<'a> {
    /// Compares two texts by lines.
    pub(crate) fn between(
        old: &'a str,
        new: &'a str,
        options: LineOptions,
        comparer: &mut Comparer,
        budget: &mut Budget,
    ) -> Self {
        let context = options.context;
        let window = Self::window(old, new, context);
        let old: Vec<_> = window.old.split_inclusive('\n').collect();
        let new: Vec<_> = window.new.split_inclusive('\n').collect();
        let key = |line: &'a str| {
            if options.ignore_white_space { without_white_space(line) } else { Cow::Borrowed(line) }
        };
        // Comparing the equal lines at both ends is faster than hashing them.
        let prefix = iter::zip(&old, &new).take_while(|(a, b)| a == b).count();
        let tails = iter::zip(old[prefix..].iter().rev(), new[prefix..].iter().rev());
        let suffix = tails.take_while(|(a, b)| a == b).count();
        let mut interner = Interner::default();
        let mut intern = |lines: &[&'a str]| -> Vec<u32> {
            let lines = lines[prefix..lines.len() - suffix].iter();
            lines.map(|line| interner.intern(key(line))).collect()
        };
        let changes = comparer.compare(&intern(&old), &intern(&new), budget);
        let changes = changes.into_iter().map(|change| change.moved_down(prefix));
        let first = if window.lines_before > 0 { context } else { 0 };
        let kept_after = if window.is_cut_after { context } else { 0 };
        let movable = first..old.len() - kept_after;
        let changes = slide_down(changes.collect(), &movable, |in_new, a, b| {
            let lines = if in_new { &new } else { &old };
            key(lines[a]) == key(lines[b])
        });
        Self {
            old,
            new,
            changes,
            lines_before: window.lines_before,
            bytes_before: window.bytes_before,
            movable,
        }
    }

    /// The part of two texts that [`Self::between`] looks at.
    pub(crate) fn window(old: &'a str, new: &'a str, context: usize) -> Window<'a> {
        Window::of(old, new, context.saturating_add(SLIDE))
    }

    /// Slides additions and removals so that they end with a blank line, as paragraphs and
    /// functions do. Only for display: deltas and merges need one fixed place.
    pub(crate) fn align_to_blank_lines(&mut self) {
        let Self { old, new, .. } = self;
        let line = |in_new, place: usize| if in_new { new[place] } else { old[place] };
        slide_up_to(
            &mut self.changes,
            &self.movable,
            |in_new, a, b| line(in_new, a) == line(in_new, b),
            |in_new, place| line(in_new, place).trim_ascii().is_empty(),
        );
    }
}

/// The offset at which each line starts, and the end of the last line. The first starts at `at`.
pub(crate) fn line_starts(mut at: usize, lines: &[&str]) -> Vec<usize> {
    let mut starts = Vec::with_capacity(lines.len() + 1);
    starts.push(at);
    for line in lines {
        at += line.len();
        starts.push(at);
    }
    starts
}

/// The bytes of the lines in `range`, given the result of [`line_starts`].
pub(crate) fn byte_range(starts: &[usize], range: &Range<usize>) -> Range<usize> {
    starts[range.start]..starts[range.end]
}

/// Returns a line without white space and without a byte order mark before it.
fn without_white_space(line: &str) -> Cow<'_, str> {
    let line = without_mark(line);
    if line.contains(char::is_whitespace) {
        Cow::Owned(line.split_whitespace().collect())
    } else {
        Cow::Borrowed(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::budget::DEFAULT_BUDGET;
    use rstest::rstest;

    type Ranges = (Range<usize>, Range<usize>);

    fn changes(old: &str, new: &str, ignore_white_space: bool) -> Vec<Ranges> {
        let mut budget = Budget::new(DEFAULT_BUDGET);
        let mut comparer = Comparer::default();
        let options = LineOptions { ignore_white_space, context: 3 };
        let mut lines = LineChanges::between(old, new, options, &mut comparer, &mut budget);
        lines.align_to_blank_lines();
        let ranges = lines.changes.into_iter();
        ranges.map(|change| (change.old, change.new)).collect()
    }

    #[rstest]
    #[case::equal("a\nb\n", "a\nb\n", &[])]
    #[case::replaced("a\nb\nc\n", "a\nx\nc\n", &[(1..2, 1..2)])]
    #[case::last_newline_gone("a\nb\n", "a\nb", &[(1..2, 1..2)])]
    #[case::carriage_return("a\r\nb\r\n", "a\nb\r\n", &[(0..1, 0..1)])]
    #[case::from_nothing("", "a\n\nb", &[(0..0, 0..3)])]
    #[case::to_nothing("a\n", "", &[(0..1, 0..0)])]
    #[case::paragraph("a\n\nc\n", "a\n\nb\n\nc\n", &[(2..2, 2..4)])]
    fn finds_changed_lines(#[case] old: &str, #[case] new: &str, #[case] expected: &[Ranges]) {
        assert_eq!(changes(old, new, false), expected);
    }

    #[test]
    fn a_sliding_change_keeps_its_context() {
        let old = "a\n".repeat(1_000);
        let new = "a\n".repeat(1_001);
        let mut budget = Budget::new(DEFAULT_BUDGET);
        let options = LineOptions { ignore_white_space: false, context: 3 };
        let old = format!("{old}b\n{old}");
        let new = format!("{new}b\n{new}");
        let mut comparer = Comparer::default();
        let lines = LineChanges::between(&old, &new, options, &mut comparer, &mut budget);
        for change in &lines.changes {
            assert!(lines.lines_before == 0 || change.old.start >= 3);
            assert!(change.old.end + 3 <= lines.old.len());
        }
        assert_eq!(lines.changes.len(), 2);
    }

    #[rstest]
    #[case::indent("  a\nb\n", "a\nb\n", &[])]
    #[case::line_ends("a\r\nb", "a\nb\n", &[])]
    #[case::byte_order_mark("\u{feff}a\n", "a\n", &[])]
    #[case::inside("f( x )\ny\n", "f(x)\nz\n", &[(1..2, 1..2)])]
    fn can_ignore_white_space(#[case] old: &str, #[case] new: &str, #[case] expected: &[Ranges]) {
        assert_eq!(changes(old, new, true), expected);
    }
}
