//! Edit history: every accepted edit with its author and time, for replay (API.md, PRODUCT V8).
//! The newest edits lie in the live log, those that a snapshot absorbed in segments.

mod inventory;
mod read;
mod replay;
mod segment;
mod sittings;
mod store;
mod unlisted;

pub(crate) use inventory::{describe, first_gap};
pub use read::{Edits, EditsPage, LoggedEdit};
pub use segment::Edit;
pub(crate) use store::{EditStore, paths};
