//! Live editing (DESIGN §6). A room is one task that owns one document's text: a bounded mailbox,
//! no locks, one turn at a time. What a room acknowledges is durable; what it holds in memory can
//! be dropped at any moment and read back from the log.

mod command;
mod edit;
mod heavy;
mod lineage;
mod persist;
mod replica;
mod room;
mod rooms;
mod seal;
mod submit;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod writer;

pub use command::{ClientUpdate, EditKind, EditOutcome, ServerEdit};
pub(crate) use lineage::Lineage;
pub use replica::LiveText;
pub(crate) use replica::random_client_id;
pub use rooms::Rooms;
pub(crate) use seal::{seal, unseal};
pub(crate) use submit::SET_ASIDE;

use std::time::Duration;

/// When rooms do what they do by themselves (PRODUCT C4, C5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiveSettings {
    /// A snapshot after this many updates.
    pub snapshot_updates: u64,
    /// A snapshot this long after the first update that none holds.
    pub snapshot_after: Duration,
    /// The text is materialised after this long without an update.
    pub settle_after: Duration,
    /// A room leaves memory after this long without a command.
    pub idle_after: Duration,
    /// The largest update from a client, in bytes (PRODUCT C5).
    pub max_update_bytes: usize,
    /// How long the log may take before the outcome counts as unknown.
    pub append_timeout: Duration,
}

impl Default for LiveSettings {
    fn default() -> Self {
        Self {
            snapshot_updates: 200,
            snapshot_after: Duration::from_secs(60),
            settle_after: Duration::from_secs(1),
            idle_after: Duration::from_secs(120),
            max_update_bytes: 1024 * 1024,
            append_timeout: Duration::from_secs(10),
        }
    }
}
