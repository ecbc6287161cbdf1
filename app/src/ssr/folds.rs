//! What a comparison leaves out.

use crate::api::versions::Fold;
use izanagi_shared::text::diff::Diff;

/// More unchanged lines in one place are sent only when asked for.
const LINES_UNASKED: usize = 500;

/// What lies between the hunks of a comparison whose right side is `new`; the part with the index
/// `unfold` with its lines, however many.
pub(crate) fn folds(diff: &Diff, new: &str, unfold: Option<usize>) -> Vec<Fold> {
    let gaps = diff.gaps(new).into_iter().enumerate();
    gaps.map(|(index, gap)| {
        let count = gap.lines.len();
        let is_sent = count <= LINES_UNASKED || unfold == Some(index);
        Fold {
            old_start: gap.old_start,
            new_start: gap.new_start,
            count,
            lines: is_sent.then(|| gap.lines.into_iter().map(str::to_owned).collect()),
        }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use izanagi_shared::text::diff::{DiffOptions, diff_lines};

    #[test]
    fn a_long_unchanged_part_is_sent_only_when_asked_for() {
        let old: String = (0..600).map(|line| format!("{line}\n")).collect();
        let new = old.clone() + "one more\n";
        let diff = diff_lines(&old, &new, &DiffOptions::default());
        let closed = folds(&diff, &new, None);
        assert_eq!((closed.len(), closed[0].count, closed[0].lines.is_none()), (2, 597, true));
        let unfolded = folds(&diff, &new, Some(0));
        assert_eq!(unfolded[0].lines.as_ref().map(Vec::len), Some(597));
    }
}
