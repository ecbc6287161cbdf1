//! Pairing removed lines with the inserted lines that replace them.

use super::line_words::LineWords;
use crate::text::budget::Budget;

/// The maximum number of removed × inserted lines to compare pairwise.
const TABLE_LIMIT: usize = 40_000;

/// The minimum similarity of a pair, in thousandths.
const LEAST_SIMILARITY: u32 = 250;

/// Pairs of removed and inserted lines, in order.
pub(super) struct Pairs {
    pub(super) pairs: Vec<(usize, usize)>,
    /// There were too many lines to find the best pairs.
    pub(super) coarse: bool,
}

/// Pairs `removed` with `inserted` lines so that the total similarity is maximal and pairs do not
/// cross.
///
/// Very long changes are paired line by line from the top. That is usually right if both sides have
/// the same number of lines, as with a new indentation or a word replaced everywhere.
pub(super) fn pair_lines(
    removed: &[LineWords<'_>],
    inserted: &[LineWords<'_>],
    budget: &mut Budget,
) -> Pairs {
    let (rows, columns) = (removed.len(), inserted.len());
    if rows.saturating_mul(columns) <= 1 {
        return from_the_top(rows, columns);
    }
    let words =
        |lines: &[LineWords<'_>]| -> usize { lines.iter().map(|line| line.numbers.len()).sum() };
    if rows.saturating_mul(columns) > TABLE_LIMIT
        || !budget.spend(words(removed) * columns + words(inserted) * rows)
    {
        return from_the_top(rows, columns);
    }
    let sorted = |lines: &[LineWords<'_>]| -> Vec<_> {
        lines.iter().map(LineWords::sorted_numbers).collect()
    };
    Pairs { pairs: Table::of(&sorted(removed), &sorted(inserted)).best_pairs(), coarse: false }
}

fn from_the_top(rows: usize, columns: usize) -> Pairs {
    Pairs {
        pairs: (0..rows.min(columns)).map(|line| (line, line)).collect(),
        coarse: rows != columns && rows.min(columns) > 0,
    }
}

/// For every pair of lines, the maximum total similarity of the pairs up to there
/// (Needleman and Wunsch, 1970).
struct Table {
    columns: usize,
    similarity: Vec<u32>,
    /// Has one more row and column than there are lines.
    best: Vec<u32>,
}

impl Table {
    fn of(removed: &[Vec<u32>], inserted: &[Vec<u32>]) -> Self {
        let columns = inserted.len();
        let mut table = Self {
            columns,
            similarity: Vec::with_capacity(removed.len() * columns),
            best: vec![0; (removed.len() + 1) * (columns + 1)],
        };
        for (row, old) in removed.iter().enumerate() {
            for (column, new) in inserted.iter().enumerate() {
                let similarity = similarity(old, new);
                table.similarity.push(similarity);
                let paired = table.best(row, column) + similarity;
                let unpaired = table.best(row, column + 1).max(table.best(row + 1, column));
                table.best[(row + 1) * (columns + 1) + column + 1] = paired.max(unpaired);
            }
        }
        table
    }

    fn best(&self, row: usize, column: usize) -> u32 {
        self.best[row * (self.columns + 1) + column]
    }

    fn best_pairs(&self) -> Vec<(usize, usize)> {
        let mut pairs = Vec::new();
        let mut column = self.columns;
        let mut row = self.best.len() / (self.columns + 1) - 1;
        while row > 0 && column > 0 {
            let best = self.best(row, column);
            if best == self.best(row - 1, column) {
                row -= 1;
            } else if best == self.best(row, column - 1) {
                column -= 1;
            } else {
                (row, column) = (row - 1, column - 1);
                pairs.push((row, column));
            }
        }
        pairs.reverse();
        pairs
    }
}

/// The share of words that two lines have in common, in thousandths; 0 if it is too low. Both
/// lists are sorted.
fn similarity(old: &[u32], new: &[u32]) -> u32 {
    let mut common = 0;
    let (mut i, mut j) = (0, 0);
    while i < old.len() && j < new.len() {
        let order = old[i].cmp(&new[j]);
        common += usize::from(order.is_eq());
        i += usize::from(order.is_le());
        j += usize::from(order.is_ge());
    }
    let share = (2_000 * common).checked_div(old.len() + new.len());
    let share = share.and_then(|share| u32::try_from(share).ok());
    share.filter(|share| *share >= LEAST_SIMILARITY).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::budget::DEFAULT_BUDGET;
    use crate::text::sequence::Interner;
    use rstest::rstest;

    fn pair(removed: &[&'static str], inserted: &[&'static str], steps: u64) -> Pairs {
        let mut interner = Interner::default();
        let mut split = |lines: &[&'static str]| -> Vec<_> {
            let lines = lines.iter();
            lines.map(|line| LineWords::split(line, false, &mut interner)).collect()
        };
        let (removed, inserted) = (split(removed), split(inserted));
        pair_lines(&removed, &inserted, &mut Budget::new(steps))
    }

    #[rstest]
    #[case::inserted_before(&["a b c d"], &["x y z", "a b c e"], &[(0, 1)])]
    #[case::removed_before(&["x y z", "a b c d"], &["a b c e"], &[(1, 0)])]
    #[case::both_similar(&["a b c d", "e f g h"], &["a b c x", "1 2 3", "e f g y"], &[(0, 0), (1, 2)])]
    #[case::nothing_in_common(&["a b c d", "e f g h"], &["1 2 3"], &[])]
    #[case::never_crossing(&["a b c d", "e f g h i j"], &["e f g h i x", "a b c x"], &[(1, 0)])]
    #[case::one_line_each(&["a b c d"], &["1 2 3"], &[(0, 0)])]
    #[case::only_inserted(&[], &["1", "2"], &[])]
    fn pairs_similar_lines(
        #[case] removed: &[&'static str],
        #[case] inserted: &[&'static str],
        #[case] expected: &[(usize, usize)],
    ) {
        let found = pair(removed, inserted, DEFAULT_BUDGET);
        assert_eq!(found.pairs, expected);
        assert!(!found.coarse);
    }

    #[test]
    fn pairs_from_the_top_when_the_budget_runs_out() {
        let found = pair(&["a b c d"], &["x y z", "a b c e"], 3);
        assert_eq!(found.pairs, [(0, 0)]);
        assert!(found.coarse);
    }

    #[test]
    fn pairing_equal_numbers_of_lines_from_the_top_is_not_coarse() {
        let found = pair(&["a b", "c d"], &["a x", "c y"], 3);
        assert_eq!(found.pairs, [(0, 0), (1, 1)]);
        assert!(!found.coarse);
    }
}
