//! Live editing (DESIGN §6). A room is a task that owns one document's text, with a bounded mailbox
//! and no locks. Acknowledged updates are durable; the state in memory can be discarded at any time
//! and rebuilt from the log.

mod append;
mod command;
mod edit;
mod event;
mod follow;
mod gaps;
mod hear;
#[cfg(test)]
mod history_tests;
mod lapse;
mod lineage;
mod news;
mod open_rooms;
mod persist;
mod reject;
mod replica;
mod room;
mod rooms;
mod seal;
mod seats;
mod settled;
mod snapshot;
mod space;
mod submit;
mod tell;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod testing_history;
#[cfg(test)]
mod tests;
mod waiting;
mod writer;

pub(crate) use command::Permit;
pub use command::{
    ClientUpdate, EditKind, EditOutcome, Missing, PendingReceipt, PostedUpdate, Receipt, ServerEdit,
};
pub use event::{Closing, DocumentEvent, DocumentNews, LiveUpdate, PresenceUpdate, SeatEvent};
pub(crate) use gaps::missing_rows;
pub(crate) use lineage::Lineage;
pub use replica::LiveText;
pub(crate) use replica::random_client_id;
pub use rooms::Rooms;
pub(crate) use rooms::{Joined, SeatedRoom};
pub(crate) use seal::{into_unsealed, unseal};
pub(crate) use seats::{Seat, SeatId, Seats, Sitter};
pub(crate) use snapshot::Snapshot;
pub(crate) use submit::QUARANTINED;

use std::time::Duration;

/// Timing and sizes of live editing (PRODUCT C4, C5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiveSettings {
    /// A snapshot is taken after this many updates,
    pub snapshot_updates: u64,
    /// after this many bytes of updates,
    pub snapshot_bytes: usize,
    /// or this long after the first update that no snapshot holds.
    pub snapshot_after: Duration,
    /// The text is materialised this long after the last update.
    pub settle_after: Duration,
    /// An idle room is closed after this long.
    pub idle_after: Duration,
    /// Maximum size of a client's update, in bytes (PRODUCT C5).
    pub max_update_bytes: usize,
    /// An update that waits for others lapses after this long (API.md).
    pub waits_at_most: Duration,
    /// Timeout of an append to the log; afterwards its outcome counts as unknown.
    pub append_timeout: Duration,
    /// Retention of edit history.
    pub keep_edits: Duration,
    /// Updates that may be queued for a connection. One that lets more pile up is closed (PRODUCT C5).
    pub seat_messages: usize,
    /// The same in bytes.
    pub seat_bytes: usize,
    /// Maximum size of the presence of a client, in bytes.
    pub presence_bytes: usize,
    /// Connections to one document.
    pub seats_per_document: usize,
    /// Connections of one user.
    pub seats_per_user: usize,
    /// Connections from one address (IPv6: from one /64).
    pub seats_per_address: usize,
}

impl Default for LiveSettings {
    fn default() -> Self {
        Self {
            snapshot_updates: 200,
            snapshot_bytes: 4 * 1024 * 1024,
            snapshot_after: Duration::from_secs(60),
            settle_after: Duration::from_secs(1),
            idle_after: Duration::from_secs(120),
            max_update_bytes: 1024 * 1024,
            waits_at_most: Duration::from_secs(10 * 60),
            append_timeout: Duration::from_secs(10),
            keep_edits: Duration::from_secs(365 * 24 * 60 * 60),
            seat_messages: 4_096,
            seat_bytes: 8 * 1024 * 1024,
            presence_bytes: 16 * 1024,
            seats_per_document: 1_000,
            seats_per_user: 200,
            seats_per_address: 1_000,
        }
    }
}
