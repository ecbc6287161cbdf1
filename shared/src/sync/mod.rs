//! Live editing over WebSockets (API.md, DESIGN §6): both protocols, the server's side of a
//! connection and the page's side, as state machines without I/O. They take messages and the time,
//! and return messages and effects.
//!
//! Three promises hold between them:
//! - The server acknowledges an update only when it is durable, in the order of the connection.
//! - The page keeps an edit until it is acknowledged, and sends it again over the next connection
//!   unless the server's state vector shows that the server has it.
//! - Nothing that arrives makes a reader recurse, or allocate more than a multiple of its length.

mod backoff;
mod bucket;
mod close;
pub mod connection;
pub mod engine;
pub mod json;
mod limits;
mod notice;
mod outbox;
mod presence;
mod presences;
mod split;
pub mod yjs;

pub use backoff::retry_delay;
pub use close::{CloseCode, close_reason};
pub use connection::Connection;
pub use engine::SyncEngine;
pub use limits::Limits;
pub use notice::{DocumentNotice, Happening};
pub use outbox::{Batch, Outbox};
pub use presence::{Presence, complete_cursor};
pub use presences::Presences;
pub use split::split_long_inserts;

use limits::MAX_REASON;

/// Encoding of an update without structs and deletions.
pub const EMPTY_UPDATE: &[u8] = &[0, 0];

/// Why a message cannot be read. Its `Display` text goes to the sender.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadFrame {
    /// It is longer than this many bytes.
    #[error("it is longer than {0} bytes")]
    TooLarge(usize),
    /// It does not follow the protocol.
    #[error("{0}")]
    Malformed(&'static str),
}
