//! Comparing, patching and merging texts.
//!
//! Everything here is exact to the byte of UTF-8 and deterministic: server and page get the same
//! result for the same texts, because work is limited by counted steps and not by a clock.
//!
//! - [`delta`]: edit scripts between two texts, stored for versions and applied to live texts.
//! - [`diff`]: hunks of changed lines with highlighted words, for display.
//! - [`unified`]: unified diffs, which `patch` applies.
//! - [`restore`]: reverting single hunks.
//! - [`merge`]: three-way merge.
//! - [`rebase`]: moving a text to a document that was restored from an earlier state.
//! - [`utf16`]: conversion between UTF-8 and UTF-16 offsets.

mod additions;
mod budget;
pub mod delta;
pub mod diff;
mod edits;
mod lines;
pub mod merge;
pub mod rebase;
pub mod restore;
mod sequence;
pub mod unified;
pub mod utf16;
mod window;
mod words;

#[cfg(test)]
mod testing;

pub use budget::DEFAULT_BUDGET;
pub use words::word_memory;

/// Returns whether two texts are different, but the same with `\n` at the end of every line.
#[must_use]
pub fn differ_only_in_line_ends(old: &str, new: &str) -> bool {
    old != new && unified_bytes(old).eq(unified_bytes(new))
}

/// Returns the bytes of a text with `\n` instead of `\r\n` and `\r`.
fn unified_bytes(text: &str) -> impl Iterator<Item = u8> {
    let mut before = 0;
    text.bytes().filter_map(move |byte| match (std::mem::replace(&mut before, byte), byte) {
        (b'\r', b'\n') => None,
        (_, b'\r') => Some(b'\n'),
        _ => Some(byte),
    })
}

/// Returns a text without the byte order mark that some programs write before it. Texts are stored
/// with it, byte for byte; it says nothing to readers or parsers of UTF-8.
#[must_use]
pub fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("two\n", "two\r\n", true)]
    #[case("a\rb\r\n\r\n", "a\nb\n\n", true)]
    #[case("a\n", "a\n", false)]
    #[case("a\n", "a", false)]
    #[case("a\n\n", "a\r\n", false)]
    #[case("a\r\n", "b\n", false)]
    fn recognises_texts_that_differ_only_in_line_ends(
        #[case] old: &str,
        #[case] new: &str,
        #[case] expected: bool,
    ) {
        assert_eq!(differ_only_in_line_ends(old, new), expected);
        assert_eq!(differ_only_in_line_ends(new, old), expected);
    }
}
