//! What the domain asks of storage, as traits (DESIGN §4). Domain types go in and come out; no
//! driver's type is seen here. A method that writes several rows does so in one transaction. Reads
//! are fresh unless their documentation or a [`Freshness`] allows a stale answer.
//!
//! Every write can end in [`StoreError::Unknown`]: the statement may or may not have taken effect.
//! Whoever calls must then find out (by fence, by request key, by op id) before answering.

mod accounts;
mod bus;
mod catalog;
mod edits;
mod error;
mod freshness;
mod inspect;
mod live_log;
mod outbox;
mod outside;
mod records;
mod upkeep;
mod value;
mod versions;

pub use accounts::{
    AuditEvent, AuditLog, NewSession, RefreshToken, RefreshUse, RevocationStore, Session,
    SessionStore, User, UserChange, UserStore,
};
pub use bus::{Bus, BusEvent};
pub use catalog::{
    Catalog, Cursor, CursorKey, DetailsChange, DocumentFilter, DocumentRow, NewDocument, Owners,
    Request, TextFacts,
};
pub use edits::{EditSegments, NewSegment, SegmentFilter, SegmentRow};
pub use error::{Constraint, StoreError, StoreResult};
pub use freshness::Freshness;
pub use inspect::{Inspect, OpsSummary};
pub use live_log::{
    Appended, Batch, BatchOutcome, ClientOwner, KnownOp, LiveLog, LoadedLog, LogTail, LoggedUpdate,
    NewSnapshot, NewUpdate, QUARANTINED_KEPT, SavedText, StoredSnapshot,
};
pub use outbox::{Outbox, OutboxItem, Topic};
pub use outside::{Clock, Ids, SystemClock, SystemIds};
pub use records::{DocumentStore, NewRecord, Record, RecordIndex, RecordPatch, RecordPath};
pub use upkeep::Upkeep;
pub use value::{Data, Value};
pub use versions::{
    AtomicCommit, CommitIntent, CommitIntents, CommitOutcome, Fence, IntentStatus, NewIntent,
    NewVersion, VersionFilter, VersionRow, VersionStore,
};

use std::sync::Arc;

/// Every store the services need, each by its own trait, so that each can have its own backend.
#[derive(Clone)]
pub struct Stores {
    /// Contents of versions.
    pub records: Arc<dyn DocumentStore>,
    /// Accounts.
    pub users: Arc<dyn UserStore>,
    /// Signed-in devices and their refresh tokens.
    pub sessions: Arc<dyn SessionStore>,
    /// Sessions that ended before their access tokens did.
    pub revocations: Arc<dyn RevocationStore>,
    /// Documents.
    pub catalog: Arc<dyn Catalog>,
    /// Who owns them.
    pub owners: Arc<dyn Owners>,
    /// Committed versions.
    pub versions: Arc<dyn VersionStore>,
    /// Attempts to commit.
    pub intents: Arc<dyn CommitIntents>,
    /// Steps 2 to 4 of a commit in one transaction, where one database holds both stores.
    pub atomic: Option<Arc<dyn AtomicCommit>>,
    /// Live updates.
    pub log: Arc<dyn LiveLog>,
    /// Segments of edit history.
    pub segments: Arc<dyn EditSegments>,
    /// Work that follows a commit.
    pub outbox: Arc<dyn Outbox>,
    /// What is kept for audits.
    pub audit: Arc<dyn AuditLog>,
    /// Reading everything, for `fsck`.
    pub inspect: Arc<dyn Inspect>,
    /// Forgetting what nobody needs any more.
    pub upkeep: Arc<dyn Upkeep>,
    /// Tells every node what has changed.
    pub bus: Arc<dyn Bus>,
}

impl std::fmt::Debug for Stores {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stores").field("atomic", &self.atomic.is_some()).finish_non_exhaustive()
    }
}
