//! Pieces of a comparison that are small enough for an exact search by the crate `similar`.
//!
//! The search cannot be interrupted, but its cost has an upper bound that follows from the number
//! of items. A piece is therefore limited to [`MAX_ITEMS`], and callers check the bound first.

use std::convert::Infallible;
use std::ops::Range;

use similar::algorithms::{DiffHook, myers};

use super::anchors::Anchors;

/// The maximum number of items in a piece, both sides added.
const MAX_ITEMS: usize = 512;

/// Larger pieces are searched without the items that one side lacks. For smaller ones, finding
/// these items costs more than it saves.
const FILTER_ABOVE: usize = 64;

/// A run of items that both sides have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    old: usize,
    new: usize,
    len: usize,
}

/// The result of comparing two short sequences.
pub(super) struct Piece {
    /// A longest common subsequence, in order.
    runs: Runs,
    /// How many items of each side the piece covers.
    pub(super) end: (usize, usize),
    /// What the search cost, in steps of the budget.
    pub(super) steps: usize,
}

/// How many items of each side to compare next: everything if it fits into one piece, otherwise
/// the beginning of both.
pub(super) fn head(old_len: usize, new_len: usize) -> (usize, usize) {
    let half = MAX_ITEMS / 2;
    let limit = |other: usize| half.max(MAX_ITEMS.saturating_sub(other));
    (old_len.min(limit(new_len)), new_len.min(limit(old_len)))
}

/// An upper bound on [`Piece::steps`] for sequences with this many items, both sides added.
pub(super) const fn max_steps(items: usize) -> usize {
    items + steps(items, items)
}

/// The cost of a search over `items` of which `changed` are not common. Myers' algorithm takes at
/// most about three times as many steps, and usually far fewer.
const fn steps(items: usize, changed: usize) -> usize {
    items * (1 + changed / 2)
}

impl Piece {
    /// Compares two sequences with at most [`MAX_ITEMS`] items.
    pub(super) fn compare(old: &[u32], new: &[u32], anchors: &mut Anchors) -> Self {
        let end = (old.len(), new.len());
        let items = old.len() + new.len();
        if items <= FILTER_ABOVE {
            let (runs, steps) = search(old, new);
            return Self { runs, end, steps };
        }
        let (old, new) = anchors.drop_unmatched(old, new);
        let (found, steps) = search(&old.items, &new.items);
        let mut runs = Runs::default();
        for run in found.0 {
            let places = old.places[run.old..].iter().zip(&new.places[run.new..]);
            for (&old, &new) in places.take(run.len) {
                runs.push(Run { old, new, len: 1 });
            }
        }
        Self { runs, end, steps: items + steps }
    }

    /// Shortens a piece that does not cover all of both sequences, to the end of the longest run
    /// in its second half. What comes after may look different once more items are known.
    pub(super) fn shorten(&mut self) {
        let half = (self.end.0 + self.end.1) / 2;
        let runs = self.runs.0.iter().enumerate();
        let late = runs.filter(|(_, run)| run.old + run.new + 2 * run.len >= half);
        if let Some((index, run)) = late.max_by_key(|(_, run)| run.len) {
            self.end = (run.old + run.len, run.new + run.len);
            self.runs.0.truncate(index + 1);
        }
    }

    /// The ranges before, between and after the runs; either side may be empty.
    pub(super) fn gaps(&self) -> impl Iterator<Item = (Range<usize>, Range<usize>)> {
        let (mut old_at, mut new_at) = (0, 0);
        let runs = self.runs.0.iter().map(|run| (run.old, run.new, run.len));
        runs.chain([(self.end.0, self.end.1, 0)]).map(move |(old, new, len)| {
            let gap = (old_at..old, new_at..new);
            (old_at, new_at) = (old + len, new + len);
            gap
        })
    }
}

/// A longest common subsequence, and what finding it cost.
fn search(old: &[u32], new: &[u32]) -> (Runs, usize) {
    let mut runs = Runs::default();
    // No deadline: the result would depend on the machine. The sides are swapped because, among
    // equally short results, the search then picks those that give smaller reverse deltas.
    let Ok(()) = myers::diff_deadline_raw(&mut runs, new, 0..new.len(), old, 0..old.len(), None);
    let items = old.len() + new.len();
    let equal: usize = runs.0.iter().map(|run| 2 * run.len).sum();
    (runs, steps(items, items - equal))
}

/// Collects runs and joins those that touch.
#[derive(Default)]
struct Runs(Vec<Run>);

impl Runs {
    fn push(&mut self, run: Run) {
        match self.0.last_mut() {
            Some(last) if (last.old + last.len, last.new + last.len) == (run.old, run.new) => {
                last.len += run.len;
            }
            _ => self.0.push(run),
        }
    }
}

/// The search calls its second sequence "new"; here that is the old side.
impl DiffHook for Runs {
    type Error = Infallible;

    fn equal(&mut self, new: usize, old: usize, len: usize) -> Result<(), Infallible> {
        self.push(Run { old, new, len });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn compare(old: &[u32], new: &[u32]) -> Piece {
        Piece::compare(old, new, &mut Anchors::default())
    }

    #[test]
    fn finds_the_gaps_between_common_items() {
        let piece = compare(&[1, 2, 3, 4], &[1, 9, 3, 4, 5]);
        assert_eq!(piece.gaps().collect::<Vec<_>>(), [(0..0, 0..0), (1..2, 1..2), (4..4, 4..5)]);
    }

    #[rstest]
    #[case::both_fit(100, 412, (100, 412))]
    #[case::both_long(9_000, 9_000, (256, 256))]
    #[case::one_short(100, 9_000, (100, 412))]
    fn a_head_is_as_long_as_a_piece_may_be(
        #[case] old_len: usize,
        #[case] new_len: usize,
        #[case] expected: (usize, usize),
    ) {
        assert_eq!(head(old_len, new_len), expected);
        assert_eq!(head(new_len, old_len), (expected.1, expected.0));
    }

    #[test]
    fn is_shortened_to_its_longest_late_run() {
        let old = [1, 1, 1, 1, 7, 2, 2, 2, 8, 3];
        let new = [1, 1, 1, 1, 9, 2, 2, 2, 3];
        let mut piece = compare(&old, &new);
        piece.shorten();
        assert_eq!(piece.end, (8, 8));
        assert_eq!(piece.gaps().last(), Some((8..8, 8..8)));
    }

    #[test]
    fn keeps_its_length_without_a_late_run() {
        let mut piece = compare(&[1, 2, 3, 4, 5], &[1, 6, 7, 8, 9]);
        piece.shorten();
        assert_eq!(piece.end, (5, 5));
    }

    proptest! {
        #[test]
        fn gaps_separate_equal_items(
            old in proptest::collection::vec(0..9_u32, 0..MAX_ITEMS / 2),
            new in proptest::collection::vec(0..30_u32, 0..MAX_ITEMS / 2),
            is_shortened: bool,
        ) {
            let mut piece = compare(&old, &new);
            prop_assert!(piece.steps <= max_steps(old.len() + new.len()));
            if is_shortened {
                piece.shorten();
            }
            let (mut old_at, mut new_at) = (0, 0);
            for (in_old, in_new) in piece.gaps() {
                prop_assert_eq!(&old[old_at..in_old.start], &new[new_at..in_new.start]);
                (old_at, new_at) = (in_old.end, in_new.end);
            }
            prop_assert_eq!((old_at, new_at), piece.end);
        }
    }
}
