//! The CRDT behind a document's text: one Yjs text named `content`, counted in UTF-16 units as
//! browsers do (DESIGN §6). A text is turned into CRDT state once, when the document is created;
//! every later change is an edit inside that lineage.

mod change;
mod checker;
mod claims;
mod combine;
mod cut;
mod encode;
mod gate;
mod news;
mod order;
mod parse;
mod pending;
pub mod replay;
mod tally;
mod text_doc;
pub(crate) mod varint;
mod vector;

pub use change::{Change, changes_between, one_change};
pub use checker::Checker;
pub use combine::{combine_updates, split_update};
pub use gate::{ClientRange, Refusal, UpdateSummary, inspect_update, named_clients};
pub use order::{InvalidUpdate, Validation};
pub use tally::Tally;
pub use text_doc::{ApplyError, Integrated, MAX_CLIENT_ID, Rejected, TextDoc};
pub use vector::read_state_vector;

use order::Order;

/// The one root type a document has.
pub const ROOT: &str = "content";
