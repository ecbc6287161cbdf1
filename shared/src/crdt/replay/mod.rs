//! Turns a run of edits into one text from which the text after any of them can be read at once.
//!
//! Every character that was visible at any time keeps its place in the order of the document's items
//! for good, so it is enough to know between which two edits it was there. No edit is integrated for
//! that: each update says what it inserts and deletes, and the order is read from a later state.

mod builder;
mod client;
#[cfg(test)]
mod tests;

pub use builder::{Ordered, ReplayBuilder, ReplayText};

/// Number of an edit in a replay, from 1; 0 for what was there before the first.
pub type Index = u32;

/// What is never deleted.
pub const NEVER: Index = Index::MAX;
