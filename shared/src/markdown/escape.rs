//! Escaping of HTML text, attribute values and link addresses.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::borrow::Cow;

/// Every byte that is not allowed in a URI (RFC 3986 §2).
const OUTSIDE_A_URI: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b';')
    .remove(b'/')
    .remove(b'?')
    .remove(b':')
    .remove(b'@')
    .remove(b'=')
    .remove(b'+')
    .remove(b'$')
    .remove(b',')
    .remove(b'#')
    .remove(b'%')
    .remove(b'[')
    .remove(b']')
    .remove(b'&');

/// Appends `text` as HTML text: `&`, `<`, `>` and no-break spaces become character references,
/// U+0000 becomes U+FFFD. Quotes are kept, as in the serialisation of the HTML standard (§13.3), so
/// that parsing and serialising the result gives the same bytes.
pub(super) fn push_text(out: &mut String, text: &str) {
    push_escaped(out, text, false);
}

/// Escapes `text` for use as the content of an HTML element.
#[must_use]
pub fn escape_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_text(&mut out, text);
    out
}

/// Appends `text` escaped for a double-quoted attribute value.
pub(super) fn push_attribute(out: &mut String, text: &str) {
    push_escaped(out, text, true);
}

fn push_escaped(out: &mut String, text: &str, quotes: bool) {
    let mut done = 0;
    for (at, character) in text.char_indices() {
        let replacement = match character {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '"' if quotes => "&quot;",
            '\u{a0}' => "&nbsp;",
            '\0' => "\u{fffd}",
            _ => continue,
        };
        out.push_str(&text[done..at]);
        out.push_str(replacement);
        done = at + character.len_utf8();
    }
    out.push_str(&text[done..]);
}

/// Appends an address escaped for a double-quoted attribute value. Bytes [`OUTSIDE_A_URI`] are
/// percent-encoded, such as control characters, spaces and backslashes: a browser strips or
/// reinterprets those and would open a different address than the one that was validated.
pub(super) fn push_address(out: &mut String, address: &str) {
    for part in utf8_percent_encode(address, OUTSIDE_A_URI) {
        push_attribute(out, part);
    }
}

/// Normalises line endings to `\n`, as an HTML parser does.
pub(super) fn unify_line_ends(text: &str) -> Cow<'_, str> {
    if text.contains('\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Decodes percent-encoded bytes; `None` if the result is not valid UTF-8.
pub(super) fn percent_decode(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("a & b < c > \"d\"", "a &amp; b &lt; c &gt; \"d\"")]
    #[case("\0\u{a0}é", "\u{fffd}&nbsp;é")]
    fn escapes_text_for_an_element(#[case] text: &str, #[case] expected: &str) {
        let mut out = String::new();
        push_text(&mut out, text);
        assert_eq!(out, expected);
    }

    #[test]
    fn escapes_quotes_in_attributes() {
        let mut out = String::new();
        push_attribute(&mut out, "\" onload=\"x");
        assert_eq!(out, "&quot; onload=&quot;x");
    }

    #[rstest]
    #[case("/a b?c=d&e#f", "/a%20b?c=d&amp;e#f")]
    #[case("\t\n\\\"<>`", "%09%0A%5C%22%3C%3E%60")]
    #[case("http://[::1]/é%20", "http://[::1]/%C3%A9%20")]
    fn percent_encodes_an_address(#[case] address: &str, #[case] expected: &str) {
        let mut out = String::new();
        push_address(&mut out, address);
        assert_eq!(out, expected);
    }

    #[rstest]
    #[case("caf%C3%A9", Some("café"))]
    #[case("100%", Some("100%"))]
    #[case("%zz%4", Some("%zz%4"))]
    #[case("%ff", None)]
    fn decodes_percent_encoded_text(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(percent_decode(text).as_deref(), expected);
    }

    #[test]
    fn normalises_all_line_endings() {
        assert_eq!(unify_line_ends("a\r\nb\rc\n"), "a\nb\nc\n");
    }
}
