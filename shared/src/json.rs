//! JSON validation with error positions (PRODUCT V2b).

use crate::text::without_mark;
use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::value::RawValue;

/// Maximum nesting depth, which is also the deepest that `serde_json` parses into a value. Deeper
/// documents could overflow the stack of a recursive reader.
pub const MAX_DEPTH: usize = 127;

/// First position at which a text is not valid JSON. Its `Display` text completes a sentence that
/// starts with “This”.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{fault} (line {line}, column {column})")]
pub struct JsonError {
    /// Line, starting at 1.
    pub line: usize,
    /// Column in bytes, starting at 1; 0 if the error is at the end of the previous line.
    pub column: usize,
    /// Reason the text is invalid.
    pub fault: JsonFault,
}

/// Reason a text is rejected as JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonFault {
    /// Syntax error, with the parser's message.
    #[error("is not JSON: {0}")]
    Syntax(String),
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("is nested more than {MAX_DEPTH} levels deep")]
    TooDeep,
}

/// Checks that `text` is a single JSON value (RFC 8259), nested at most [`MAX_DEPTH`] deep.
///
/// # Errors
/// The first position at which it is not.
pub fn check(text: &str) -> Result<(), JsonError> {
    let text = without_mark(text);
    // serde_json skips `IgnoredAny` without recursion and does not count depth there, so the depth
    // is checked in a separate scan.
    if let Some((line, column)) = too_deep(text) {
        return Err(JsonError { line, column, fault: JsonFault::TooDeep });
    }
    serde_json::from_str::<IgnoredAny>(text).map(|_| ()).map_err(|error| {
        let full = error.to_string();
        let reason = full.split(" at line ").next().unwrap_or(&full).to_owned();
        let fault = JsonFault::Syntax(reason);
        JsonError { line: error.line(), column: error.column(), fault }
    })
}

/// Valid JSON as it was written: with every digit of its numbers and the order of its keys.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JsonText(Box<RawValue>);

impl JsonText {
    /// Parses a text; `None` if it is not valid JSON.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        check(text).ok()?;
        serde_json::from_str(without_mark(text)).ok().map(Self)
    }
}

impl PartialEq for JsonText {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

impl Eq for JsonText {}

/// Returns line and column of the first bracket that opens level `MAX_DEPTH + 1`.
fn too_deep(text: &str) -> Option<(usize, usize)> {
    let (mut depth, mut line, mut line_start) = (0_usize, 1_usize, 0_usize);
    let (mut in_string, mut escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'\n' => {
                line += 1;
                line_start = at + 1;
            }
            _ if escaped => {}
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Some((line, at - line_start + 1));
                }
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        escaped = in_string && !escaped && byte == b'\\';
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_any_valid_json_value() {
        for text in ["{}", "[1, 2]", "null", " \"\\\"[\" ", "{\"a\":{\"b\":[]}}"] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_skipped() {
        assert_eq!(check("\u{feff}{}"), Ok(()));
        let error = check("\u{feff}{,}").unwrap_err();
        assert_eq!((error.line, error.column), (1, 2));
        assert!(check("{\u{feff}}").is_err());
    }

    #[test]
    fn keeps_what_was_written() {
        let text = "{\"b\": 18446744073709551616, \"a\": 1.10, \"b\": 1e400}";
        let json = JsonText::parse(&format!("\u{feff} {text}\n")).unwrap();
        assert_eq!(serde_json::to_string(&json).unwrap(), text);
        assert_eq!(JsonText::parse("{"), None);
    }

    #[test]
    fn reports_line_and_column_of_error() {
        let error = check("{\n  \"a\": ,\n}").unwrap_err();
        assert_eq!((error.line, error.column), (2, 8));
    }

    #[test]
    fn rejects_the_first_bracket_too_deep() {
        let deep = format!("\n{}{}", "[".repeat(2_000), "]".repeat(2_000));
        let error = check(&deep).unwrap_err();
        assert_eq!((error.line, error.column), (2, MAX_DEPTH + 1));
        assert_eq!(error.to_string(), "is nested more than 127 levels deep (line 2, column 128)");
    }

    #[test]
    fn ignores_brackets_inside_strings() {
        let text = format!("\"{}\"", "[".repeat(1_000));
        assert_eq!(check(&text), Ok(()));
    }
}
