//! The editor page: one island and its editing session. Queueing and retrying updates needs no
//! browser; the session does.

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
