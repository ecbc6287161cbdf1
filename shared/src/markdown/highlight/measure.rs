//! Token lengths in bytes. Each function reads the token it measures and nothing after it.

use super::language::Quote;

/// Maximum length of an escape in a character literal: `\u{10FFFF}`.
const CHARACTER_LIMIT: usize = 12;

/// Returns whether a byte belongs to a word: ASCII alphanumeric, `_` or non-ASCII.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

/// Measures up to the end of the line.
pub(super) fn measure_line(text: &str) -> usize {
    text.find('\n').unwrap_or(text.len())
}

/// Measures a comment that starts with `open`; an unterminated one extends to the end of the text.
/// Nested comments must use `/*` and `*/`.
pub(super) fn measure_comment(text: &str, open: &str, close: &str, nests: bool) -> usize {
    if !nests {
        let end = text[open.len()..].find(close).map(|at| open.len() + at + close.len());
        return end.unwrap_or(text.len());
    }
    let (mut at, mut depth) = (0, 0);
    while let Some(step) = text[at..].find(['/', '*']) {
        at += step;
        if text[at..].starts_with(open) {
            depth += 1;
            at += open.len();
        } else if text[at..].starts_with(close) {
            depth -= 1;
            at += close.len();
        } else {
            at += 1;
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

/// Measures a string that starts with the opening delimiter of `quote`.
pub(super) fn measure_string(text: &str, quote: &Quote) -> usize {
    let bytes = text.as_bytes();
    let mut at = quote.open.len();
    while let Some(&byte) = bytes.get(at) {
        if byte == b'\\' && quote.escapes {
            at += 1;
        } else if bytes[at..].starts_with(quote.close.as_bytes()) {
            return at + quote.close.len();
        } else if byte == b'\n' && !quote.lines {
            return at;
        }
        at += 1;
    }
    text.len()
}

/// Measures `r#"…"#` with any number of `#`; `prefix` is the length of the letters before them.
pub(super) fn measure_raw_string(text: &str, prefix: usize) -> Option<usize> {
    let hashes = text[prefix..].bytes().take_while(|&byte| byte == b'#').count();
    let inside = text[prefix + hashes..].strip_prefix('"')?;
    let start = text.len() - inside.len();
    let close = format!("\"{}", "#".repeat(hashes));
    Some(inside.find(&close).map_or(text.len(), |at| start + at + close.len()))
}

/// Measures a character literal, `'x'` or `'\n'`; `None` for a lifetime.
pub(super) fn measure_character(text: &str) -> Option<usize> {
    let mut characters = text.char_indices().skip(1);
    match characters.next()?.1 {
        '\\' => {
            characters.next();
            let close = characters.take(CHARACTER_LIMIT).find(|&(_, character)| character == '\'');
            close.map(|(at, _)| at + 1)
        }
        '\'' | '\n' => None,
        _ => characters.next().filter(|&(_, character)| character == '\'').map(|(at, _)| at + 1),
    }
}
