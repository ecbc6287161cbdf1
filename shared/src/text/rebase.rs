//! Moving a text to a document that was restored from an earlier state.
//!
//! Three texts meet: the last one that is known to be saved, that of the page with what the user has
//! typed since, and the one that the document has now. No words of the page may disappear unasked.

use super::{
    additions::with_additions,
    budget::{Budget, DEFAULT_BUDGET},
    edits::edits_between,
    merge::{Merge, merge},
};

/// What becomes of the page's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rebased {
    /// The document has all of it.
    Complete,
    /// The document has all of it with this text, which has everything of the document too.
    Added(String),
    /// The document lacks words of it that were saved, or both differ at the same place.
    Missing,
}

/// Decides what becomes of `mine`, a page's text, now that the document has the text `theirs`.
/// `saved` is the last text of which the page knows that it was saved.
#[must_use]
pub fn rebase(saved: &str, mine: &str, theirs: &str) -> Rebased {
    if mine == theirs {
        return Rebased::Complete;
    }
    let text = match merge(saved, mine, theirs) {
        Merge::Clean(merged) if has_all_of(&merged.text, mine) => merged.text,
        // Some of what was typed had been saved without the page's knowledge.
        _ if is_insertion(saved, theirs) && is_insertion(theirs, mine) => mine.to_owned(),
        _ => return Rebased::Missing,
    };
    if text == theirs { Rebased::Complete } else { Rebased::Added(text) }
}

/// The text of a document that lacks words of a page, with these words. What the page's user deleted
/// stays deleted. Where both differ, both versions are there, each of them whole.
#[must_use]
pub fn add_back(saved: &str, mine: &str, theirs: &str) -> String {
    if has_words_of(theirs, mine) {
        // Another page has added them.
        return theirs.to_owned();
    }
    with_additions(saved, mine, theirs)
}

/// Whether `text` has all words and marks of `part`, in their order. Unlike a comparison, this finds
/// them always, so that nothing is added twice.
fn has_words_of(text: &str, part: &str) -> bool {
    let mut all = tokens(text);
    tokens(part).all(|token| all.any(|it| it == token))
}

fn tokens(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let word = rest.find(|it: char| !it.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let (token, after) = rest.split_at(word.max(first.len_utf8()));
        rest = after;
        Some(token)
    })
}

/// Whether `text` can be made from `part` by inserting only.
fn has_all_of(text: &str, part: &str) -> bool {
    let edits = edits_between(part, text, &mut Budget::new(DEFAULT_BUDGET));
    edits.iter().all(|edit| edit.old.is_empty())
}

/// Whether `new` is `old` with one insertion, as when a user goes on typing.
fn is_insertion(old: &str, new: &str) -> bool {
    let (a, b) = (old.as_bytes(), new.as_bytes());
    let start = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let end = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    old.len() <= new.len() && start + end >= old.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::testing;
    use proptest::{
        collection::vec,
        prelude::*,
        sample::{Index, select},
    };
    use rstest::rstest;

    fn added(text: &str) -> Rebased {
        Rebased::Added(text.to_owned())
    }

    #[rstest]
    #[case::nothing_changed("base", "base", "base", Rebased::Complete)]
    #[case::others_have_written("one two", "one two", "zero one two", Rebased::Complete)]
    #[case::another_tab_has_saved_it("base", "base mine", "base mine", Rebased::Complete)]
    #[case::and_more("base", "base mine", "above base mine", Rebased::Complete)]
    #[case::unsent("base below", "unsent base below", "base below", added("unsent base below"))]
    #[case::a_deletion("a b c", "a c", "a b c", added("a c"))]
    #[case::a_part_had_arrived("base", "base unsent", "base uns", added("base unsent"))]
    #[case::saved_words_are_missing("base saved", "base saved", "base", Rebased::Missing)]
    #[case::below_unsent_ones("base saved", "base saved unsent", "base", Rebased::Missing)]
    #[case::far_from_unsent_ones("a b c d", "unsent a b c d", "a b c", Rebased::Missing)]
    #[case::both_wrote_there("base", "base mine", "base theirs", Rebased::Missing)]
    #[case::a_changed_word("one two three", "one two three", "one 2 three", Rebased::Missing)]
    fn decides_what_becomes_of_a_text(
        #[case] saved: &str,
        #[case] mine: &str,
        #[case] theirs: &str,
        #[case] expected: Rebased,
    ) {
        assert_eq!(rebase(saved, mine, theirs), expected);
    }

    #[rstest]
    #[case::saved("base saved words", "base saved words", "base", "base saved words")]
    #[case::and_unsent("base saved", "base saved unsent", "base", "base saved unsent")]
    #[case::what_others_wrote("a\nb\n", "a\nb\n", "a\nnew\n", "a\nb\nnew\n")]
    #[case::a_deleted_word("a b c d", "a c d", "a b c", "a c d")]
    #[case::both_versions("base", "base mine", "base theirs", "base mine theirs")]
    #[case::there_already("base", "base mine", "base mine", "base mine")]
    #[case::and_more("base", "base mine", "base mine theirs", "base mine theirs")]
    #[case::others_beside("a b.", "a b. mine", "a c d e f g.", "a b. mine c d e f g.")]
    fn adds_what_is_missing(
        #[case] saved: &str,
        #[case] mine: &str,
        #[case] theirs: &str,
        #[case] expected: &str,
    ) {
        assert_eq!(add_back(saved, mine, theirs), expected);
    }

    /// A text of words that may occur often, and two copies with words deleted and inserted.
    fn prose_and_two_edits() -> impl Strategy<Value = (String, String, String)> {
        let word =
            || select(vec!["a ", "b ", "Ann ", "pays. ", "rent\n", "\n", "tax;", "我", "- "]);
        let edit = || (any::<Index>(), 0..4_usize, vec(word(), 0..4));
        let edits = move || vec(edit(), 0..4);
        (vec(word(), 0..20), edits(), edits()).prop_map(|(words, mine, theirs)| {
            let edited = |edits: Vec<(Index, usize, Vec<&'static str>)>| {
                let mut words = words.clone();
                for (at, gone, added) in edits {
                    let at = at.index(words.len() + 1);
                    let end = (at + gone).min(words.len());
                    words.splice(at..end, added);
                }
                words.concat()
            };
            (words.concat(), edited(mine), edited(theirs))
        })
    }

    proptest! {
        #[test]
        fn no_words_of_the_page_are_lost((saved, mine, theirs) in testing::text_and_two_edits()) {
            match rebase(&saved, &mine, &theirs) {
                Rebased::Complete => prop_assert!(has_all_of(&theirs, &mine)),
                Rebased::Added(text) => prop_assert!(has_all_of(&text, &mine)),
                Rebased::Missing => {}
            }
        }

        #[test]
        fn an_earlier_state_takes_nothing_away((earlier, saved) in testing::text_pair()) {
            let has_lost = !has_all_of(&earlier, &saved);
            prop_assert_eq!(rebase(&saved, &saved, &earlier) == Rebased::Missing, has_lost);
        }

        #[test]
        fn adding_back_takes_nothing_away((saved, mine, theirs) in testing::text_and_two_edits()) {
            let text = add_back(&saved, &mine, &theirs);
            let mut rest = text.chars();
            prop_assert!(mine.chars().all(|own| rest.any(|it| it == own)), "{mine} is not in {text}");
        }

        #[test]
        fn adding_back_twice_is_adding_back_once((saved, mine, theirs) in prose_and_two_edits()) {
            let text = add_back(&saved, &mine, &theirs);
            prop_assert_eq!(&add_back(&saved, &mine, &text), &text);
        }

        #[test]
        fn equal_texts_stay_as_they_are((saved, mine) in testing::text_pair()) {
            prop_assert_eq!(&add_back(&saved, &mine, &mine), &mine);
        }
    }
}
