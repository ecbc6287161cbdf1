//! How much memory rendering takes, so that a server can reserve it.

use super::code::HIGHLIGHT_LIMIT;
use super::limit::{MAX_HTML, MAX_MARKUP, is_markup};
use crate::rules::DocumentKind;

/// Memory of a byte of text: at most five bytes of HTML, and their copy in a page, each in a buffer
/// that doubles.
const PER_BYTE: usize = 15;
/// Memory of a character of markup: the parser's node, in a list that doubles, and its elements.
const PER_MARKUP: usize = 640;
/// Additional memory of a byte of highlighted code, of which each may be an element.
const PER_CODE_BYTE: usize = 75;
/// Buffers and tables of any text.
const ALWAYS: usize = 64 * 1024;

/// Returns an upper bound of the memory, in bytes, that rendering a text and writing it as an HTML
/// page takes at its peak. The factors are measured (`tests/markdown_memory.rs`).
#[must_use]
pub fn peak_bytes(kind: DocumentKind, text: &str) -> usize {
    let count = || text.bytes().filter(|&byte| is_markup(byte)).count().min(MAX_MARKUP);
    let (markup, has_code) = match kind {
        DocumentKind::Markdown => (count(), text.contains("```") || text.contains("~~~")),
        DocumentKind::Json => (0, text.len() <= HIGHLIGHT_LIMIT),
        DocumentKind::Text => (0, false),
    };
    let code = if has_code { (PER_CODE_BYTE * text.len()).min(3 * MAX_HTML) } else { 0 };
    ALWAYS + PER_BYTE * text.len() + PER_MARKUP * markup + code
}
