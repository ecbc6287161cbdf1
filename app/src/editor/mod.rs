//! The editor page: one island and its editing session. What is sent when is decided by
//! `izanagi_shared::sync`; the session carries it out.

mod commit;
mod head;
mod page;
mod save;
mod session;
mod tabs;
mod title;
mod title_queue;
mod trouble;
mod unsaved_notice;
mod view;

pub use izanagi_shared::sync::{retry_delay, split_long_inserts};
pub use page::{Editor, EditorHtml, OpenedText};
pub use save::{TitleState, with_title, without_count};
pub use session::state_path;
pub use title_queue::TitleQueue;
pub use view::{Answer, EditorView, Trouble};
