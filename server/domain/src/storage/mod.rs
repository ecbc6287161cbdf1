//! Storage traits required by the domain (DESIGN §4). They use domain types only and expose no
//! driver types. A method that writes several rows does so in one transaction. Reads are fresh
//! unless their documentation or a [`Freshness`] allows stale answers.
//!
//! Every write can return [`StoreError::Unknown`]: it may or may not have taken effect. The caller
//! must determine the outcome (by fence, request key or op id) before answering.

mod accounts;
mod bus;
mod cache;
mod catalog;
mod changes;
mod checksums;
mod counters;
mod edits;
mod error;
mod freshness;
mod inspect;
mod keys;
mod live_log;
mod mend;
mod moves;
mod outbox;
mod outside;
mod records;
mod routing;
mod upkeep;
mod value;
mod versions;
mod watch;

pub use accounts::{
    AuditEvent, AuditLog, NewSession, RefreshToken, RefreshUse, RevocationStore, Session,
    SessionStore, User, UserChange, UserStore,
};
pub use bus::{Bus, BusEvent, BusTopic, ClientPresence, LocalBus, NodeId, NodePresence};
pub use cache::{Cache, LocalCache, seal, unseal};
pub use catalog::{
    Catalog, Cursor, CursorKey, DocumentFilter, DocumentRow, NewDocument, Owners, Request,
    ShortHash, TextFacts, Viewed, short_hash,
};
pub use changes::{Audience, Change, ChangeEntry, ChangeKind, ChangePage, Changes};
pub use checksums::{RowDamage, head_hash, live_hash, text_hash, version_hash};
pub use counters::{Allowance, Counted, Counters};
pub use edits::{EditSegments, NewSegment, NewestSegments, SegmentFilter, SegmentRow};
pub use error::{Constraint, StoreError, StoreResult};
pub use freshness::Freshness;
pub use inspect::{Accounts, FeedSummary, Inspect, OpsSummary};
pub use keys::{KeyStore, SealedKey};
pub use live_log::{
    Appended, Batch, BatchOutcome, ClientOwner, CutUpdates, KnownOp, LiveLog, LoadedLog, LogTail,
    LoggedUpdate, MAX_QUARANTINED, NewLineage, NewSnapshot, NewUpdate, SavedText, StoredSnapshot,
};
pub use mend::{LogRemains, Mend, RebuiltLog};
pub use moves::{
    MoveNode, MovePhase, MoveProgress, MovedStore, NewMove, Sealed, StoreMove, StoreMover,
    StoreMoves,
};
pub use outbox::{Claim, Outbox, OutboxItem, Settlement, Topic};
pub use outside::{Clock, Ids, SystemClock, SystemIds};
pub use records::{DocumentStore, NewRecord, Record, RecordIndex, RecordPatch, RecordPath};
pub use routing::{Differences, DocumentRouting, RoutingCounters};
pub use upkeep::Upkeep;
pub use value::{Data, Value};
pub use versions::{
    AtomicCommit, CommitIntent, CommitIntents, CommitOutcome, Fence, IntentStatus, NewIntent,
    NewVersion, Restored, VersionFilter, VersionRow, VersionStore,
};
pub use watch::{RecordChange, RecordChangeKind, RecordWatch, ResumeToken};

pub use izanagi_shared::wire::{Details, DetailsChange, VersionNote};

use std::sync::Arc;

/// All stores used by the services. Each field may name its own backend (DESIGN §4).
#[derive(Clone)]
pub struct Stores {
    /// Everything that must change in one transaction.
    pub relational: Relational,
    /// Version contents and edit history.
    pub documents: Arc<dyn DocumentStore>,
    /// What the document store tells about its places, if it may have two.
    pub routing: Option<Arc<dyn DocumentRouting>>,
    /// Sessions that were ended before their access tokens expired.
    pub revocations: Arc<dyn RevocationStore>,
    /// Notifies all nodes of changes.
    pub bus: Arc<dyn Bus>,
    /// Values that can be computed again.
    pub cache: Arc<dyn Cache>,
    /// Rate limits that nodes share, if they do.
    pub counters: Option<Arc<dyn Counters>>,
    /// What can move stores to other places.
    pub movers: Vec<Arc<dyn StoreMover>>,
}

/// The traits of the relational database. One database implements them all.
#[derive(Clone)]
pub struct Relational {
    /// Accounts.
    pub users: Arc<dyn UserStore>,
    /// Signed-in devices and their refresh tokens.
    pub sessions: Arc<dyn SessionStore>,
    /// Documents.
    pub catalog: Arc<dyn Catalog>,
    /// Owners of documents.
    pub owners: Arc<dyn Owners>,
    /// Committed versions.
    pub versions: Arc<dyn VersionStore>,
    /// Commit attempts.
    pub intents: Arc<dyn CommitIntents>,
    /// Steps 2 to 4 of a commit in one transaction, if this database holds the documents too.
    pub atomic: Option<Arc<dyn AtomicCommit>>,
    /// Live updates.
    pub log: Arc<dyn LiveLog>,
    /// Segments of edit history.
    pub segments: Arc<dyn EditSegments>,
    /// The change feed.
    pub changes: Arc<dyn Changes>,
    /// Jobs.
    pub outbox: Arc<dyn Outbox>,
    /// The audit log.
    pub audit: Arc<dyn AuditLog>,
    /// Signing keys shared by all nodes.
    pub keys: Arc<dyn KeyStore>,
    /// Full scans for `fsck`.
    pub inspect: Arc<dyn Inspect>,
    /// Repairs by `fsck`.
    pub mend: Arc<dyn Mend>,
    /// Retention.
    pub upkeep: Arc<dyn Upkeep>,
    /// Moves of stores to other places.
    pub moves: Arc<dyn StoreMoves>,
}

impl std::fmt::Debug for Stores {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stores")
            .field("atomic", &self.relational.atomic.is_some())
            .finish_non_exhaustive()
    }
}
