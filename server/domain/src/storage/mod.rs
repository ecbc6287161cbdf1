//! Storage traits required by the domain (DESIGN §4). They use domain types only and expose no
//! driver types. A method that writes several rows does so in one transaction. Reads are fresh
//! unless their documentation or a [`Freshness`] allows stale answers.
//!
//! Every write can return [`StoreError::Unknown`]: it may or may not have taken effect. The caller
//! must determine the outcome (by fence, request key or op id) before answering.

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
pub use edits::{EditSegments, NewSegment, NewestSegments, SegmentFilter, SegmentRow};
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

/// All stores used by the services. Each has its own trait, so that each can have its own backend.
#[derive(Clone)]
pub struct Stores {
    /// Version contents.
    pub records: Arc<dyn DocumentStore>,
    /// Accounts.
    pub users: Arc<dyn UserStore>,
    /// Signed-in devices and their refresh tokens.
    pub sessions: Arc<dyn SessionStore>,
    /// Sessions that were ended before their access tokens expired.
    pub revocations: Arc<dyn RevocationStore>,
    /// Documents.
    pub catalog: Arc<dyn Catalog>,
    /// Owners of documents.
    pub owners: Arc<dyn Owners>,
    /// Committed versions.
    pub versions: Arc<dyn VersionStore>,
    /// Commit attempts.
    pub intents: Arc<dyn CommitIntents>,
    /// Steps 2 to 4 of a commit in one transaction, if one database holds both stores.
    pub atomic: Option<Arc<dyn AtomicCommit>>,
    /// Live updates.
    pub log: Arc<dyn LiveLog>,
    /// Segments of edit history.
    pub segments: Arc<dyn EditSegments>,
    /// Follow-up work of commits and deletions.
    pub outbox: Arc<dyn Outbox>,
    /// The audit log.
    pub audit: Arc<dyn AuditLog>,
    /// Full scans for `fsck`.
    pub inspect: Arc<dyn Inspect>,
    /// Retention.
    pub upkeep: Arc<dyn Upkeep>,
    /// Notifies all nodes of changes.
    pub bus: Arc<dyn Bus>,
}

impl std::fmt::Debug for Stores {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stores").field("atomic", &self.atomic.is_some()).finish_non_exhaustive()
    }
}
