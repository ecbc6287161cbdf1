//! The outbox: jobs, stored in the same transaction as the write that causes them.

use super::StoreResult;
use async_trait::async_trait;
use izanagi_shared::time::Timestamp;
use std::time::Duration;
use uuid::Uuid;

/// Kinds of jobs. Each has its own worker, so a slow or failing topic does not delay the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// Key `{document}/{number}`: turn that version into a delta (DESIGN §5, step 6).
    Demote,
    /// Key `{document}/{number}`: store that version as a snapshot again.
    MakeWhole,
    /// Key `{document}`: erase the contents of a permanently deleted document.
    Erase,
    /// Periodic: close and erase expired commit attempts.
    Collect,
    /// Periodic: remove data whose retention has ended.
    Forget,
}

impl Topic {
    /// All topics.
    pub const ALL: [Self; 5] =
        [Self::Demote, Self::MakeWhole, Self::Erase, Self::Collect, Self::Forget];

    /// Key of the only item of a periodic topic.
    pub const PERIODIC_KEY: &str = "periodic";

    /// Returns the name used in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Demote => "demote",
            Self::MakeWhole => "make_whole",
            Self::Erase => "erase",
            Self::Collect => "collect",
            Self::Forget => "forget",
        }
    }

    /// Parses a topic name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.as_str() == name)
    }

    /// Returns the time between the end of one run and the next, for topics whose only item is run
    /// again and again.
    #[must_use]
    pub const fn period(self) -> Option<Duration> {
        match self {
            Self::Demote | Self::MakeWhole | Self::Erase => None,
            Self::Collect => Some(Duration::from_secs(60)),
            Self::Forget => Some(Duration::from_secs(24 * 60 * 60)),
        }
    }
}

/// A job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxItem {
    /// Its id.
    pub id: Uuid,
    /// Kind of job.
    pub topic: Topic,
    /// What it is about; the format depends on the topic. Items of a topic with the same key run
    /// in order, one at a time.
    pub key: String,
    /// Further input; the format depends on the topic.
    pub payload: Vec<u8>,
    /// Number of claims since it was added or last succeeded.
    pub attempts: u32,
    /// Not run before this time.
    pub run_at: Timestamp,
    /// Whether it failed so often that it is only rarely retried.
    pub is_parked: bool,
}

/// A worker's request for work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The topic.
    pub topic: Topic,
    /// The worker: a random id. A worker runs one item after another, and claims only when it runs
    /// none.
    pub worker: Uuid,
    /// Maximum number of items.
    pub limit: u32,
    /// The current time.
    pub now: Timestamp,
    /// When the lease lapses.
    pub until: Timestamp,
}

/// What follows a run of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    /// It is done: the item is removed.
    Done,
    /// It succeeded and is run again at this time.
    Again(Timestamp),
    /// It failed and is retried at this time. Later items of its key wait.
    Retry(Timestamp),
    /// It failed too often: it is retried at this time, and later items of its key run before it.
    Park(Timestamp),
    /// It was not run: its claim is returned and not counted as an attempt.
    Release,
}

/// The outbox. A job can run twice, because a lease can lapse while its worker is still running;
/// jobs must be idempotent.
///
/// The order within a key is that of insertion by the clocks of the nodes. A database with
/// concurrent writers must lock the candidates of a claim and skip those that are locked.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Adds an item unless there is one with this topic and key.
    async fn ensure(&self, topic: Topic, key: &str, run_at: Timestamp) -> StoreResult<()>;
    /// Leases the next due items to a worker and counts an attempt of each: at most one per key, and
    /// only the first of its key. Includes items that the worker already holds, since the answer to
    /// its last claim may have been lost.
    async fn claim(&self, claim: &Claim) -> StoreResult<Vec<OutboxItem>>;
    /// Extends all leases of a worker. Returns how many it still holds.
    async fn extend(&self, worker: Uuid, until: Timestamp) -> StoreResult<u64>;
    /// Ends a lease. Returns `false` and changes nothing if the worker no longer holds the item.
    async fn settle(&self, id: Uuid, worker: Uuid, settlement: Settlement) -> StoreResult<bool>;
    /// Whether there is an item with this topic and key.
    async fn is_pending(&self, topic: Topic, key: &str) -> StoreResult<bool>;
    /// Returns the first items in the order of their queue, claimed or not.
    async fn pending(&self, limit: u32) -> StoreResult<Vec<OutboxItem>>;
    /// Returns parked items.
    async fn parked(&self, limit: u32) -> StoreResult<Vec<OutboxItem>>;
}
