//! The unchanged lines between hunks.

use super::Diff;

/// Unchanged lines before, between or after the hunks of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap<'a> {
    /// The 1-based number of its first line in the old text.
    pub old_start: usize,
    /// The 1-based number of its first line in the new text.
    pub new_start: usize,
    /// The lines of the new text, without `\n`.
    pub lines: Vec<&'a str>,
}

impl Diff {
    /// The unchanged lines outside of hunks: one gap before each hunk and one after the last. Gaps
    /// may be empty. `new` is the new text.
    pub fn gaps<'a>(&self, new: &'a str) -> Vec<Gap<'a>> {
        let mut lines = new.split_inclusive('\n');
        let (mut old_at, mut new_at) = (0, 0);
        let mut gaps = Vec::with_capacity(self.hunks.len() + 1);
        let mut take_gap = |until: Option<usize>, old_at: usize, new_at: usize| {
            let count = until.map_or(usize::MAX, |end| end.saturating_sub(new_at));
            let lines = lines.by_ref().take(count);
            Gap {
                old_start: old_at + 1,
                new_start: new_at + 1,
                lines: lines.map(|line| line.strip_suffix('\n').unwrap_or(line)).collect(),
            }
        };
        for hunk in &self.hunks {
            let first = hunk.new_start - usize::from(hunk.new_lines > 0);
            let gap = take_gap(Some(first), old_at, new_at);
            old_at += gap.lines.len() + hunk.old_lines;
            new_at += gap.lines.len() + hunk.new_lines;
            gaps.push(gap);
            // Skip the lines of the hunk.
            take_gap(Some(new_at), 0, first);
        }
        gaps.push(take_gap(None, old_at, new_at));
        gaps
    }
}
