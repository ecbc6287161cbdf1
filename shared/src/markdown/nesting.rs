//! Limits the nesting depth of quotes and lists.
//!
//! The parser visits all open containers on every line, so a line of n markers followed by n plain
//! lines costs n². Browsers stop nesting at 512 levels anyway. Each level needs at least one column
//! before its marker, so checking columns is enough.

use std::borrow::Cow;

/// A container marker at or after this column is rendered as text.
const MAX_COLUMN: usize = 256;

/// Columns counted for a tab or a footnote label: the most that either can move a marker.
const WIDE: usize = 4;

/// Returns the source with a backslash before each container marker that is nested too deeply. The
/// number of lines does not change, and most documents are returned unchanged.
pub(super) fn limit_nesting(source: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut done = 0;
    let mut line_start = 0;
    for line in source.split_inclusive(['\n', '\r']) {
        if let Some(at) = find_deep_marker(line) {
            out.push_str(&source[done..line_start + at]);
            out.push('\\');
            done = line_start + at;
        }
        line_start += line.len();
    }
    if done == 0 {
        return Cow::Borrowed(source);
    }
    out.push_str(&source[done..]);
    Cow::Owned(out)
}

/// Returns the byte offset at which to insert the backslash in this line, if needed.
fn find_deep_marker(line: &str) -> Option<usize> {
    let bytes = line.trim_end_matches(['\n', '\r']).as_bytes();
    if bytes.len() * WIDE < MAX_COLUMN {
        return None;
    }
    let (mut at, mut column) = (0, 0);
    while let Some(&byte) = bytes.get(at) {
        let (length, marker) = match byte {
            b' ' | b'\t' => (1, None),
            b'>' => (1, Some(0)),
            b'-' | b'+' | b'*' if is_blank(bytes.get(at + 1)) => (1, Some(0)),
            b'0'..=b'9' => measure_number(&bytes[at..]).map(|length| (length, Some(length - 1)))?,
            b'[' => (measure_footnote_label(&bytes[at..])?, None),
            _ => return None,
        };
        if let Some(delimiter) = marker.filter(|_| column >= MAX_COLUMN) {
            return (!is_thematic_break(bytes)).then_some(at + delimiter);
        }
        column += if matches!(byte, b'\t' | b'[') { WIDE } else { length };
        at += length;
    }
    None
}

fn is_blank(byte: Option<&u8>) -> bool {
    matches!(byte, None | Some(b' ' | b'\t'))
}

/// Returns the length of `12.` or `12)` followed by whitespace: up to nine digits (CommonMark
/// §5.2).
fn measure_number(bytes: &[u8]) -> Option<usize> {
    let digits = bytes.iter().take(10).take_while(|byte| byte.is_ascii_digit()).count();
    let is_marker = digits <= 9
        && matches!(bytes.get(digits), Some(b'.' | b')'))
        && is_blank(bytes.get(digits + 1));
    is_marker.then_some(digits + 1)
}

/// Returns the length of `[^label]:`.
fn measure_footnote_label(bytes: &[u8]) -> Option<usize> {
    if bytes.get(1) != Some(&b'^') {
        return None;
    }
    let end = bytes.iter().position(|&byte| byte == b']')?;
    (bytes.get(end + 1) == Some(&b':')).then_some(end + 2)
}

/// Returns whether the line, after any quote markers, is a thematic break such as `- - -`, which
/// does not nest at any length.
fn is_thematic_break(bytes: &[u8]) -> bool {
    let start = bytes.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'>'));
    let rule = &bytes[start.unwrap_or(bytes.len())..];
    matches!(rule, [b'-' | b'*', ..])
        && rule.iter().all(|byte| matches!(byte, b' ' | b'\t') || byte == &rule[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("> ".repeat(100))]
    #[case("- ".repeat(2_000))]
    #[case(">".repeat(200) + &"* ".repeat(2_000))]
    #[case("-".repeat(2_000))]
    #[case("a".repeat(300) + "> b")]
    #[case(" ".repeat(300) + "x = y > z")]
    #[case("[^".repeat(2_000))]
    fn leaves_shallow_nesting_unchanged(#[case] source: String) {
        assert!(matches!(limit_nesting(&source), Cow::Borrowed(_)));
    }

    #[rstest]
    #[case(">".repeat(300) + "a", ">".repeat(256) + "\\" + &">".repeat(44) + "a")]
    #[case("- ".repeat(200) + "a", "- ".repeat(128) + "\\" + &"- ".repeat(72) + "a")]
    #[case("1) ".repeat(100), "1) ".repeat(86) + "1\\) " + &"1) ".repeat(13))]
    #[case("\t".repeat(64) + "+ a", "\t".repeat(64) + "\\+ a")]
    #[case("[^a]: ".repeat(60) + "> b", "[^a]: ".repeat(60) + "\\> b")]
    fn escapes_a_marker_nested_too_deep(#[case] source: String, #[case] expected: String) {
        let wrapped = format!("x\r\n{source}\ry\n");
        assert_eq!(limit_nesting(&wrapped), format!("x\r\n{expected}\ry\n"));
    }
}
