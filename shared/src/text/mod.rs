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
//! - [`utf16`]: conversion between UTF-8 and UTF-16 offsets.

mod budget;
pub mod delta;
pub mod diff;
mod edits;
mod lines;
pub mod merge;
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

/// Returns a text without the byte order mark that some programs write before it. Texts are stored
/// with it, byte for byte; it says nothing to readers or parsers of UTF-8.
#[must_use]
pub fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}
