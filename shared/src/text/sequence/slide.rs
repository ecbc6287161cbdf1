//! Sliding insertions and deletions to a canonical place.
//!
//! In `a a` → `a a a` any of the three can be the inserted item. Which one a comparison finds
//! depends on the other changes; sliding always gives the same answer.

use std::ops::Range;

use super::Change;

/// Whether two items of the old (`false`) or the new sequence (`true`) are equal.
pub(crate) trait SameItem: Fn(bool, usize, usize) -> bool {}
impl<F: Fn(bool, usize, usize) -> bool> SameItem for F {}

/// Slides insertions and deletions up, then as far down as possible, and joins changes that meet.
/// Changes stay `within` the given range of the old sequence.
pub(crate) fn slide_down(
    changes: Vec<Change>,
    within: &Range<usize>,
    same: impl SameItem,
) -> Vec<Change> {
    let mut lifted: Vec<Change> = Vec::with_capacity(changes.len());
    for mut change in changes {
        loop {
            let above = lifted.last().map_or(within.start, |last| last.old.end);
            while change.old.start > above && can_slide_up(&change, &same) {
                shift(&mut change, -1);
            }
            let Some(last) = lifted.pop_if(|last| last.old.end == change.old.start) else {
                break;
            };
            change = join(&last, &change);
        }
        lifted.push(change);
    }
    let mut settled: Vec<Change> = Vec::with_capacity(lifted.len());
    for mut change in lifted.into_iter().rev() {
        loop {
            let below = settled.last().map_or(within.end, |next| next.old.start);
            while change.old.end < below && can_slide_down(&change, &same) {
                shift(&mut change, 1);
            }
            let Some(next) = settled.pop_if(|next| next.old.start == change.old.end) else {
                break;
            };
            change = join(&change, &next);
        }
        settled.push(change);
    }
    settled.reverse();
    settled
}

/// Slides insertions and deletions up again, without joining them, to the nearest place where the
/// last item satisfies `is_good_end`, which gets the side as in [`SameItem`] and the index.
pub(crate) fn slide_up_to(
    changes: &mut [Change],
    within: &Range<usize>,
    same: impl SameItem,
    is_good_end: impl Fn(bool, usize) -> bool,
) {
    // Keep one equal item between a change and the previous one.
    let mut top = within.start;
    for change in changes {
        let is_insertion = change.old.is_empty();
        let mut tried = change.clone();
        while is_insertion || change.new.is_empty() {
            let items = if is_insertion { &tried.new } else { &tried.old };
            if is_good_end(is_insertion, items.end - 1) {
                *change = tried;
                break;
            }
            if tried.old.start <= top || !can_slide_up(&tried, &same) {
                break;
            }
            shift(&mut tried, -1);
        }
        top = change.old.end + 1;
    }
}

/// Whether a change with an equal item above it can move up by one.
fn can_slide_up(change: &Change, same: &impl SameItem) -> bool {
    if change.old.is_empty() {
        same(true, change.new.start - 1, change.new.end - 1)
    } else {
        change.new.is_empty() && same(false, change.old.start - 1, change.old.end - 1)
    }
}

/// Whether a change with an equal item below it can move down by one.
fn can_slide_down(change: &Change, same: &impl SameItem) -> bool {
    if change.old.is_empty() {
        same(true, change.new.start, change.new.end)
    } else {
        change.new.is_empty() && same(false, change.old.start, change.old.end)
    }
}

fn join(above: &Change, below: &Change) -> Change {
    Change {
        old: above.old.start..below.old.end,
        new: above.new.start..below.new.end,
        coarse: above.coarse || below.coarse,
    }
}

fn shift(change: &mut Change, by: isize) {
    for place in
        [&mut change.old.start, &mut change.old.end, &mut change.new.start, &mut change.new.end]
    {
        *place = place.saturating_add_signed(by);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn change(old: Range<usize>, new: Range<usize>) -> Change {
        Change { old, new, coarse: false }
    }

    fn slide(old: &str, new: &str, changes: Vec<Change>) -> Vec<Change> {
        let (old, new) = (old.as_bytes(), new.as_bytes());
        let same = |in_new, a, b| {
            let items = if in_new { new } else { old };
            items[a] == items[b]
        };
        slide_down(changes, &(0..old.len()), same)
    }

    #[rstest]
    #[case::insertion("aab", "aaab", change(0..0, 0..1), change(2..2, 2..3))]
    #[case::deletion("abab", "ab", change(0..2, 0..0), change(2..4, 2..2))]
    #[case::already_last("ab", "abc", change(2..2, 2..3), change(2..2, 2..3))]
    #[case::replacement_stays("ab", "cb", change(0..1, 0..1), change(0..1, 0..1))]
    fn slides_a_change_to_its_last_place(
        #[case] old: &str,
        #[case] new: &str,
        #[case] found: Change,
        #[case] expected: Change,
    ) {
        assert_eq!(slide(old, new, vec![found]), [expected]);
    }

    #[test]
    fn joins_changes_that_meet() {
        let found = vec![change(0..0, 0..1), change(1..2, 2..3)];
        assert_eq!(slide("ax", "aay", found), [change(1..2, 1..3)]);
    }

    #[test]
    fn a_deletion_joins_an_insertion_above_it() {
        let found = vec![change(1..1, 1..2), change(3..4, 4..4)];
        assert_eq!(slide("aaaa", "abaa", found), [change(1..2, 1..2)]);
    }

    /// Slides changes up to an underscore.
    fn slide_up(old: &str, new: &str, changes: &mut [Change]) {
        let item = |in_new, place: usize| if in_new { new } else { old }.as_bytes()[place];
        slide_up_to(
            changes,
            &(0..old.len()),
            |in_new, a, b| item(in_new, a) == item(in_new, b),
            |in_new, place| item(in_new, place) == b'_',
        );
    }

    #[rstest]
    #[case::stays_at_a_good_end(change(4..4, 4..6), change(4..4, 4..6))]
    #[case::moves_to_a_good_end(change(3..3, 3..5), change(2..2, 2..4))]
    fn slides_up_to_the_first_good_end(#[case] found: Change, #[case] expected: Change) {
        let mut changes = [found];
        slide_up("o_p_q", "o_p_p_q", &mut changes);
        assert_eq!(changes, [expected]);
    }

    #[test]
    fn does_not_slide_up_to_the_previous_change() {
        let mut changes = [change(0..1, 0..1), change(3..3, 3..4)];
        slide_up("_aa", "yaaa", &mut changes);
        assert_eq!(changes[1], change(3..3, 3..4));
    }
}
