//! The measured text comparison, the same function natively and as WebAssembly.

use izanagi_shared::text::diff::{DiffOptions, diff_lines};
use wasm_bindgen::prelude::wasm_bindgen;

/// Compares two texts by line, and by word within changed lines, with the options that the pages
/// use.
///
/// Returns the number of changed lines plus the number of spans, which shows whether two runs did
/// the same work.
#[wasm_bindgen]
#[must_use]
pub fn compare(old: &str, new: &str) -> usize {
    let diff = diff_lines(old, new, &DiffOptions::default());
    let lines = diff.hunks.iter().flat_map(|hunk| &hunk.lines);
    diff.added + diff.removed + lines.map(|line| line.spans.len()).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_changed_lines_and_spans() {
        assert_eq!(compare("a\n", "a\n"), 0);
        // One changed line each; the spans “one ” and “two”/“three”.
        assert_eq!(compare("one two\n", "one three\n"), 2 + 4);
    }
}
