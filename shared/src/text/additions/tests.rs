use super::*;
use crate::text::testing;
use proptest::{collection::vec, prelude::*, sample::select};
use rstest::rstest;

#[rstest]
#[case("One. Two!\nThree; four", &["One. ", "Two!\n", "Three; ", "four"])]
#[case("a;b;c;", &["a;", "b;", "c;"])]
#[case("3.14 e.g. x\r\n\n", &["3.14 e.g. ", "x\r\n", "\n"])]
#[case("我写。你改！", &["我写。", "你改！"])]
fn splits_text_into_sentences(#[case] text: &str, #[case] expected: &[&str]) {
    assert_eq!(sentences(text).collect::<Vec<_>>(), expected);
}

#[rstest]
#[case::two_sentences(
    "Intro. ",
    "Ann pays the rent on Monday with cash.",
    "Bob pays the tax on Friday with a card.",
    "Intro. Ann pays the rent on Monday with cash. Bob pays the tax on Friday with a card."
)]
#[case::a_shared_end("KEEP1;", "LOST;", "NEWA;", "KEEP1;LOST;NEWA;")]
#[case::within_a_sentence("Intro. Ann", " pays.", " or Bob.", "Intro. Ann pays. or Bob.")]
#[case::paragraphs(
    "a\n\n",
    "Ann.\n\nPays.\n",
    "Bob.\n\nIs paid.\n",
    "a\n\nAnn.\n\nPays.\nBob.\n\nIs paid.\n"
)]
#[case::lists("", "1. ann\n2. pays\n", "1. bob\n2. eats\n", "1. ann\n2. pays\n1. bob\n2. eats\n")]
#[case::bullets("- ", "ann\n- pays\n", "bob\n- eats\n", "- ann\n- pays\n- bob\n- eats\n")]
#[case::chinese("我。", "你写文章。", "他写书。", "我。你写文章。他写书。")]
#[case::the_same("a\n", "b\n", "b\n", "a\nb\n")]
fn keeps_what_two_people_wrote_whole(
    #[case] restored: &str,
    #[case] lost: &str,
    #[case] new: &str,
    #[case] expected: &str,
) {
    let saved = format!("{restored}{lost}");
    let theirs = format!("{restored}{new}");
    let text = with_additions(&saved, &saved, &theirs);
    assert_eq!(text, expected);
    assert_eq!(with_additions(&saved, &saved, &text), expected);
}

#[rstest]
#[case::an_edited_word(
    "Ann pays the rent with cash.",
    "Ann pays the bill with cash.",
    "Ann pays the rent bill with cash."
)]
#[case::insertions("Ann pays cash.", "Ann often pays with cash.", "Ann often pays with cash.")]
#[case::deletions("Ann often pays with cash.", "Ann pays cash.", "Ann often pays with cash.")]
#[case::far_apart("k1;L1;k2;L2;k3;", "k1;k2;k3;new;", "k1;L1;k2;L2;k3;new;")]
#[case::around_a_blank_line("lost\n\nend\n", "\nnew\nend\n", "lost\n\nnew\nend\n")]
#[case::typed_further("base uns", "base unsent", "base unsent")]
#[case::typed_less("base unsent", "base uns", "base unsent")]
fn takes_what_was_edited_as_one(#[case] saved: &str, #[case] theirs: &str, #[case] expected: &str) {
    assert_eq!(with_additions(saved, saved, theirs), expected);
}

/// Sentences of words of which few are different.
fn sentence() -> impl Strategy<Value = String> {
    let word = select(vec!["Ann", "Bob", "pays", "the", "rent", "tax", "on", "with"]);
    (vec(word, 1..6), select(vec![". ", ";", "\n", "!\n"]))
        .prop_map(|(words, end)| words.join(" ") + end)
}

fn prose() -> impl Strategy<Value = String> {
    vec(sentence(), 0..5).prop_map(|it| it.concat())
}

/// What is left of a text without what another one begins with.
fn without_common_start<'a>(one: &'a str, other: &str) -> &'a str {
    let words = |text: &str| -> Vec<String> {
        text.split_inclusive(|it: char| !it.is_alphanumeric()).map(str::to_owned).collect()
    };
    let (own, others) = (words(one), words(other));
    let same = own.iter().zip(&others).take_while(|(a, b)| a == b);
    &one[same.map(|(word, _)| word.len()).sum()..]
}

proptest! {
    #[test]
    fn sentences_add_up_to_the_text(text in testing::text()) {
        prop_assert_eq!(sentences(&text).collect::<String>(), text);
    }

    #[test]
    fn two_different_blocks_stand_whole(
        restored in prose(),
        numbers in vec((1..9_u8, any::<bool>()), 1..4),
        (lost, new) in (vec(sentence(), 1..4), vec(sentence(), 1..4)),
    ) {
        // No sentence is in both.
        let label = |name: &str, all: &[String]| -> String {
            all.iter().enumerate().map(|(at, it)| format!("{name}{at} {it}")).collect()
        };
        let (lost, new) = (label("Lost", &lost), label("New", &new));
        let after = numbers.iter().map(|(it, _)| format!("After {it}.\n")).collect::<String>();
        let text = |middle: &str| format!("{restored}{middle}{after}");
        let (saved, theirs) = (text(&lost), text(&new));
        let both = with_additions(&saved, &saved, &theirs);
        let end = lost.trim_end();
        prop_assert!(both.contains(end), "{end:?} is not whole in {both:?}");
        let end = without_common_start(&new, &lost).trim_end();
        prop_assert!(both.contains(end), "{end:?} is not whole in {both:?}");
        prop_assert_eq!(with_additions(&saved, &saved, &both), both);
    }

    #[test]
    fn a_text_with_nothing_new_adds_nothing((saved, mine) in testing::text_pair()) {
        prop_assert_eq!(&with_additions(&saved, &mine, &saved), &mine);
    }
}
