//! Components shared by server-rendered pages and islands. Class names are documented in
//! `style/README.md`.

mod alert;
mod icon;
mod message;
mod refusal;
mod rule;
mod sentence;
mod words;

pub use alert::Alert;
pub use icon::Icon;
pub use message::MessageField;
pub use refusal::{field_id, refusal_html};
pub use rule::{Rule, room_words};
pub use sentence::isolate_quoted;
pub use words::{counted, grouped, kind_name};
