//! Editing, as far as it is the same everywhere: the places that a page offers to an editing
//! session, and the rules by which updates wait and are sent again. What needs a browser is in
//! `browser::editing`.

mod backoff;
mod outbox;
mod split;
mod view;

pub use backoff::retry_delay;
pub use outbox::{Batch, Outbox};
pub use split::split_long_inserts;
pub use view::{EditorView, Trouble};
