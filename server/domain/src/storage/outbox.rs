//! The outbox: work that follows a write, stored in the same transaction as the write.

use super::StoreResult;
use async_trait::async_trait;
use izanagi_shared::time::Timestamp;

/// Kinds of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// Key `{document}/{number}`: turn that version into a delta (DESIGN §5, step 6).
    Demote,
    /// Key `{document}/{number}`: make that version whole again.
    MakeWhole,
    /// Key `{document}`: erase the contents of a document that was deleted for ever.
    Erase,
}

impl Topic {
    /// Every topic.
    pub const ALL: [Self; 3] = [Self::Demote, Self::MakeWhole, Self::Erase];

    /// The name in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Demote => "demote",
            Self::MakeWhole => "make_whole",
            Self::Erase => "erase",
        }
    }

    /// The topic of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.as_str() == name)
    }
}

/// A piece of work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxItem {
    /// Its id.
    pub id: String,
    /// What kind.
    pub topic: Topic,
    /// What it is about.
    pub key: String,
}

/// The outbox. Its work is repeatable, so handing an item out twice does no harm.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// The oldest items not done.
    async fn pending(&self, limit: u32) -> StoreResult<Vec<OutboxItem>>;
    /// Whether an item of that topic and key is not done.
    async fn is_pending(&self, topic: Topic, key: &str) -> StoreResult<bool>;
    /// Removes an item whose work is done. Nothing happens if it was removed before.
    async fn done(&self, id: &str) -> StoreResult<()>;
    /// After a failure: puts an item behind all that were put in until `at`.
    async fn postpone(&self, id: &str, at: Timestamp) -> StoreResult<()>;
}
