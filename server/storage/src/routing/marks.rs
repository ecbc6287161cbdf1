//! Durable marks of records that may differ between two places. `docs/two-places.md` says what a mark
//! means, and who may remove it.

use async_trait::async_trait;
use izanagi_domain::storage::{RecordPath, RoutingCounters, StoreResult};
use uuid::Uuid;

/// Which of two places decides for a writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Truth {
    /// The relational database, as the settings say.
    Users,
    /// The database of the documents, as the settings say.
    Documents,
    /// The place that a move leaves.
    Source,
    /// The place to which a move has led.
    Target,
}

impl Truth {
    const ALL: [Self; 4] = [Self::Users, Self::Documents, Self::Source, Self::Target];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Documents => "documents",
            Self::Source => "source",
            Self::Target => "target",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|truth| truth.as_str() == name)
    }
}

/// By what a writer knew which place decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The move; `None`: the settings.
    pub(crate) move_id: Option<Uuid>,
    /// The place that decides.
    pub(crate) truth: Truth,
}

impl Origin {
    /// The origin of writers of the same move, or of the same settings, for whom the other place
    /// decides.
    pub(crate) const fn reversed(self) -> Self {
        let truth = match self.truth {
            Truth::Users => Truth::Documents,
            Truth::Documents => Truth::Users,
            Truth::Source => Truth::Target,
            Truth::Target => Truth::Source,
        };
        Self { truth, ..self }
    }
}

/// A mark. One write makes one, so a record may have several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) id: Uuid,
    pub(crate) path: RecordPath,
    pub(crate) origin: Origin,
    /// Whether the write removes the record for good.
    pub(crate) purges: bool,
}

/// The marks, in the relational database.
#[async_trait]
pub(crate) trait ShadowMarks: Send + Sync {
    /// Marks a record before it is written.
    async fn add(&self, path: &RecordPath, origin: Origin, purges: bool) -> StoreResult<Uuid>;

    /// Removes marks of records that are equal in both places; returns how many were there.
    async fn remove(&self, ids: &[Uuid]) -> StoreResult<u64>;

    /// Removes the mark of a removed record, unless the record has another mark: whoever mends that
    /// must know that the record was removed. Returns whether the mark was removed.
    async fn remove_purge(&self, id: Uuid) -> StoreResult<bool>;

    /// Whether a mark is still there. One that is not was removed by somebody who took its writer for
    /// dead.
    async fn has(&self, id: Uuid) -> StoreResult<bool>;

    /// Whether a record has a mark.
    async fn has_record(&self, path: &RecordPath) -> StoreResult<bool>;

    /// Returns marks in the order of their ids, after a given one.
    async fn list(&self, after: Option<Uuid>, limit: u32) -> StoreResult<Vec<Mark>>;

    /// Returns their number.
    async fn count(&self) -> StoreResult<u64>;

    /// Adds to what all servers have counted about the second place.
    async fn add_counts(&self, counted: &RoutingCounters) -> StoreResult<()>;

    /// Removes those of a move, or of the settings; returns how many there were.
    async fn clear(&self, move_id: Option<Uuid>) -> StoreResult<u64>;

    /// Removes those of everything but a move; returns how many there were.
    async fn clear_others(&self, move_id: Uuid) -> StoreResult<u64>;
}
