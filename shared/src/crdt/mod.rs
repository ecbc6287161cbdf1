//! The CRDT behind a document's text: one Yjs text named `content`, counted in UTF-16 units as
//! browsers do (DESIGN §6). A text is turned into CRDT state once, when the document is created;
//! every later change is an edit inside that lineage.

mod change;
mod checker;
mod cut;
mod encode;
mod gate;
mod order;
mod parse;
mod pending;
mod tally;
mod text_doc;
mod varint;
mod vector;

pub use change::{Change, one_change};
pub use checker::Checker;
pub use gate::{ClientRange, Refusal, UpdateSummary, inspect_update, named_clients};
pub use order::{InvalidUpdate, Validation};
pub use tally::Tally;
pub use text_doc::{ApplyError, MAX_CLIENT_ID, Rejected, TextDoc};
pub use vector::clients_in;

use order::Order;

/// The one root type a document has.
pub const ROOT: &str = "content";
