//! Three-way merge of two changed copies of a text.
//!
//! Both copies are compared with their common base at word level. A change made on one side only
//! is taken, even next to other changes in the same line. A change made equally on both sides is
//! taken once. Different changes to the same place are a conflict, which keeps both versions.

use std::iter::Peekable;
use std::mem::take;
use std::ops::Range;
use std::vec::IntoIter;

use super::budget::{Budget, DEFAULT_BUDGET};
use super::delta::{DeltaBuilder, TextDelta};
use super::edits::{Edit, edits_between};

/// The result of a merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merge {
    /// All changes could be combined.
    Clean(Merged),
    /// Some changes conflict.
    Conflicted(Conflicted),
}

/// A merge without conflicts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// The merged text.
    pub text: String,
    /// The delta from `theirs` to the merged text: my changes, applied to their copy.
    pub from_theirs: TextDelta,
}

/// A merge with conflicts to resolve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflicted {
    /// The whole text in order; at least one piece is a conflict.
    pub pieces: Vec<Piece>,
}

/// A part of a merge with conflicts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Merged text.
    Agreed(String),
    /// A place where the sides differ and a choice is needed.
    Conflict(Conflict),
}

/// The same place in the three texts, as byte ranges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The range in the base.
    pub base: Range<usize>,
    /// The range in my copy.
    pub mine: Range<usize>,
    /// The range in their copy.
    pub theirs: Range<usize>,
}

/// Combines the changes from `base` to `mine` with those from `base` to `theirs`.
///
/// Changes conflict when they overlap, or insert different texts at the same place. Swapping
/// `mine` and `theirs` gives the same result. The work is bounded, so large texts that have little
/// in common may conflict in more places than necessary.
pub fn merge(base: &str, mine: &str, theirs: &str) -> Merge {
    let compare = |copy| edits_between(base, copy, &mut Budget::new(DEFAULT_BUDGET));
    let mut my_side = Side::new(compare(mine));
    let mut their_side = Side::new(compare(theirs));
    let mut output = Output::default();
    let mut at = 0;
    while let Some(spot) = next_spot(&mut my_side, &mut their_side) {
        output.keep(&base[at..spot.base.start]);
        at = spot.base.end;
        let (in_mine, in_theirs) = (&mine[spot.mine.clone()], &theirs[spot.theirs.clone()]);
        match (spot.changed_by_me, spot.changed_by_them) {
            (true, true) if in_mine != in_theirs => output.conflict(spot.into_conflict()),
            (true, _) => output.replace(in_theirs, in_mine),
            (false, _) => output.keep(in_theirs),
        }
    }
    output.keep(&base[at..]);
    output.finish()
}

impl Conflicted {
    /// The conflicts, in order.
    pub fn conflicts(&self) -> impl Iterator<Item = &Conflict> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Conflict(conflict) => Some(conflict),
            Piece::Agreed(_) => None,
        })
    }
}

/// A range of the base that at least one side changed, and the matching range of each side.
struct Spot {
    base: Range<usize>,
    mine: Range<usize>,
    theirs: Range<usize>,
    changed_by_me: bool,
    changed_by_them: bool,
}

impl Spot {
    fn into_conflict(self) -> Conflict {
        Conflict { base: self.base, mine: self.mine, theirs: self.theirs }
    }
}

/// The next changed range, extended over all edits that clash with it.
fn next_spot(mine: &mut Side, theirs: &mut Side) -> Option<Spot> {
    let next = [mine.edits.peek(), theirs.edits.peek()].into_iter().flatten();
    let mut base =
        next.map(|edit| edit.old.clone()).min_by_key(|range| (range.start, range.end))?;
    let (my_start, their_start) = (mine.place_of(base.start), theirs.place_of(base.start));
    let (mut changed_by_me, mut changed_by_them) = (false, false);
    loop {
        let (by_me, by_them) = (mine.take_clashing(&mut base), theirs.take_clashing(&mut base));
        changed_by_me |= by_me;
        changed_by_them |= by_them;
        if !by_me && !by_them {
            break;
        }
    }
    Some(Spot {
        mine: my_start..mine.place_of(base.end),
        theirs: their_start..theirs.place_of(base.end),
        base,
        changed_by_me,
        changed_by_them,
    })
}

/// One copy and its remaining edits.
struct Side {
    edits: Peekable<IntoIter<Edit>>,
    /// The end of the last edit taken, in the base and in the copy.
    base_at: usize,
    copy_at: usize,
}

impl Side {
    fn new(edits: Vec<Edit>) -> Self {
        Self { edits: edits.into_iter().peekable(), base_at: 0, copy_at: 0 }
    }

    /// The offset in the copy for an offset in the base that lies before the next edit.
    const fn place_of(&self, base: usize) -> usize {
        self.copy_at + (base - self.base_at)
    }

    /// Takes the edits that clash with `base`, and extends `base` over them.
    fn take_clashing(&mut self, base: &mut Range<usize>) -> bool {
        let mut any = false;
        while let Some(edit) = self.edits.next_if(|edit| clash(base, &edit.old)) {
            base.end = base.end.max(edit.old.end);
            (self.base_at, self.copy_at) = (edit.old.end, edit.new.end);
            any = true;
        }
        any
    }
}

/// Whether changes to two ranges of the base conflict; `b` does not start before `a`.
///
/// Ranges that only touch do not conflict: their replacements have a clear order.
fn clash(a: &Range<usize>, b: &Range<usize>) -> bool {
    if a.is_empty() || b.is_empty() {
        a == b || (a.start < b.start && b.start < a.end)
    } else {
        b.start < a.end
    }
}

/// The merge built so far.
#[derive(Default)]
struct Output {
    /// Everything up to and including the last conflict.
    pieces: Vec<Piece>,
    /// The merged text since then.
    text: String,
    /// The delta from their copy, used only if there is no conflict.
    from_theirs: DeltaBuilder,
}

impl Output {
    fn keep(&mut self, text: &str) {
        self.text.push_str(text);
        self.from_theirs.retain(text.len());
    }

    fn replace(&mut self, theirs: &str, merged: &str) {
        self.text.push_str(merged);
        self.from_theirs.replace(theirs, merged);
    }

    fn conflict(&mut self, conflict: Conflict) {
        self.end_piece();
        self.pieces.push(Piece::Conflict(conflict));
    }

    fn end_piece(&mut self) {
        if !self.text.is_empty() {
            self.pieces.push(Piece::Agreed(take(&mut self.text)));
        }
    }

    fn finish(mut self) -> Merge {
        if self.pieces.is_empty() {
            return Merge::Clean(Merged {
                text: self.text,
                from_theirs: self.from_theirs.finish(),
            });
        }
        self.end_piece();
        Merge::Conflicted(Conflicted { pieces: self.pieces })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::testing;
    use proptest::prelude::*;
    use rstest::rstest;

    fn clean(base: &str, mine: &str, theirs: &str) -> String {
        let Merge::Clean(merged) = merge(base, mine, theirs) else {
            panic!("a conflict in {base:?} {mine:?} {theirs:?}");
        };
        assert_eq!(merged.from_theirs.apply(theirs).unwrap(), merged.text);
        merged.text
    }

    #[rstest]
    #[case::two_words("one two three\n", "1 two three\n", "one two 3\n", "1 two 3\n")]
    #[case::neighbouring_words("big dog", "old dog", "big cat", "old cat")]
    #[case::word_and_insertion("a cat sat", "a dog sat", "a big cat sat", "a big dog sat")]
    #[case::two_lines("a\nb\nc\n", "x\nb\nc\n", "a\nb\ny\n", "x\nb\ny\n")]
    #[case::same_change("a b c", "a x c", "a x c", "a x c")]
    #[case::same_change_and_more("a b c d", "a x c d", "a x c y", "a x c y")]
    #[case::same_insertion("a c", "a b c", "a b c", "a b c")]
    #[case::line_added_and_line_changed("a\nb\n", "a\nnew\nb\n", "a\nb!\n", "a\nnew\nb!\n")]
    #[case::start_and_end("middle", "start middle", "middle end", "start middle end")]
    #[case::deletions_that_touch("one two three", "one three", "one two ", "one ")]
    #[case::chinese("我们写文章", "他们写文章", "我们写书", "他们写书")]
    #[case::line_ends("a\r\nb\r\n", "a\nb\r\n", "a\r\nx\r\n", "a\nx\r\n")]
    fn combines_changes(
        #[case] base: &str,
        #[case] mine: &str,
        #[case] theirs: &str,
        #[case] expected: &str,
    ) {
        assert_eq!(clean(base, mine, theirs), expected);
        assert_eq!(clean(base, theirs, mine), expected);
    }

    #[rstest]
    #[case::one_word_two_ways("a b c", "a x c", "a y c", (2..3, 2..3, 2..3))]
    #[case::one_word_extended("a cat", "a cats", "a cat's", (2..5, 2..6, 2..7))]
    #[case::two_insertions("a c", "a x c", "a y c", (2..2, 2..4, 2..4))]
    #[case::deleted_and_changed("a b c", "a", "a x c", (1..5, 1..1, 1..5))]
    #[case::all_of_it("old", "mine", "theirs", (0..3, 0..4, 0..6))]
    fn finds_conflicts(
        #[case] base: &str,
        #[case] mine: &str,
        #[case] theirs: &str,
        #[case] place: (Range<usize>, Range<usize>, Range<usize>),
    ) {
        let Merge::Conflicted(merge) = merge(base, mine, theirs) else {
            panic!("no conflict");
        };
        let conflict = Conflict { base: place.0, mine: place.1, theirs: place.2 };
        assert_eq!(merge.conflicts().collect::<Vec<_>>(), [&conflict]);
    }

    #[test]
    fn keeps_merged_text_around_conflicts() {
        let merge = merge("a b c d e", "a x c d 5", "1 y c d e");
        let conflict = Conflict { base: 2..3, mine: 2..3, theirs: 2..3 };
        assert_eq!(
            merge,
            Merge::Conflicted(Conflicted {
                pieces: vec![
                    Piece::Agreed("1 ".into()),
                    Piece::Conflict(conflict),
                    Piece::Agreed(" c d 5".into()),
                ]
            })
        );
    }

    /// The text of a merge with every conflict resolved by `choose`.
    fn resolve(merge: &Merge, choose: impl Fn(&Conflict) -> String) -> String {
        match merge {
            Merge::Clean(merged) => merged.text.clone(),
            Merge::Conflicted(conflicted) => {
                let pieces = conflicted.pieces.iter().map(|piece| match piece {
                    Piece::Agreed(text) => text.clone(),
                    Piece::Conflict(conflict) => choose(conflict),
                });
                pieces.collect()
            }
        }
    }

    proptest! {
        #[test]
        fn one_side_unchanged_gives_the_other((base, changed) in testing::text_pair()) {
            prop_assert_eq!(clean(&base, &base, &changed), changed.clone());
            prop_assert_eq!(clean(&base, &changed, &base), changed.clone());
            prop_assert_eq!(clean(&base, &changed, &changed), changed);
        }

        #[test]
        fn swapping_the_sides_gives_the_same_result(
            (base, mine, theirs) in testing::text_and_two_edits(),
        ) {
            let (one, other) = (merge(&base, &mine, &theirs), merge(&base, &theirs, &mine));
            let one = resolve(&one, |at| format!("<{}|{}>", &mine[at.mine.clone()], &theirs[at.theirs.clone()]));
            let other = resolve(&other, |at| format!("<{}|{}>", &mine[at.theirs.clone()], &theirs[at.mine.clone()]));
            prop_assert_eq!(one, other);
        }

        #[test]
        fn a_clean_merge_applies_to_their_text(
            (base, mine, theirs) in testing::text_and_two_edits(),
        ) {
            if let Merge::Clean(merged) = merge(&base, &mine, &theirs) {
                prop_assert_eq!(merged.from_theirs.apply(&theirs).unwrap(), merged.text);
            }
        }

        #[test]
        fn keeps_all_changes_of_different_words(
            words in proptest::collection::vec(("[a-z]{1,6}", "[ \n]", 0..3_u8), 1..30),
        ) {
            let text = |my_turn: bool, their_turn: bool| -> String {
                let words = words.iter().enumerate().map(|(at, (word, space, who))| match who {
                    1 if my_turn => format!("MINE{at}{space}"),
                    2 if their_turn => format!("THEIRS{at}{space}"),
                    _ => format!("{word}{at}{space}"),
                });
                words.collect()
            };
            let merged = clean(&text(false, false), &text(true, false), &text(false, true));
            prop_assert_eq!(merged, text(true, true));
        }
    }
}
