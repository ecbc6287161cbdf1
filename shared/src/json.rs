//! Does a text parse as JSON, and where does it stop doing so (PRODUCT V2b)?

use serde::de::IgnoredAny;

/// Nesting beyond this is refused, so that no reader of the document can be made to recurse
/// without bound. The deepest that the parser itself turns into a value.
pub const MAX_DEPTH: usize = 127;

/// The first place where a text stops being JSON that can be read. Its words follow “This”.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{fault} (line {line}, column {column})")]
pub struct JsonError {
    /// Line, from 1.
    pub line: usize,
    /// Column in bytes, from 1; 0 when the error lies at the end of the previous line.
    pub column: usize,
    /// What was wrong there.
    pub fault: JsonFault,
}

/// What keeps a text from being read as JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonFault {
    /// The parser's reason.
    #[error("is not JSON: {0}")]
    Syntax(String),
    /// It may be JSON, but nobody could read it.
    #[error("is nested more than {MAX_DEPTH} levels deep")]
    TooDeep,
}

/// Checks that `text` is one JSON value (RFC 8259) nested at most [`MAX_DEPTH`] deep.
///
/// # Errors
/// The first place where it is not.
pub fn check(text: &str) -> Result<(), JsonError> {
    // serde_json counts depth only where it recurses into a visitor, and IgnoredAny is skipped
    // without recursion; so depth is checked by a scan of its own.
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

/// Line and column of the first bracket that opens level `MAX_DEPTH + 1`.
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
    fn accepts_any_json_value() {
        for text in ["{}", "[1, 2]", "null", " \"\\\"[\" ", "{\"a\":{\"b\":[]}}"] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn names_line_and_column() {
        let error = check("{\n  \"a\": ,\n}").unwrap_err();
        assert_eq!((error.line, error.column), (2, 8));
    }

    #[test]
    fn refuses_deep_nesting_where_it_becomes_too_deep() {
        let deep = format!("\n{}{}", "[".repeat(2_000), "]".repeat(2_000));
        let error = check(&deep).unwrap_err();
        assert_eq!((error.line, error.column), (2, MAX_DEPTH + 1));
        assert_eq!(error.to_string(), "is nested more than 127 levels deep (line 2, column 128)");
    }

    #[test]
    fn brackets_inside_strings_do_not_count() {
        let text = format!("\"{}\"", "[".repeat(1_000));
        assert_eq!(check(&text), Ok(()));
    }
}
