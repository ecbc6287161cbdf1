//! Splitting lines into the tokens that are compared inside changed lines.

use unicode_segmentation::UnicodeSegmentation;

/// Longer runs of letters are data rather than words, and are split into characters.
const LONGEST_WORD: usize = 64;

/// The maximum size in bytes of all changed text in which words are compared, old and new together.
pub(crate) const MOST_WORD_BYTES: usize = 512 * 1024;

/// Memory in bytes for comparing the words of texts with this many bytes together; about 60 times
/// as much, if each word has one letter.
#[must_use]
pub fn word_memory(bytes: usize) -> usize {
    60 * bytes.min(MOST_WORD_BYTES)
}

/// Returns how many bytes two texts have in common at their beginning and at their end, up to a space
/// each. Without them, a small change in a very long line has few words to compare.
pub(crate) fn common_ends(old: &str, new: &str) -> (usize, usize) {
    let same = |(a, b): &(&u8, &u8)| a == b;
    let (old, new) = (old.as_bytes(), new.as_bytes());
    let begin = old.iter().zip(new).take_while(same).count();
    let begin = old[..begin].iter().rposition(|byte| *byte == b' ').map_or(0, |at| at + 1);
    let (old, new) = (&old[begin..], &new[begin..]);
    let end = old.iter().rev().zip(new.iter().rev()).take_while(same).count();
    let tail = &old[old.len() - end..];
    let end = tail.iter().position(|byte| *byte == b' ').map_or(0, |at| tail.len() - at);
    (begin, end)
}

/// Calls `found` with every token of `text`, in order and without gaps.
///
/// A token is a word, a run of spaces and tabs, or a single other character. Punctuation inside a
/// word or number, as in `don't` and `3.14`, belongs to it. Words with non-ASCII letters are split
/// at Unicode word boundaries (UAX #29), which keep combining characters and joined emoji together
/// and make every CJK character a token of its own.
pub(crate) fn split_words<'a>(text: &'a str, mut found: impl FnMut(&'a str)) {
    let bytes = text.as_bytes();
    let mut start = 0;
    while start < bytes.len() {
        let end = token_end(bytes, start);
        let token = &text[start..end];
        if is_word_byte(bytes[start]) && end - start > 1 {
            split_word(token, &mut found);
        } else {
            found(token);
        }
        start = end;
    }
}

/// Splits a run of word characters at Unicode word boundaries, and data into characters.
fn split_word<'a>(run: &'a str, found: &mut impl FnMut(&'a str)) {
    if run.len() <= LONGEST_WORD && run.is_ascii() {
        return found(run);
    }
    for word in run.split_word_bounds() {
        if word.len() <= LONGEST_WORD {
            found(word);
        } else {
            word.split_inclusive(|_| true).for_each(&mut *found);
        }
    }
}

/// The kind of token that a byte belongs to. Non-ASCII bytes count as letters; the Unicode rules
/// separate those that are not.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Blank,
    Word,
    Other,
}

/// The class of every byte, as a table because it is looked up for every byte of a changed text.
const CLASSES: [Class; 256] = {
    let mut classes = [Class::Other; 256];
    let mut byte = 0;
    while byte < classes.len() {
        let is_word = (byte as u8).is_ascii_alphanumeric() || byte == b'_' as usize || byte >= 0x80;
        if is_word {
            classes[byte] = Class::Word;
        }
        byte += 1;
    }
    classes[b' ' as usize] = Class::Blank;
    classes[b'\t' as usize] = Class::Blank;
    classes
};

#[inline]
fn is_word_byte(byte: u8) -> bool {
    CLASSES[usize::from(byte)] == Class::Word
}

/// The end of the token or of the run of word characters that starts at `start`.
fn token_end(bytes: &[u8], start: usize) -> usize {
    let class = CLASSES[usize::from(bytes[start])];
    let mut end = start + 1;
    if class == Class::Other {
        return end;
    }
    while end < bytes.len()
        && (CLASSES[usize::from(bytes[end])] == class
            || (class == Class::Word && is_inside_word(bytes, end)))
    {
        end += 1;
    }
    end
}

/// Whether the punctuation at `at`, which must not be 0, belongs to the word or number around it.
fn is_inside_word(bytes: &[u8], at: usize) -> bool {
    let (before, Some(&after)) = (bytes[at - 1], bytes.get(at + 1)) else {
        return false;
    };
    match bytes[at] {
        b'\'' => is_word_byte(before) && is_word_byte(after),
        b'.' | b',' => before.is_ascii_digit() && after.is_ascii_digit(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_ends_are_whole_words() {
        assert_eq!(common_ends("a big fox is here", "a big frog is here"), (6, 8));
        assert_eq!(common_ends("same", "same"), (0, 0));
        assert_eq!(common_ends("a b", "a b c"), (2, 0));
        assert_eq!(common_ends("a a a", "a a"), (2, 0));
        assert_eq!(common_ends("", "x"), (0, 0));
    }
    use crate::text::testing;
    use proptest::prelude::*;
    use rstest::rstest;

    fn tokens(text: &str) -> Vec<&str> {
        let mut tokens = Vec::new();
        split_words(text, |token| tokens.push(token));
        tokens
    }

    #[rstest]
    #[case::words("two  words", &["two", "  ", "words"])]
    #[case::punctuation("f(x_1)!", &["f", "(", "x_1", ")", "!"])]
    #[case::apostrophe("don't 'a'", &["don't", " ", "'", "a", "'"])]
    #[case::numbers("3.14, 1.", &["3.14", ",", " ", "1", "."])]
    #[case::accents("cafe\u{301} été", &["cafe\u{301}", " ", "été"])]
    #[case::chinese("我们写", &["我", "们", "写"])]
    #[case::family("a👨‍👩‍👧b", &["a", "👨‍👩‍👧", "b"])]
    #[case::flags("🇫🇷🇩🇪", &["🇫🇷", "🇩🇪"])]
    #[case::line_ends("a\r\n \n", &["a", "\r", "\n", " ", "\n"])]
    fn splits_text_into_tokens(#[case] text: &str, #[case] expected: &[&str]) {
        assert_eq!(tokens(text), expected);
    }

    #[test]
    fn splits_a_very_long_word_into_characters() {
        let word = "x".repeat(LONGEST_WORD + 1);
        assert_eq!(tokens(&word).len(), LONGEST_WORD + 1);
        assert_eq!(tokens(&word[1..]), [&word[1..]]);
    }

    proptest! {
        #[test]
        fn tokens_add_up_to_the_text(text in testing::text()) {
            prop_assert_eq!(tokens(&text).concat(), text);
        }
    }
}
