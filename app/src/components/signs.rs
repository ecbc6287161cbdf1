//! Signs for what cannot be seen in changed words: blanks at the end of a line or instead of others,
//! carriage returns, byte order marks, and characters without width.

use crate::catalogue::compare as t;
use izanagi_shared::text::diff::{DiffLine, LineKind, Span};

/// Maximum number of signs in a line; the rest of it is shown as it is.
const MAX_SIGNS: usize = 200;

/// A part of a line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'t> {
    /// Text that can be seen.
    Text(&'t str),
    /// A run of one character that cannot be seen.
    Sign(Sign<'t>),
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sign<'t> {
    /// The characters.
    pub(crate) text: &'t str,
    /// What is shown for them.
    pub(crate) sign: String,
    /// What a screen reader says.
    pub(crate) words: String,
    /// Whether the characters have a width of their own, so that the sign is drawn over them.
    pub(crate) is_blank: bool,
}

/// Returns whether a line has no counterpart, so that it is marked as a whole.
pub(crate) fn is_whole(line: &DiffLine) -> bool {
    matches!(line.spans.as_slice(), [Span { changed: true, .. }])
}

/// Divides each span of a line into what is shown. Only changed spans have signs.
pub(crate) fn pieces(line: &DiffLine) -> Vec<Vec<Piece<'_>>> {
    let is_whole = is_whole(line);
    let last = line.spans.len().saturating_sub(1);
    let mut left = MAX_SIGNS;
    let spans = line.spans.iter().enumerate();
    spans
        .map(|(index, span)| {
            if span.changed && line.kind != LineKind::Equal {
                divide_span(&span.text, is_whole, index == last, &mut left)
            } else {
                vec![Piece::Text(&span.text)]
            }
        })
        .collect()
}

/// Returns how many signs a line has.
pub(crate) fn count(line: &DiffLine) -> usize {
    pieces(line).iter().flatten().filter(|piece| matches!(piece, Piece::Sign(_))).count()
}

fn divide_span<'t>(
    text: &'t str,
    is_whole: bool,
    ends_line: bool,
    left: &mut usize,
) -> Vec<Piece<'t>> {
    let is_space = |c: char| is_blank(c) || c == '\r';
    let all_blank = text.chars().all(is_space);
    let tail = if ends_line { text.trim_end_matches(is_space).len() } else { text.len() };
    let mut pieces = Vec::new();
    let (mut at, mut shown) = (0, 0);
    while let Some(first) = text[at..].chars().next().filter(|_| *left > 0) {
        let rest = &text[at..];
        let end = at + rest.find(|c| c != first).unwrap_or(rest.len());
        let is_shown = match first {
            ' ' | '\u{3000}' => all_blank || at >= tail,
            '\t' => !is_whole || all_blank || at >= tail,
            // Joiners within emoji and within words of some scripts are no surprise.
            '\u{200c}' | '\u{200d}' => {
                let (before, after) = (text[..at].chars().next_back(), text[end..].chars().next());
                !before.is_some_and(is_joined) || !after.is_some_and(is_joined)
            }
            _ => true,
        };
        if let Some(sign) = is_shown.then(|| sign(first, &text[at..end])).flatten() {
            if at > shown {
                pieces.push(Piece::Text(&text[shown..at]));
            }
            pieces.push(Piece::Sign(sign));
            shown = end;
            *left -= 1;
        }
        at = end;
    }
    if shown < text.len() {
        pieces.push(Piece::Text(&text[shown..]));
    }
    pieces
}

const fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\u{a0}' | '\u{2007}' | '\u{202f}' | '\u{3000}')
}

/// Returns whether a joiner next to this character has something to join.
const fn is_joined(c: char) -> bool {
    !c.is_ascii() && !is_blank(c)
}

fn sign(c: char, text: &str) -> Option<Sign<'_>> {
    let count = text.chars().count();
    let (sign, words) = match c {
        ' ' => ("·".to_owned(), t::spaces(count as u64)),
        '\u{3000}' => ("□".to_owned(), t::wide_spaces(count as u64)),
        '\t' => ("→".to_owned(), t::tabs(count as u64)),
        '\u{a0}' | '\u{2007}' | '\u{202f}' => ("⍽".to_owned(), t::fixed_spaces(count as u64)),
        '\r' => ("↵".to_owned(), t::carriage_returns(count as u64)),
        _ => {
            let name = name(c)?;
            let words = t::invisible(&name);
            (name, words)
        }
    };
    let is_blank = is_blank(c);
    // A tab is as wide as several signs.
    let times = if c == '\t' { 1 } else { count };
    let separated =
        if is_blank || c == '\r' { sign.repeat(times) } else { vec![sign; times].join(" ") };
    Some(Sign {
        text,
        sign: separated,
        words: format!(" {words} "),
        is_blank: is_blank && c != '\t',
    })
}

/// Returns the usual abbreviation of a character that has no shape, or its code.
fn name(c: char) -> Option<String> {
    let known = match c {
        '\u{feff}' => "BOM",
        '\u{ad}' => "SHY",
        '\u{61c}' => "ALM",
        '\u{200b}' => "ZWSP",
        '\u{200c}' => "ZWNJ",
        '\u{200d}' => "ZWJ",
        '\u{200e}' => "LRM",
        '\u{200f}' => "RLM",
        '\u{2028}' => "LS",
        '\u{2029}' => "PS",
        '\u{202a}' => "LRE",
        '\u{202b}' => "RLE",
        '\u{202c}' => "PDF",
        '\u{202d}' => "LRO",
        '\u{202e}' => "RLO",
        '\u{2060}' => "WJ",
        '\u{2066}' => "LRI",
        '\u{2067}' => "RLI",
        '\u{2068}' => "FSI",
        '\u{2069}' => "PDI",
        '\u{180e}' | '\u{2061}'..='\u{2064}' | '\u{206a}'..='\u{206f}' => "",
        '\u{fff9}'..='\u{fffb}' | '\u{e0001}' | '\u{e0020}'..='\u{e007f}' => "",
        _ if c.is_control() => "",
        _ => return None,
    };
    Some(if known.is_empty() { format!("U+{:04X}", u32::from(c)) } else { known.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use izanagi_shared::text::diff::{DiffOptions, diff_lines};
    use rstest::rstest;

    /// Writes the changed lines, with `⟨sign:words⟩` for a sign.
    fn shown(old: &str, new: &str) -> String {
        let diff = diff_lines(old, new, &DiffOptions::default());
        let mut out = String::new();
        for line in diff.hunks.iter().flat_map(|hunk| &hunk.lines) {
            out.push(match line.kind {
                LineKind::Equal => continue,
                LineKind::Insert => '+',
                LineKind::Delete => '-',
            });
            for piece in pieces(line).into_iter().flatten() {
                match piece {
                    Piece::Text(text) => out.push_str(text),
                    Piece::Sign(sign) => {
                        out.push_str(&format!("⟨{}:{}⟩", sign.sign, sign.words.trim()));
                    }
                }
            }
            out.push('\n');
        }
        out
    }

    #[rstest]
    #[case::line_ends("two\n", "two\r\n", "-two\n+two⟨↵:carriage return⟩\n")]
    #[case::mark("\u{feff}# T\n", "# T\n", "-⟨BOM:invisible character BOM⟩# T\n+# T\n")]
    #[case::tabs("\ta b\n", "    a b\n", "-⟨→:tab⟩a b\n+⟨····:4 spaces⟩a b\n")]
    #[case::trailing("a b\n", "a b  \n", "-a b\n+a b⟨··:2 spaces⟩\n")]
    #[case::fixed("a b\n", "a\u{a0}b\n", "-a⟨·:space⟩b\n+a⟨⍽:no-break space⟩b\n")]
    #[case::no_width("ab\n", "a\u{200b}b\n", "-ab\n+a⟨ZWSP:invisible character ZWSP⟩b\n")]
    #[case::hidden_order("ab c\n", "a\u{202e}b c\n", "-ab c\n+a⟨RLO:invisible character RLO⟩b c\n")]
    #[case::emoji("a x\n", "a 👨\u{200d}👩\n", "-a x\n+a 👨\u{200d}👩\n")]
    #[case::words("one two\n", "one three four\n", "-one two\n+one three four\n")]
    #[case::whole_line("", "\ta b \n", "+\ta b⟨·:space⟩\n")]
    #[case::blank_line("x\n", "x\n\t\n", "+⟨→:tab⟩\n")]
    fn shows_what_cannot_be_seen(#[case] old: &str, #[case] new: &str, #[case] expected: &str) {
        assert_eq!(shown(old, new), expected);
    }

    #[test]
    fn a_line_has_a_limited_number_of_signs() {
        let diff = diff_lines("", &"\u{200b}\u{200e}".repeat(1_000), &DiffOptions::default());
        assert_eq!(count(&diff.hunks[0].lines[0]), MAX_SIGNS);
    }
}
