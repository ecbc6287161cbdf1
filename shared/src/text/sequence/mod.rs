//! The changes between two sequences of numbers, which stand for lines or words.
//!
//! Equal ends, and numbers that only one side has, are removed first. What remains is cut at the
//! numbers that occur exactly once on each side (patience diff) until the parts are small enough
//! for an exact search; see [`piece`]. A long part without such numbers is compared from its
//! beginning, piece by piece. A part that exceeds the remaining budget counts as changed as a
//! whole: the result is still correct, only coarser.
//!
//! `similar` does the exact search. Cutting is done here, because no crate can stop after a given
//! number of steps and still return what it has found.

mod anchors;
mod intern;
mod piece;
mod slide;

use std::ops::Range;

use super::budget::Budget;
use anchors::{Anchors, Common, Kept};
pub(crate) use intern::Interner;
use piece::Piece;
pub(crate) use slide::{slide_down, slide_up_to};

/// Parts with more items, both sides added, are cut at unique items before they are searched. This
/// is faster, and in long parts a chance match of frequent items is rarely what changed.
const ANCHORS_ABOVE: usize = 256;

/// A range of the old sequence and the range of the new sequence that replaces it.
///
/// One of them may be empty, never both; between two changes at least one item is equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) old: Range<usize>,
    pub(crate) new: Range<usize>,
    /// The budget ran out here; some of the items may be equal.
    pub(crate) coarse: bool,
}

impl Change {
    /// The same change in sequences with `items` more at the start.
    pub(crate) fn moved_down(self, items: usize) -> Self {
        Self {
            old: self.old.start + items..self.old.end + items,
            new: self.new.start + items..self.new.end + items,
            coarse: self.coarse,
        }
    }
}

/// Compares sequences; reuses its buffers between comparisons.
#[derive(Default)]
pub(crate) struct Comparer {
    anchors: Anchors,
}

impl Comparer {
    /// The changes that turn `old` into `new`, in order.
    ///
    /// The numbers should be dense, as an [`Interner`] makes them: memory grows with the largest.
    pub(crate) fn compare(&mut self, old: &[u32], new: &[u32], budget: &mut Budget) -> Vec<Change> {
        let (prefix, suffix) = common_ends(old, new);
        let old_middle = prefix..old.len() - suffix;
        let new_middle = prefix..new.len() - suffix;
        if old_middle.is_empty() && new_middle.is_empty() {
            return Vec::new();
        }
        if old_middle.is_empty()
            || new_middle.is_empty()
            || old_middle.len() + new_middle.len() == 2
        {
            return vec![Change { old: old_middle, new: new_middle, coarse: false }];
        }
        let (old, new) = (&old[old_middle], &new[new_middle]);
        let (old_kept, new_kept) = self.anchors.drop_unmatched(old, new);
        let mut sides =
            Sides { old: Side::new(old_kept, old.len()), new: Side::new(new_kept, new.len()) };
        self.mark_changes(&mut sides, budget);
        collect_changes(&sides.old.marks, &sides.new.marks, prefix)
    }

    /// Marks every item that is not equal.
    fn mark_changes(&mut self, sides: &mut Sides, budget: &mut Budget) {
        // A stack instead of recursion: how deep parts nest depends on the texts.
        let mut parts = vec![Part {
            old: 0..sides.old.kept.items.len(),
            new: 0..sides.new.kept.items.len(),
            anchors_up_to: usize::MAX,
        }];
        while let Some(part) = parts.pop() {
            let mut part = sides.trim(&part);
            if part.old.is_empty() || part.new.is_empty() {
                sides.mark(&part, Mark::Changed);
                continue;
            }
            let (old, new) = sides.items(&part);
            let items = old.len() + new.len();
            if items > ANCHORS_ABOVE && items <= part.anchors_up_to {
                if !budget.spend(items) {
                    sides.mark(&part, Mark::Coarse);
                    continue;
                }
                match self.anchors.find(old, new) {
                    Common::Nothing => {
                        sides.mark(&part, Mark::Changed);
                        continue;
                    }
                    Common::Unique(anchors) => {
                        part.cut(&anchors, &mut parts);
                        continue;
                    }
                    // Looking again after every piece would take quadratic time.
                    Common::Repeated => part.anchors_up_to = items / 2,
                }
            }
            let (old_len, new_len) = piece::head(old.len(), new.len());
            if !budget.has(piece::max_steps(old_len + new_len)) {
                sides.mark(&part, Mark::Coarse);
                continue;
            }
            let mut piece = Piece::compare(&old[..old_len], &new[..new_len], &mut self.anchors);
            budget.spend(piece.steps);
            if old_len + new_len < items {
                piece.shorten();
            }
            for (in_old, in_new) in piece.gaps() {
                sides.mark(&part.within(in_old, in_new), Mark::Changed);
            }
            let rest = (piece.end.0..part.old.len(), piece.end.1..part.new.len());
            parts.push(part.within(rest.0, rest.1));
        }
    }
}

/// Ranges of the items that are kept of both sides.
#[derive(Debug)]
struct Part {
    old: Range<usize>,
    new: Range<usize>,
    /// No anchors are looked for in more items than this.
    anchors_up_to: usize,
}

impl Part {
    /// The part at the given ranges of this part.
    fn within(&self, old: Range<usize>, new: Range<usize>) -> Self {
        Self {
            old: self.old.start + old.start..self.old.start + old.end,
            new: self.new.start + new.start..self.new.start + new.end,
            anchors_up_to: self.anchors_up_to,
        }
    }

    /// Pushes the parts before, between and after pairs of equal items, the first part last: it
    /// comes first off the stack, so the budget is spent from the start of the text.
    fn cut(&self, anchors: &[(usize, usize)], parts: &mut Vec<Self>) {
        let (mut old_end, mut new_end) = (self.old.len(), self.new.len());
        for &(old, new) in anchors.iter().rev() {
            parts.push(self.within(old..old_end, new..new_end));
            (old_end, new_end) = (old, new);
        }
        parts.push(self.within(0..old_end, 0..new_end));
    }
}

/// Both sequences, and what is known about their items.
struct Sides {
    old: Side,
    new: Side,
}

struct Side {
    kept: Kept,
    /// One for each item of the whole sequence.
    marks: Vec<Mark>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Equal,
    Changed,
    Coarse,
}

impl Sides {
    fn items(&self, part: &Part) -> (&[u32], &[u32]) {
        (&self.old.kept.items[part.old.clone()], &self.new.kept.items[part.new.clone()])
    }

    /// The part without the items that both of its sides start and end with.
    fn trim(&self, part: &Part) -> Part {
        let (old, new) = self.items(part);
        let (prefix, suffix) = common_ends(old, new);
        Part {
            old: part.old.start + prefix..part.old.end - suffix,
            new: part.new.start + prefix..part.new.end - suffix,
            anchors_up_to: part.anchors_up_to,
        }
    }

    fn mark(&mut self, part: &Part, mark: Mark) {
        self.old.mark(part.old.clone(), mark);
        self.new.mark(part.new.clone(), mark);
    }
}

impl Side {
    /// A sequence of `len` items; those that are not kept are changed.
    fn new(kept: Kept, len: usize) -> Self {
        let mut marks = vec![Mark::Changed; len];
        for &place in &kept.places {
            marks[place] = Mark::Equal;
        }
        Self { kept, marks }
    }

    fn mark(&mut self, range: Range<usize>, mark: Mark) {
        for &place in &self.kept.places[range] {
            self.marks[place] = mark;
        }
    }
}

/// The lengths of the common prefix and, without overlap, of the common suffix.
fn common_ends(old: &[u32], new: &[u32]) -> (usize, usize) {
    let prefix = common_prefix(old, new);
    (prefix, common_suffix(&old[prefix..], &new[prefix..]))
}

// Plain loops: these run most often, and the page is compiled for size, which slows iterators.
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

/// Turns the marks of both sides into changes; items marked as equal match pairwise.
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

    /// The textbook algorithm: both lengths minus twice the longest common subsequence.
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
        fn changes_turn_old_into_new(old in sequence(6, 60), new in sequence(6, 60)) {
            let changes = compare(&old, &new, DEFAULT_BUDGET);
            prop_assert_eq!(rebuild(&old, &new, &changes), new);
        }

        #[test]
        fn changes_of_short_sequences_are_minimal(
            old in sequence(4, 40),
            new in sequence(4, 40),
        ) {
            let changes = compare(&old, &new, DEFAULT_BUDGET);
            prop_assert_eq!(distance(&changes), shortest_distance(&old, &new));
            prop_assert!(changes.iter().all(|change| !change.coarse));
        }

        #[test]
        fn a_small_budget_gives_a_coarser_but_correct_result(
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
        fn sides_with_little_in_common_are_rebuilt(
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
    fn long_repetitive_sides_are_rebuilt() {
        let old: Vec<u32> = (0..3_000).map(|i| i * i % 7).collect();
        let new: Vec<u32> = (0..3_000).map(|i| i * i % 11 % 6).collect();
        let changes = compare(&old, &new, DEFAULT_BUDGET);
        assert_eq!(rebuild(&old, &new, &changes), new);
        assert!(distance(&changes) < 6_000);
    }
    #[test]
    fn finds_single_edits_in_a_long_repetitive_sequence() {
        let old: Vec<u32> = (0..6_000).map(|i| i * i % 11).collect();
        let mut new = old.clone();
        new.remove(500);
        new[3_000] = 99;
        new.insert(5_500, 99);
        let changes = compare(&old, &new, DEFAULT_BUDGET);
        assert_eq!(rebuild(&old, &new, &changes), new);
        assert_eq!(distance(&changes), 4);
    }
}
