//! Texts as data: how they differ, how differences are kept, shown and put together.
//!
//! Everything here works on UTF-8, byte for byte, and is deterministic: server and page reach the
//! same result for the same texts, because work is bounded by counted steps, never by a clock.
//!
//! - [`delta`]: what turns one text into another; stored for versions, applied to live texts.
//! - [`diff`]: lines and words that differ, for people to read, in hunks with names.
//! - [`unified`]: the same as text that `patch` applies.
//! - [`restore`]: hunks brought back one by one.
//! - [`merge`]: two changed copies of one text put together.
//! - [`utf16`]: offsets in bytes and in UTF-16 units.

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
