//! Texts for property tests, with many edge cases: `\r\n`, lone `\r`, joined emoji, characters
//! outside the basic plane, combining characters, empty lines, no newline at the end (DESIGN §9).
//! The integration tests include this file by its path.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// A text of a few lines.
pub(crate) fn text() -> impl Strategy<Value = String> {
    let line = (vec(piece(), 0..8), line_end());
    let lines = vec(line.prop_map(|(pieces, end)| pieces.concat() + end), 0..12);
    (lines, vec(piece(), 0..4))
        .prop_map(|(lines, unfinished)| lines.concat() + &unfinished.concat())
}

/// Two texts: usually the second is an edited copy of the first, sometimes they are unrelated.
pub(crate) fn text_pair() -> impl Strategy<Value = (String, String)> {
    let edited = (text(), vec(edit(), 0..6)).prop_map(|(old, edits)| {
        let new = edits.iter().fold(old.clone(), |text, edit| edit.apply(&text));
        (old, new)
    });
    prop_oneof![4 => edited, 1 => (text(), text())]
}

/// A text and two edited copies of it.
pub(crate) fn text_and_two_edits() -> impl Strategy<Value = (String, String, String)> {
    let edits = || vec(edit(), 0..4);
    (text(), edits(), edits()).prop_map(|(base, mine, theirs)| {
        let apply = |edits: Vec<TextEdit>| {
            let edits = edits.iter();
            edits.fold(base.clone(), |text, edit| edit.apply(&text))
        };
        let (mine, theirs) = (apply(mine), apply(theirs));
        (base, mine, theirs)
    })
}

/// An edit that can be applied to any text.
#[derive(Debug, Clone)]
pub(crate) struct TextEdit {
    at: Index,
    deleted: usize,
    inserted: String,
}

impl TextEdit {
    /// `text` after the edit.
    pub(crate) fn apply(&self, text: &str) -> String {
        let mut boundaries: Vec<_> = text.char_indices().map(|(at, _)| at).collect();
        boundaries.push(text.len());
        let first = self.at.index(boundaries.len());
        let last = (first + self.deleted).min(boundaries.len() - 1);
        let (kept, rest) = (&text[..boundaries[first]], &text[boundaries[last]..]);
        [kept, &self.inserted, rest].concat()
    }
}

/// An edit that deletes up to a dozen characters and inserts a few pieces.
pub(crate) fn edit() -> impl Strategy<Value = TextEdit> {
    let deleted = prop_oneof![Just(0), 0..12_usize];
    let inserted = prop_oneof![
        1 => Just(String::new()),
        4 => vec(prop_oneof![4 => piece(), 1 => line_end().prop_map(String::from)], 0..4)
            .prop_map(|pieces| pieces.concat()),
    ];
    (any::<Index>(), deleted, inserted).prop_map(|(at, deleted, inserted)| TextEdit {
        at,
        deleted,
        inserted,
    })
}

fn line_end() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        6 => Just("\n"),
        2 => Just("\r\n"),
        1 => Just("\r"),
        1 => Just("\n\n"),
        1 => Just("\u{2028}"),
    ]
}

fn piece() -> impl Strategy<Value = String> {
    let common = select(vec![
        "a", "b", "the", "word", " ", " ", "  ", "\t", ".", ", ", "(", "\"", "\\", "#", "- ",
        "- [ ] ", "x1",
    ]);
    let tricky = select(vec![
        "é",
        "e\u{301}",
        "\u{301}",
        "ö\u{332}",
        "👨‍👩‍👧",
        "\u{200d}",
        "👍🏽",
        "🇫🇷",
        "🇫",
        "𝒳",
        "😀",
        "我",
        "们写",
        "ひらがな",
        "カタカナ",
        "한국",
        "नमस्ते",
        "שלום",
        "مرحبا",
        "\u{feff}",
        "\u{a0}",
        "\u{3000}",
        "ﬁ",
        "ß",
        "İ",
    ]);
    prop_oneof![
        6 => common.prop_map(String::from),
        3 => tricky.prop_map(String::from),
        1 => any::<char>()
            .prop_filter("NUL is not allowed in documents", |c| *c != '\0')
            .prop_map(String::from),
    ]
}
