//! Splitting a changed line into words.

use std::ops::Range;

use super::Span;
use crate::text::sequence::Interner;
use crate::text::words::split_words;

/// A line split into words, which are numbered for comparison.
pub(super) struct LineWords<'a> {
    line: &'a str,
    /// Equal words have equal numbers. Ignored white space has none.
    pub(super) numbers: Vec<u32>,
    /// The word for each number.
    words: Vec<Word>,
    /// The number of bytes that are not white space.
    pub(super) visible_len: usize,
}

#[derive(Clone, Copy)]
struct Word {
    start: usize,
    end: usize,
    is_blank: bool,
}

impl<'a> LineWords<'a> {
    pub(super) fn split(
        line: &'a str,
        ignore_white_space: bool,
        interner: &mut Interner<'a>,
    ) -> Self {
        // Words and spaces are about three bytes long on average.
        let estimate = line.len() / 3 + 1;
        let mut words = Self {
            line,
            numbers: Vec::with_capacity(estimate),
            words: Vec::with_capacity(estimate),
            visible_len: 0,
        };
        let mut start = 0;
        split_words(line, |text| {
            let end = start + text.len();
            let is_blank = is_blank(text);
            if !is_blank {
                words.visible_len += text.len();
            }
            if !(ignore_white_space && is_blank) {
                words.numbers.push(interner.intern(text));
                words.words.push(Word { start, end, is_blank });
            }
            start = end;
        });
        words
    }

    /// The numbers of all words except white space, in ascending order.
    pub(super) fn sorted_numbers(&self) -> Vec<u32> {
        let words = self.numbers.iter().zip(&self.words);
        let visible = words.filter(|(_, word)| !word.is_blank);
        let mut numbers: Vec<_> = visible.map(|(number, _)| *number).collect();
        numbers.sort_unstable();
        numbers
    }

    /// Whether the words in `range` are all white space.
    pub(super) fn is_blank(&self, range: Range<usize>) -> bool {
        self.words[range].iter().all(|word| word.is_blank)
    }

    /// The number of bytes in `range` that are not white space.
    pub(super) fn visible_len_in(&self, range: &Range<usize>) -> usize {
        let words = self.words[range.clone()].iter();
        let visible = words.filter(|word| !word.is_blank);
        visible.map(|word| word.end - word.start).sum()
    }

    /// The line as spans, given the ranges of changed words, which are in order and do not touch.
    pub(super) fn spans<'r>(&self, changed: impl Iterator<Item = &'r Range<usize>>) -> Vec<Span> {
        let mut spans = Vec::new();
        let mut push = |bytes: Range<usize>, changed| {
            if !bytes.is_empty() {
                let text = self.line[bytes].to_owned();
                spans.push(Span { text, changed });
            }
        };
        let mut at = 0;
        for range in changed {
            if let [first, .., last] | [first @ last] = self.words[range.clone()] {
                push(at..first.start, false);
                push(first.start..last.end, true);
                at = last.end;
            }
        }
        push(at..self.line.len(), false);
        spans
    }
}

/// Whether a token is white space. Tokens never mix it with other characters.
fn is_blank(token: &str) -> bool {
    match token.as_bytes() {
        [first, ..] if first.is_ascii() => first.is_ascii_whitespace(),
        _ => token.starts_with(char::is_whitespace),
    }
}
