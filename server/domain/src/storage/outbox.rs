//! The outbox: follow-up work, stored in the same transaction as the write that causes it.

use super::StoreResult;
use async_trait::async_trait;
use izanagi_shared::time::Timestamp;

/// Kinds of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// Key `{document}/{number}`: turn that version into a delta (DESIGN §5, step 6).
    Demote,
    /// Key `{document}/{number}`: store that version as a snapshot again.
    MakeWhole,
    /// Key `{document}`: erase the contents of a permanently deleted document.
    Erase,
}

impl Topic {
    /// All topics.
    pub const ALL: [Self; 3] = [Self::Demote, Self::MakeWhole, Self::Erase];

    /// Returns the name used in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Demote => "demote",
            Self::MakeWhole => "make_whole",
            Self::Erase => "erase",
        }
    }

    /// Parses a topic name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.as_str() == name)
    }
}

/// A pending item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxItem {
    /// Its id.
    pub id: String,
    /// Kind of work.
    pub topic: Topic,
    /// The object of the work; its format depends on the topic.
    pub key: String,
}

/// The outbox. Its work is idempotent, so processing an item twice is harmless.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Returns the oldest pending items.
    async fn pending(&self, limit: u32) -> StoreResult<Vec<OutboxItem>>;
    /// Whether an item with this topic and key is pending.
    async fn is_pending(&self, topic: Topic, key: &str) -> StoreResult<bool>;
    /// Removes a completed item. Idempotent.
    async fn done(&self, id: &str) -> StoreResult<()>;
    /// After a failure, moves an item behind those enqueued until `at`.
    async fn postpone(&self, id: &str, at: Timestamp) -> StoreResult<()>;
}
