//! What changed between two sequences of numbers: the engine under lines and words alike.
//!
//! Equal ends and numbers that only one side has are set aside first. What is left is cut by the
//! linear-space algorithm of Myers ("An O(ND) Difference Algorithm and Its Variations", 1986)
//! into boxes, until one side of a box is empty. Where the two sides are far apart, the numbers
//! that occur once on each side hold the box together (patience diff), and where there are none,
//! the paths that got furthest do. A box for which no budget is left counts as changed as a whole:
//! always right, only coarser.
//!
//! The crates for this were measured too. On distant versions of a long document imara-diff finds
//! changed lines twice as fast, similar needs three times as long; but lines are a tenth of the
//! work, and neither can be stopped after a number of steps and say where it was.

mod anchors;
mod intern;
mod myers;
mod slide;

use std::ops::Range;

use super::budget::Budget;
use anchors::{Anchors, Common};
pub(crate) use intern::Interner;
use myers::{Middle, Myers};
pub(crate) use slide::{slide_down, slide_up_to};

/// A stretch of the old sequence and the stretch of the new one that stands in its place.
///
/// One of them may be empty, never both; between two changes at least one item is equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) old: Range<usize>,
    pub(crate) new: Range<usize>,
    /// The budget ran out here: some of it may be equal.
    pub(crate) coarse: bool,
}

impl Change {
    /// The same change where both sequences have `items` more at the start.
    pub(crate) fn moved_down(self, items: usize) -> Self {
        Self {
            old: self.old.start + items..self.old.end + items,
            new: self.new.start + items..self.new.end + items,
            coarse: self.coarse,
        }
    }
}

/// Compares sequences; keeps its buffers from one comparison to the next.
#[derive(Default)]
pub(crate) struct Comparer {
    myers: Myers,
    anchors: Anchors,
}

impl Comparer {
    /// The changes that lead from `old` to `new`, in order.
    ///
    /// The numbers should be dense (an [`Interner`]'s): memory grows with the largest.
    pub(crate) fn compare(&mut self, old: &[u32], new: &[u32], budget: &mut Budget) -> Vec<Change> {
        let (prefix, suffix) = common_ends(old, new);
        let old_box = prefix..old.len() - suffix;
        let new_box = prefix..new.len() - suffix;
        if old_box.is_empty() && new_box.is_empty() {
            return Vec::new();
        }
        if old_box.is_empty() || new_box.is_empty() || old_box.len() + new_box.len() == 2 {
            return vec![Change { old: old_box, new: new_box, coarse: false }];
        }
        let (old, new) = (&old[old_box], &new[new_box]);
        let (mut old_side, mut new_side) = self.anchors.drop_unmatched(old, new);
        self.mark_changes(&mut old_side, &mut new_side, budget);
        collect_changes(&old_side.marks, &new_side.marks, prefix)
    }

    /// Works through boxes of the two sides until each is equal or marked.
    fn mark_changes(&mut self, old: &mut Side, new: &mut Side, budget: &mut Budget) {
        // Not recursive: how deep the boxes nest depends on the texts, the stack does not.
        let mut boxes = vec![(0..old.kept.len(), 0..new.kept.len())];
        while let Some((mut in_old, mut in_new)) = boxes.pop() {
            let (prefix, suffix) =
                common_ends(&old.kept[in_old.clone()], &new.kept[in_new.clone()]);
            in_old = in_old.start + prefix..in_old.end - suffix;
            in_new = in_new.start + prefix..in_new.end - suffix;
            if in_old.is_empty() || in_new.is_empty() {
                old.mark(in_old, Mark::Changed);
                new.mark(in_new, Mark::Changed);
                continue;
            }
            let (a, b) = (&old.kept[in_old.clone()], &new.kept[in_new.clone()]);
            let cuts = match self.myers.find_middle(a, b, budget) {
                Middle::Meeting(point) => vec![point],
                Middle::OutOfBudget => {
                    old.mark(in_old, Mark::Coarse);
                    new.mark(in_new, Mark::Coarse);
                    continue;
                }
                Middle::FarApart(furthest) => {
                    // Looking for anchors reads the box once.
                    budget.spend(a.len() + b.len());
                    match self.anchors.find(a, b) {
                        Common::Nothing => {
                            old.mark(in_old, Mark::Changed);
                            new.mark(in_new, Mark::Changed);
                            continue;
                        }
                        Common::Repeated => furthest,
                        Common::Unique(anchors) => anchors,
                    }
                }
            };
            let (mut old_start, mut new_start) = (in_old.start, in_new.start);
            let first = boxes.len();
            for (x, y) in cuts {
                let (old_end, new_end) = (in_old.start + x, in_new.start + y);
                boxes.push((old_start..old_end, new_start..new_end));
                (old_start, new_start) = (old_end, new_end);
            }
            boxes.push((old_start..in_old.end, new_start..in_new.end));
            // The beginning of a text gets the budget first.
            boxes[first..].reverse();
        }
    }
}

/// One sequence without the items that the other one lacks.
struct Side {
    kept: Vec<u32>,
    /// Where each of `kept` stands in the whole sequence.
    places: Vec<usize>,
    /// One for each item of the whole sequence.
    marks: Vec<Mark>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Equal,
    Changed,
    Coarse,
}

impl Side {
    fn mark(&mut self, range: Range<usize>, mark: Mark) {
        for &place in &self.places[range] {
            self.marks[place] = mark;
        }
    }
}

/// How many items the two begin and end with in common, without overlap.
fn common_ends(old: &[u32], new: &[u32]) -> (usize, usize) {
    let prefix = common_prefix(old, new);
    (prefix, common_suffix(&old[prefix..], &new[prefix..]))
}

// Plain loops here too, for the same reason as in the search.
#[inline]
fn common_prefix(old: &[u32], new: &[u32]) -> usize {
    let longest = old.len().min(new.len());
    let mut len = 0;
    while len < longest && old[len] == new[len] {
        len += 1;
    }
    len
}

#[inline]
fn common_suffix(old: &[u32], new: &[u32]) -> usize {
    let longest = old.len().min(new.len());
    let mut len = 0;
    while len < longest && old[old.len() - 1 - len] == new[new.len() - 1 - len] {
        len += 1;
    }
    len
}

/// Reads the marks of both sides in step; items that are not marked are equal pair by pair.
fn collect_changes(old: &[Mark], new: &[Mark], offset: usize) -> Vec<Change> {
    let mut changes = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < old.len() || j < new.len() {
        let equal = old[i..].iter().zip(&new[j..]);
        let equal = equal.take_while(|pair| *pair == (&Mark::Equal, &Mark::Equal));
        let equal = equal.count();
        (i, j) = (i + equal, j + equal);
        let removed = old[i..].iter().take_while(|mark| **mark != Mark::Equal);
        let removed = i..i + removed.count();
        let added = new[j..].iter().take_while(|mark| **mark != Mark::Equal);
        let added = j..j + added.count();
        (i, j) = (removed.end, added.end);
        if removed.is_empty() && added.is_empty() {
            break;
        }
        changes.push(Change {
            coarse: old[removed.clone()].contains(&Mark::Coarse)
                || new[added.clone()].contains(&Mark::Coarse),
            old: removed.start + offset..removed.end + offset,
            new: added.start + offset..added.end + offset,
        });
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::budget::DEFAULT_BUDGET;
    use proptest::prelude::*;

    fn compare(old: &[u32], new: &[u32], steps: u64) -> Vec<Change> {
        Comparer::default().compare(old, new, &mut Budget::new(steps))
    }

    fn rebuild(old: &[u32], new: &[u32], changes: &[Change]) -> Vec<u32> {
        let mut rebuilt = Vec::new();
        let mut at = 0;
        for change in changes {
            rebuilt.extend(&old[at..change.old.start]);
            assert_eq!(rebuilt.len(), change.new.start);
            rebuilt.extend(&new[change.new.clone()]);
            at = change.old.end;
        }
        rebuilt.extend(&old[at..]);
        rebuilt
    }

    fn distance(changes: &[Change]) -> usize {
        let sizes = changes.iter().map(|change| change.old.len() + change.new.len());
        sizes.sum()
    }

    /// By the textbook: the length of both less twice their longest common subsequence.
    fn shortest_distance(old: &[u32], new: &[u32]) -> usize {
        let mut row = vec![0; new.len() + 1];
        for item in old {
            let mut diagonal = 0;
            for (j, other) in new.iter().enumerate() {
                let above = row[j + 1];
                row[j + 1] = if item == other { diagonal + 1 } else { above.max(row[j]) };
                diagonal = above;
            }
        }
        old.len() + new.len() - 2 * row[new.len()]
    }

    fn sequence(kinds: u32, length: usize) -> impl Strategy<Value = Vec<u32>> {
        proptest::collection::vec(0..kinds, 0..length)
    }

    proptest! {
        #[test]
        fn changes_lead_from_old_to_new(old in sequence(6, 60), new in sequence(6, 60)) {
            let changes = compare(&old, &new, DEFAULT_BUDGET);
            prop_assert_eq!(rebuild(&old, &new, &changes), new);
        }

        #[test]
        fn changes_are_the_fewest_where_the_sides_are_near(
            old in sequence(4, 40),
            new in sequence(4, 40),
        ) {
            let changes = compare(&old, &new, DEFAULT_BUDGET);
            prop_assert_eq!(distance(&changes), shortest_distance(&old, &new));
            prop_assert!(changes.iter().all(|change| !change.coarse));
        }

        #[test]
        fn a_spent_budget_is_coarser_and_still_right(
            old in sequence(9, 80),
            new in sequence(9, 80),
            steps in 0..400_u64,
        ) {
            let changes = compare(&old, &new, steps);
            prop_assert_eq!(rebuild(&old, &new, &changes), new.clone());
            if changes.iter().all(|change| !change.coarse) {
                prop_assert_eq!(distance(&changes), shortest_distance(&old, &new));
            }
        }

        #[test]
        fn sides_far_apart_are_still_compared_right(
            old in sequence(3, 2_000),
            new in sequence(900, 2_000),
        ) {
            let changes = compare(&old, &new, DEFAULT_BUDGET);
            prop_assert_eq!(rebuild(&old, &new, &changes), new);
        }
    }

    #[test]
    fn reversed_sides_keep_one_item() {
        let old: Vec<u32> = (0..5_000).collect();
        let new: Vec<u32> = (0..5_000).rev().collect();
        let changes = compare(&old, &new, DEFAULT_BUDGET);
        assert_eq!(distance(&changes), 2 * 4_999);
        assert_eq!(rebuild(&old, &new, &changes), new);
    }

    #[test]
    fn long_repetitive_sides_that_are_far_apart_are_rebuilt() {
        let old: Vec<u32> = (0..3_000).map(|i| i * i % 7).collect();
        let new: Vec<u32> = (0..3_000).map(|i| i * i % 11 % 6).collect();
        let changes = compare(&old, &new, DEFAULT_BUDGET);
        assert_eq!(rebuild(&old, &new, &changes), new);
        assert!(distance(&changes) < 6_000);
    }
}
