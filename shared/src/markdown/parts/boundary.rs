//! Where a document can be divided, so that each part is parsed as it is within the whole.
//!
//! A part starts after a blank line, with a character in the first column that cannot continue a
//! list, an indented code block or a note. Quotes, tables, paragraphs and containers therefore end
//! before it, with everything in them. Only a fenced code block and raw HTML of some kinds go on over
//! blank lines; whether one is open, the parser tells (`Summary::is_open`).

/// A part is at least this long, in bytes, if the text can be divided there.
pub(super) const LEAST: usize = 2 * 1024;

/// Returns whether a part may end after this text, which ends with a blank line.
pub(super) fn ends_blank(text: &str) -> bool {
    let Some(text) = text.strip_suffix('\n') else { return false };
    let line = &text[text.rfind('\n').map_or(0, |at| at + 1)..];
    line.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
}

/// Returns whether a part may start with this text.
pub(super) fn starts_plainly(text: &str) -> bool {
    let Some(&first) = text.as_bytes().first() else { return false };
    !(first <= b' ' || first.is_ascii_digit() || matches!(first, b'-' | b'+' | b'*' | 0x7f))
}

/// Returns the first offset after `from` where a part may end, or the end of the text.
pub(super) fn next(text: &str, from: usize) -> usize {
    let mut at = text.floor_char_boundary(from);
    while let Some(found) = text[at..].find('\n') {
        at += found + 1;
        if starts_plainly(&text[at..]) && ends_blank(&text[..at]) {
            return at;
        }
    }
    text.len()
}

/// Returns the first offset after `from` where a line starts, or the end of the text.
pub(super) fn next_line(text: &str, from: usize) -> usize {
    let from = text.floor_char_boundary(from);
    text[from..].find('\n').map_or(text.len(), |at| from + at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("a\n\nb", 3)]
    #[case("a\nb", 3)]
    #[case("a\n\n b", 5)]
    #[case("a\r\n \t\r\nb", 7)]
    #[case("a\n\n- b\n\n1. c\n\n# d", 14)]
    #[case("\nb", 1)]
    fn finds_the_first_boundary(#[case] text: &str, #[case] expected: usize) {
        assert_eq!(next(text, 0), expected);
    }
}
