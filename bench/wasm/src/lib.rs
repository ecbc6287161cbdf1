//! The comparison of two texts as it is measured: the same function natively and as WebAssembly.

use izanagi_shared::text::diff::{DiffOptions, diff_lines};
use wasm_bindgen::prelude::wasm_bindgen;

/// Compares two texts by lines and by words in changed lines, with the options that a page uses.
/// Gives changed lines plus stretches of lines, by which two runs can be told to have done the
/// same work.
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
    fn counts_lines_and_stretches() {
        assert_eq!(compare("a\n", "a\n"), 0);
        // One line each; “one ” and “two” in both.
        assert_eq!(compare("one two\n", "one three\n"), 2 + 4);
    }
}
