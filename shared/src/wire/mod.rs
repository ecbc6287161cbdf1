//! Request and response bodies of API.md, also used by the page's server functions. Field names are
//! camelCase; requests with unknown fields are rejected.

mod account;
mod document;
mod edits;
mod list;
mod replay;
mod version;

pub use account::*;
pub use document::*;
pub use edits::*;
pub use list::*;
pub use replay::*;
pub use version::*;
