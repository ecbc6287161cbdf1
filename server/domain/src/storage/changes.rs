//! The change feed: every change of what a reader can see of a document, numbered in the
//! transaction that makes it (DESIGN §3). Synchronisation, caches and search follow it.

use super::StoreResult;
use async_trait::async_trait;
use izanagi_shared::{
    id::{DocumentId, UserId},
    time::Timestamp,
};

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// The document was created.
    Created,
    /// Its text.
    Content,
    /// Title, description or flags.
    Details,
    /// A version was committed, named or unnamed.
    Version,
    /// It was moved to the trash or restored from it.
    Trash,
    /// Its owners.
    Owners,
    /// Its editing state was started anew: updates of the former lineage are not valid any more.
    Lineage,
}

impl ChangeKind {
    /// All kinds.
    pub const ALL: [Self; 7] = [
        Self::Created,
        Self::Content,
        Self::Details,
        Self::Version,
        Self::Trash,
        Self::Owners,
        Self::Lineage,
    ];

    /// Returns the name used in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Content => "content",
            Self::Details => "details",
            Self::Version => "version",
            Self::Trash => "trash",
            Self::Owners => "owners",
            Self::Lineage => "lineage",
        }
    }

    /// Parses a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Who can no longer see a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Audience {
    /// A former owner.
    User(UserId),
    /// Everyone who is not an owner: the document was public.
    Public,
}

/// An entry of the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeEntry {
    /// The document changed. Only the latest change of each kind is kept.
    Changed(ChangeKind),
    /// A tombstone: the document was deleted for good, or is hidden from this audience. It is
    /// removed when the audience can see the document again.
    Lost(Audience),
}

/// A numbered change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// Its number, greater than those of all earlier changes. Numbers may have gaps.
    pub seq: u64,
    /// The document.
    pub document_id: DocumentId,
    /// What happened.
    pub entry: ChangeEntry,
    /// Time of the change.
    pub at: Timestamp,
}

/// A part of the feed, from one state of the database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangePage {
    /// The changes, by number.
    pub changes: Vec<Change>,
    /// Tombstones up to this number may have been removed. A reader whose cursor is below it and
    /// who did not start from the beginning since then must start from the beginning. So a cursor
    /// that is stored must also contain the number of the newest change when the reader last started
    /// from the beginning.
    pub forgotten: u64,
}

/// The change feed. It is written by the methods that make the changes.
///
/// A change of the content is numbered when it is appended to the live log, before the stored text
/// follows; readers of the feed get the text from `Documents::text`, which includes every append. Changes
/// of accounts are not part of the feed: a display name can change without an entry.
///
/// SQLite has one writer, so numbers become visible in order. With concurrent writers (PostgreSQL)
/// they do not: a transaction can take a number and commit after a later one was read. There, a row
/// also stores the id of its transaction, and both reads return only rows of transactions below the
/// oldest running one (`pg_snapshot_xmin`), so that no cursor passes a number that is yet to appear.
#[async_trait]
pub trait Changes: Send + Sync {
    /// Returns the first changes after a number; 0 is before all of them.
    async fn since(&self, seq: u64, limit: u32) -> StoreResult<ChangePage>;
    /// Returns the highest number used so far; 0 if there is none.
    async fn newest(&self) -> StoreResult<u64>;
    /// Removes tombstones before `before`.
    async fn forget(&self, before: Timestamp) -> StoreResult<()>;
}
