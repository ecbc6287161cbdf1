//! Components shared by server-rendered pages and islands. Class names are documented in
//! `style/README.md`.

mod alert;
mod announcement;
mod icon;
mod kind;
mod message;
mod refusal;
mod rule;
mod sentence;

pub use alert::Alert;
pub use announcement::Announcement;
pub use icon::Icon;
pub use kind::kind_name;
pub use message::MessageField;
pub use refusal::{field_id, refusal_html};
pub use rule::{Rule, room_words};
pub use sentence::isolate_quoted;
