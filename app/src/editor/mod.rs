//! The editor's page: one island, and the editing session behind it. The rules by which updates wait
//! and are sent again need no browser; the session does.

mod backoff;
mod commit;
mod head;
mod outbox;
mod page;
mod rendering;
mod session;
mod split;
mod title;
mod trouble;
mod view;

pub use backoff::retry_delay;
pub use outbox::{Batch, Outbox};
pub use page::{Editor, EditorHtml, OpenedText};
pub use rendering::render_as;
pub use split::split_long_inserts;
pub use view::{EditorView, Trouble};
