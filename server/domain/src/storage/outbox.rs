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
    /// Key: a store. Carry out its move to another place.
    Move,
}

impl Topic {
    /// All topics.
    pub const ALL: [Self; 6] =
        [Self::Demote, Self::MakeWhole, Self::Erase, Self::Collect, Self::Forget, Self::Move];

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
            Self::Move => "move",
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
            Self::Demote | Self::MakeWhole | Self::Erase | Self::Move => None,
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
    /// Further input; the format depends on the topic. No topic uses it yet.
    pub payload: Vec<u8>,
    /// Number of runs begun since it was added or last succeeded.
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
    /// The latest time that an item can be scheduled for now. Later ones were scheduled by a clock
    /// that was ahead, and are due.
    pub horizon: Timestamp,
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
    /// It was not started.
    Release,
    /// It was started and interrupted; this does not count as an attempt.
    Interrupt,
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
    /// Leases the next due items to a worker: at most one per key, and only the first of its key.
    /// Includes items that the worker already holds, since the answer to its last claim may have
    /// been lost. Unreadable items are logged and parked.
    ///
    /// A lease that ends later than two of this claim's leases from now was taken by a clock that
    /// was ahead, and counts as lapsed. So the clocks of nodes may differ by the length of a lease.
    async fn claim(&self, claim: &Claim) -> StoreResult<Vec<OutboxItem>>;
    /// Counts an attempt of an item and returns their number; `None` if the worker no longer holds
    /// the item. Called before the run, so that a run that ends the process counts too.
    async fn begin(&self, id: Uuid, worker: Uuid) -> StoreResult<Option<u32>>;
    /// Extends all leases of a worker. Returns the ids of the items that it still holds.
    async fn extend(&self, worker: Uuid, until: Timestamp) -> StoreResult<Vec<Uuid>>;
    /// Ends a lease. Returns `false` and changes nothing if the worker no longer holds the item.
    async fn settle(&self, id: Uuid, worker: Uuid, settlement: Settlement) -> StoreResult<bool>;
    /// Makes all unclaimed items of a topic due, parked ones included. Returns their number.
    async fn make_due(&self, topic: Topic, now: Timestamp) -> StoreResult<u64>;
    /// Whether an item with this topic and key is running or will soon run: parked items count only
    /// while they are claimed.
    async fn is_pending(&self, topic: Topic, key: &str) -> StoreResult<bool>;
    /// Returns the first items in the order of their queue, claimed or not.
    async fn pending(&self, limit: u32) -> StoreResult<Vec<OutboxItem>>;
    /// Returns parked items.
    async fn parked(&self, limit: u32) -> StoreResult<Vec<OutboxItem>>;
}
