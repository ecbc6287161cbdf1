//! Grouping changes into hunks.

use std::iter;
use std::ops::Range;

use super::{DiffLine, Highlighter, Hunk, HunkId, LineKind, Span};
use crate::text::budget::Budget;
use crate::text::lines::LineChanges;
use crate::text::sequence::Change;

/// The changes of a hunk and its lines on both sides, numbered as in [`LineChanges`].
pub(crate) struct HunkRange<'a> {
    pub(crate) old: Range<usize>,
    pub(crate) new: Range<usize>,
    pub(crate) changes: &'a [Change],
}

/// Groups changes into hunks with up to `context` unchanged lines before and after them. Changes
/// whose contexts touch share a hunk.
pub(crate) fn group_changes<'a>(
    lines: &'a LineChanges<'_>,
    context: usize,
) -> impl Iterator<Item = HunkRange<'a>> {
    let is_near = move |above: &Change, below: &Change| {
        below.old.start - above.old.end <= context.saturating_mul(2)
    };
    let groups = lines.changes.chunk_by(is_near);
    groups.filter_map(move |changes| {
        let (first, last) = (changes.first()?, changes.last()?);
        let before = context.min(first.old.start);
        let after = context.min(lines.old.len() - last.old.end);
        Some(HunkRange {
            old: first.old.start - before..last.old.end + after,
            new: first.new.start - before..last.new.end + after,
            changes,
        })
    })
}

impl HunkRange<'_> {
    /// The number of lines to show: a change has its old and its new lines.
    pub(super) fn lines(&self) -> usize {
        self.old.len() + self.changes.iter().map(|change| change.new.len()).sum::<usize>()
    }

    /// The parts of the hunk in order: pairs of unchanged lines, then a change, except in the last
    /// part.
    pub(crate) fn parts(
        &self,
    ) -> impl Iterator<Item = (iter::Zip<Range<usize>, Range<usize>>, Option<&Change>)> {
        let (mut old, mut new) = (self.old.start, self.new.start);
        let changes = self.changes.iter().map(Some).chain([None]);
        changes.map(move |change| {
            let (old_end, new_end) = change.map_or((self.old.end, self.new.end), |change| {
                (change.old.start, change.new.start)
            });
            let equal = (old..old_end).zip(new..new_end);
            if let Some(change) = change {
                (old, new) = (change.old.end, change.new.end);
            }
            (equal, change)
        })
    }

    /// The first line of one side as diff(1) counts it: 1-based in the whole text, or the line
    /// before the hunk if it has no lines on this side.
    pub(crate) fn start(lines: &LineChanges<'_>, side: &Range<usize>) -> usize {
        lines.lines_before + side.start + usize::from(!side.is_empty())
    }
}

impl Hunk {
    /// The first `most` lines of the hunk at `range`, with changed words highlighted as far as the
    /// budget allows.
    pub(super) fn of<'a>(
        lines: &LineChanges<'a>,
        range: &HunkRange<'_>,
        highlighter: &mut Highlighter<'a>,
        budget: &mut Budget,
        most: usize,
    ) -> Self {
        let mut shown = Vec::with_capacity(range.lines().min(most));
        let first = lines.lines_before + 1;
        for (equal, change) in range.parts() {
            let equal = equal.take(most - shown.len());
            shown.extend(equal.map(|(old, new)| DiffLine {
                old: Some(first + old),
                new: Some(first + new),
                ..line(LineKind::Equal, lines.new[new], unmarked(lines.new[new]))
            }));
            if let Some(change) = change {
                let change = first_of(change, most - shown.len());
                shown.extend(changed_lines(lines, &change, highlighter, budget));
            }
        }
        let (old, new) = (
            range.old.start..range.old.start + count(&shown, |line| line.old.is_some()),
            range.new.start..range.new.start + count(&shown, |line| line.new.is_some()),
        );
        Self {
            id: id_of(lines, range.changes),
            old_start: HunkRange::start(lines, &old),
            old_lines: old.len(),
            new_start: HunkRange::start(lines, &new),
            new_lines: new.len(),
            coarse: shown.iter().any(|line| line.coarse),
            lines: shown,
        }
    }
}

/// The part of a change with at most this many lines, divided between both sides.
fn first_of(change: &Change, most: usize) -> Change {
    let old = change.old.len().min(most.div_ceil(2).max(most.saturating_sub(change.new.len())));
    let new = change.new.len().min(most - old);
    Change {
        old: change.old.start..change.old.start + old,
        new: change.new.start..change.new.start + new,
        coarse: change.coarse,
    }
}

fn count(lines: &[DiffLine], is_counted: impl Fn(&DiffLine) -> bool) -> usize {
    lines.iter().filter(|line| is_counted(line)).count()
}

/// The id of the lines from the first to the last change.
fn id_of(lines: &LineChanges<'_>, changes: &[Change]) -> HunkId {
    let span = |side: fn(&Change) -> &Range<usize>| {
        let first = changes.first().map_or(0, |change| side(change).start);
        first..changes.last().map_or(0, |change| side(change).end)
    };
    let (old, new) = (span(|change| &change.old), span(|change| &change.new));
    HunkId::of(
        lines.lines_before + old.start,
        &lines.old[old],
        lines.lines_before + new.start,
        &lines.new[new],
    )
}

fn changed_lines<'a>(
    lines: &LineChanges<'a>,
    change: &Change,
    highlighter: &mut Highlighter<'a>,
    budget: &mut Budget,
) -> impl Iterator<Item = DiffLine> {
    let old_lines = &lines.old[change.old.clone()];
    let new_lines = &lines.new[change.new.clone()];
    let texts = |lines: &[&'a str]| -> Vec<_> {
        let lines = lines.iter();
        lines.map(|line| without_newline(line)).collect()
    };
    let marked = highlighter.highlight(&texts(old_lines), &texts(new_lines), budget);
    let is_coarse = change.coarse;
    let old_first = lines.lines_before + change.old.start + 1;
    let deleted = iter::zip(old_lines, marked.old).zip(old_first..);
    let deleted = deleted.map(move |((text, marked), number)| DiffLine {
        old: Some(number),
        coarse: is_coarse || marked.coarse,
        ..line(LineKind::Delete, text, marked.spans)
    });
    let new_first = lines.lines_before + change.new.start + 1;
    let inserted = iter::zip(new_lines, marked.new).zip(new_first..);
    let inserted = inserted.map(move |((text, marked), number)| DiffLine {
        new: Some(number),
        coarse: is_coarse || marked.coarse,
        ..line(LineKind::Insert, text, marked.spans)
    });
    deleted.chain(inserted)
}

/// A line without line numbers.
fn line(kind: LineKind, text: &str, spans: Vec<Span>) -> DiffLine {
    DiffLine { kind, old: None, new: None, spans, no_newline: !text.ends_with('\n'), coarse: false }
}

fn unmarked(line: &str) -> Vec<Span> {
    let text = without_newline(line);
    let span = (!text.is_empty()).then(|| Span { text: text.to_owned(), changed: false });
    span.into_iter().collect()
}

fn without_newline(line: &str) -> &str {
    line.strip_suffix('\n').unwrap_or(line)
}
