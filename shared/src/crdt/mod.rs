//! The CRDT behind a document's text: one Yjs text named `content`, counted in UTF-16 units as
//! browsers do (DESIGN §6). A text is turned into CRDT state once, when the document is created;
//! every later change is an edit inside that lineage.

mod change;
mod cut;
mod gate;
mod held;
mod order;
mod ready;
mod text_doc;
mod varint;
mod vector;
mod walk;

pub use change::Change;
pub use gate::{ClientRange, Refusal, UpdateSummary, inspect_update};
pub use held::ready_part;
pub use order::{Cost, Order, Scrutiny, Unfit};
pub use text_doc::{CrdtError, MAX_CLIENT_ID, TextDoc};

/// The one root type a document has.
pub const ROOT: &str = "content";
