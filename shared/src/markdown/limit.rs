//! Limits of rendering: how much markup is parsed, and how much HTML is written.
//!
//! A parser node takes far more time and memory than a byte of text, and a footnote or a heading
//! becomes many times its length in HTML. Without limits, a text within the limit of a document
//! would take gigabytes. Both limits are far above what a text of that length written by a person
//! contains; what is beyond them is reported, not rendered.

/// Maximum number of characters that may become markup, of which each gives the parser at most one
/// node: one in thirteen of the longest document.
pub(super) const MAX_MARKUP: usize = 3 << 18;

/// Maximum length of the HTML, in bytes. One element may exceed it, by at most its own length.
pub(super) const MAX_HTML: usize = 24 << 20;

/// A shorter line than this is not cut in the middle.
const LONG_LINE: usize = 4096;

/// Returns the part of a Markdown text with at most [`MAX_MARKUP`] characters of markup.
pub(super) fn within_markup(source: &str) -> &str {
    within(source, MAX_MARKUP)
}

fn within(source: &str, most: usize) -> &str {
    if source.len() <= most {
        return source;
    }
    let is_markup = |&(_, byte): &(usize, u8)| is_markup(byte);
    let Some((end, _)) = source.bytes().enumerate().filter(is_markup).nth(most) else {
        return source;
    };
    // All of these bytes are ASCII, so this is the start of a character.
    let part = &source[..end];
    match part.rfind('\n') {
        Some(at) if end - at < LONG_LINE => &part[..=at],
        _ => part,
    }
}

/// Returns the part of a text whose HTML is at most [`MAX_HTML`] long, without any markup.
pub(super) fn within_html(text: &str) -> &str {
    let most_bytes_per_byte = "&amp;".len();
    if text.len() * most_bytes_per_byte <= MAX_HTML {
        return text;
    }
    let mut length = 0;
    let cut = text.char_indices().find(|&(_, character)| {
        length += match character {
            '&' => "&amp;".len(),
            '<' | '>' => "&lt;".len(),
            '\u{a0}' => "&nbsp;".len(),
            '\0' => '\u{fffd}'.len_utf8(),
            other => other.len_utf8(),
        };
        length > MAX_HTML
    });
    cut.map_or(text, |(end, _)| &text[..end])
}

/// Returns whether a byte may start a parser node: line ends, and punctuation with a meaning in
/// Markdown. Digits and letters only have one next to these.
pub(super) fn is_markup(byte: u8) -> bool {
    matches!(
        byte,
        b'\n'
            | b'\r'
            | b'!'
            | b'#'
            | b'&'
            | b'*'
            | b'+'
            | b'-'
            | b'<'
            | b'='
            | b'>'
            | b'['
            | b'\\'
            | b']'
            | b'^'
            | b'_'
            | b'`'
            | b'|'
            | b'~'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::no_markup("plain words", 0, "plain words")]
    #[case::few("*a*\n", 3, "*a*\n")]
    #[case::at_a_line("a\nb *c* d\ne", 2, "a\n")]
    #[case::within_a_long_line(&"ab*".repeat(2_000), 1_999, &("ab*".repeat(1_999) + "ab"))]
    #[case::letters("é*é*é*", 2, "é*é*é")]
    fn cuts_a_text_with_too_much_markup(
        #[case] source: &str,
        #[case] most: usize,
        #[case] expected: &str,
    ) {
        assert_eq!(within(source, most), expected);
    }

    #[test]
    fn cuts_a_text_with_too_much_html() {
        let text = "&".repeat(MAX_HTML / 5 + 3);
        assert_eq!(within_html(&text).len(), MAX_HTML / 5);
        assert_eq!(within_html(&"a".repeat(MAX_HTML)).len(), MAX_HTML);
    }
}
