//! The editor page: one island and its editing session. Queueing and retrying updates needs no
//! browser; the session does.

mod backoff;
mod commit;
mod head;
mod outbox;
mod page;
mod save;
mod session;
mod split;
mod tabs;
mod title;
mod title_queue;
mod trouble;
mod view;

pub use backoff::retry_delay;
pub use outbox::{Batch, Outbox};
pub use page::{Editor, EditorHtml, OpenedText};
pub use save::{TitleState, with_title, without_count};
pub use session::state_path;
pub use split::split_long_inserts;
pub use title_queue::TitleQueue;
pub use view::{EditorView, Trouble};
