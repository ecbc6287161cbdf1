//! Plain text of a document, and word and character counts.

use pulldown_cmark::{Event, TagEnd};
use unicode_segmentation::UnicodeSegmentation;

use super::limit::within_markup;
use super::nesting::limit_nesting;
use super::strike;
use crate::text::without_mark;

/// Returns the text of a Markdown document without markup, for snippets, search and word counts.
///
/// Each block starts a new line and table cells are separated by tabs. Images are replaced by their
/// alt text, link addresses are dropped, and raw HTML is kept as written because the rendered page
/// shows it too.
#[must_use]
pub fn plain_text(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let source = without_mark(source);
    let part = within_markup(source);
    for (event, _) in strike::Events::new(&limit_nesting(part), super::SYNTAX) {
        match event {
            Event::Text(text)
            | Event::Code(text)
            | Event::InlineMath(text)
            | Event::DisplayMath(text)
            | Event::Html(text)
            | Event::InlineHtml(text) => out.push_str(&text),
            Event::SoftBreak | Event::HardBreak | Event::Rule => break_line(&mut out),
            Event::End(TagEnd::TableCell) => out.push('\t'),
            Event::Start(tag) if is_block(tag.to_end()) => break_line(&mut out),
            Event::End(tag) if is_block(tag) => break_line(&mut out),
            Event::Start(_)
            | Event::End(_)
            | Event::FootnoteReference(_)
            | Event::TaskListMarker(_) => {}
        }
    }
    out.truncate(out.trim_end().len());
    // The rest has too much markup to parse; a download must not lose it.
    if part.len() < source.len() {
        break_line(&mut out);
        out.push_str(&source[part.len()..]);
    }
    out
}

/// Starts a new line unless `out` is already at the start of one.
fn break_line(out: &mut String) {
    if out.ends_with('\t') {
        out.pop();
    }
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
}

fn is_block(tag: TagEnd) -> bool {
    !matches!(
        tag,
        TagEnd::Emphasis
            | TagEnd::Strong
            | TagEnd::Strikethrough
            | TagEnd::Superscript
            | TagEnd::Subscript
            | TagEnd::Link
            | TagEnd::Image
            | TagEnd::TableCell
    )
}

/// Length of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Unicode words (UAX #29) that contain a letter or digit. In scripts without spaces every
    /// ideograph and every hiragana counts as a word; a run of katakana or hangul counts as one.
    pub words: usize,
    /// Unicode scalar values, including whitespace and line breaks: `é` may count as one or two, an
    /// emoji as several. Length limits elsewhere use the same unit.
    pub characters: usize,
}

/// Counts the words and characters of a text as is; pass the result of [`plain_text`] to leave out
/// markup.
#[must_use]
pub fn counts(text: &str) -> Counts {
    // Whitespace is always a word boundary (UAX #29: no rule before WB999 joins across it), and a
    // run of ASCII alphanumerics is one word, so both can skip the Unicode tables.
    let count_piece = |piece: &str| {
        if piece.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            1
        } else {
            piece.unicode_words().count()
        }
    };
    Counts {
        words: text.split_ascii_whitespace().map(count_piece).sum(),
        characters: text.chars().count(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("# A *b* `c`\n\nd\ne  \nf", "A b c\nd\ne\nf")]
    #[case("- a\n- [x] b\n  1. c\n\n> d", "a\nb\nc\nd")]
    #[case("| a | b |\n|---|---|\n| c | d |\n\ne", "a\tb\nc\td\ne")]
    #[case("[a](http://b) ![c](d) <http://e> <i>f</i>", "a c http://e <i>f</i>")]
    #[case("```rust\nfn a\n```\nb[^1]\n\n[^1]: c", "fn a\nb\nc")]
    #[case("H~2~O ~~a~~", "H2O a")]
    #[case("", "")]
    fn keeps_the_text_without_markup(#[case] source: &str, #[case] expected: &str) {
        assert_eq!(plain_text(source), expected);
    }

    #[rstest]
    #[case("", 0, 0)]
    #[case(" \n\t", 0, 3)]
    #[case("Hello, world! It's 3.14 — done.", 5, 31)]
    #[case("snake_case well-known", 3, 21)]
    #[case("日本語テキスト", 4, 7)]
    #[case("ひらがな", 4, 4)]
    #[case("한국어 텍스트", 2, 7)]
    #[case("e\u{301}tude 👨‍👩‍👧 ...", 1, 16)]
    fn counts_words_and_characters(
        #[case] text: &str,
        #[case] words: usize,
        #[case] characters: usize,
    ) {
        assert_eq!(counts(text), Counts { words, characters });
    }

    proptest! {
        #[test]
        fn word_count_matches_unicode_words(text in "[a-c1 .,'_\n\r\t\u{a0}éж日ア한\u{301}\u{200d}👍]{0,40}") {
            prop_assert_eq!(counts(&text).words, text.unicode_words().count());
        }
    }
}
