//! Items that two sequences have in common, and those that occur exactly once on each side.

/// Counts items. Between calls its table is all zero.
#[derive(Default)]
pub(super) struct Anchors {
    seen: Vec<Seen>,
}

#[derive(Clone, Copy, Default)]
struct Seen {
    in_old: u32,
    in_new: u32,
    /// The last index in the new sequence.
    place: usize,
}

/// The items of a sequence that the other sequence has too.
pub(super) struct Kept {
    pub(super) items: Vec<u32>,
    /// The index of each item in the whole sequence.
    pub(super) places: Vec<usize>,
}

/// What two sequences have in common.
pub(super) enum Common {
    /// No item at all.
    Nothing,
    /// Items, but none that occurs exactly once on each side.
    Repeated,
    /// The longest series of items that occur once on each side, in the order of both.
    Unique(Vec<(usize, usize)>),
}

impl Anchors {
    /// Both sequences without the items that the other one lacks.
    ///
    /// Such items are in no common subsequence, so a comparison does not need them.
    pub(super) fn drop_unmatched(&mut self, old: &[u32], new: &[u32]) -> (Kept, Kept) {
        self.count(old, new);
        let old_kept = keep(old, |item| self.seen[item as usize].in_new > 0);
        let new_kept = keep(new, |item| self.seen[item as usize].in_old > 0);
        self.clear(old, new);
        (old_kept, new_kept)
    }

    /// What `old` and `new` have in common.
    pub(super) fn find(&mut self, old: &[u32], new: &[u32]) -> Common {
        self.count(old, new);
        let mut any = false;
        let mut unique = Vec::new();
        for (place, &item) in old.iter().enumerate() {
            let seen = self.seen[item as usize];
            any |= seen.in_new > 0;
            if seen.in_old == 1 && seen.in_new == 1 {
                unique.push((place, seen.place));
            }
        }
        self.clear(old, new);
        match (any, unique.is_empty()) {
            (false, _) => Common::Nothing,
            (true, true) => Common::Repeated,
            (true, false) => Common::Unique(longest_increasing(&unique)),
        }
    }

    fn count(&mut self, old: &[u32], new: &[u32]) {
        let largest = old.iter().chain(new).max().map_or(0, |item| *item as usize);
        if self.seen.len() <= largest {
            self.seen.resize(largest + 1, Seen::default());
        }
        for &item in old {
            self.seen[item as usize].in_old += 1;
        }
        for (place, &item) in new.iter().enumerate() {
            let seen = &mut self.seen[item as usize];
            seen.in_new += 1;
            seen.place = place;
        }
    }

    fn clear(&mut self, old: &[u32], new: &[u32]) {
        for &item in old.iter().chain(new) {
            self.seen[item as usize] = Seen::default();
        }
    }
}

fn keep(items: &[u32], is_kept: impl Fn(u32) -> bool) -> Kept {
    let mut kept =
        Kept { items: Vec::with_capacity(items.len()), places: Vec::with_capacity(items.len()) };
    for (place, &item) in items.iter().enumerate() {
        if is_kept(item) {
            kept.items.push(item);
            kept.places.push(place);
        }
    }
    kept
}

/// The longest subsequence of `pairs` in which both halves increase (patience sorting,
/// O(n log n)). The first halves of `pairs` increase already.
fn longest_increasing(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    // The top of each pile, and for each pair the top of the previous pile when it was placed.
    let mut tops: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    for (index, pair) in pairs.iter().enumerate() {
        let pile = tops.partition_point(|&top| pairs[top].1 < pair.1);
        before.push(pile.checked_sub(1).map(|previous| tops[previous]));
        if pile == tops.len() {
            tops.push(index);
        } else {
            tops[pile] = index;
        }
    }
    let mut series: Vec<_> = std::iter::successors(tops.last().copied(), |&index| before[index])
        .map(|index| pairs[index])
        .collect();
    series.reverse();
    series
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::in_order(&[(0, 0), (1, 1)], &[(0, 0), (1, 1)])]
    #[case::moved_to_the_end(&[(0, 2), (1, 0), (2, 1)], &[(1, 0), (2, 1)])]
    #[case::reversed(&[(0, 2), (1, 1), (2, 0)], &[(2, 0)])]
    #[case::none(&[], &[])]
    fn finds_the_longest_increasing_series(
        #[case] pairs: &[(usize, usize)],
        #[case] expected: &[(usize, usize)],
    ) {
        assert_eq!(longest_increasing(pairs), expected);
    }

    #[test]
    fn distinguishes_unique_repeated_and_nothing() {
        let mut anchors = Anchors::default();
        assert!(matches!(anchors.find(&[1, 2], &[3]), Common::Nothing));
        assert!(matches!(anchors.find(&[1, 1], &[1]), Common::Repeated));
        let Common::Unique(found) = anchors.find(&[1, 5, 1], &[5, 1]) else {
            panic!("5 is unique on both sides");
        };
        assert_eq!(found, [(1, 0)]);
    }

    #[test]
    fn drops_items_that_the_other_side_lacks() {
        let (old, new) = Anchors::default().drop_unmatched(&[7, 1, 8, 2], &[2, 9, 1]);
        assert_eq!((old.items, old.places), (vec![1, 2], vec![1, 3]));
        assert_eq!((new.items, new.places), (vec![2, 1], vec![0, 2]));
    }
}
