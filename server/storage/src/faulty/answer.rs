//! Answers of stores: the answer of an empty store, and where a bit can be flipped.

use super::flip::{flip_bytes, flip_data, flip_text};
use izanagi_domain::storage::{
    Accounts, BatchOutcome, ChangePage, CommitIntent, CommitOutcome, DocumentRow, FeedSummary,
    Fence, KnownOp, LoadedLog, LogRemains, LogTail, MoveNode, NewestSegments, OpsSummary,
    OutboxItem, Record, RecordPath, RefreshToken, RefreshUse, SavedText, SealedKey, SegmentRow,
    Session, ShortHash, StoreError, StoreMove, StoreResult, StoredSnapshot, User, VersionRow,
    Viewed,
};
use izanagi_shared::{
    id::{DocumentId, SessionId, UserId},
    time::Timestamp,
    wire::Person,
};
use std::fmt::Debug;
use uuid::Uuid;

/// An answer of a store.
pub(super) trait Answer: Clone + Debug + Send + Sync + 'static {
    /// Returns what a read of an empty store would return.
    fn of_an_empty_store() -> StoreResult<Self> {
        Err(StoreError::NotFound)
    }

    /// Flips a bit of its content; returns whether there is any.
    fn corrupt(&mut self) -> bool {
        false
    }
}

macro_rules! answers_without_content {
    ($($answer:ty),* $(,)?) => { $(impl Answer for $answer {})* };
}

answers_without_content!(
    (),
    Accounts,
    LogRemains,
    Option<ShortHash>,
    [u8; 32],
    (String, String, Timestamp),
    ChangePage,
    Uuid,
    Option<u32>,
    Option<CommitOutcome>,
    CommitIntent,
    CommitOutcome,
    DocumentId,
    DocumentRow,
    FeedSummary,
    Fence,
    KnownOp,
    LogTail,
    MoveNode,
    OpsSummary,
    OutboxItem,
    Person,
    RecordPath,
    RefreshToken,
    RefreshUse,
    SegmentRow,
    Session,
    SessionId,
    StoreResult<BatchOutcome>,
    String,
    User,
    UserId,
    VersionRow,
    Viewed,
);

impl Answer for NewestSegments {
    fn of_an_empty_store() -> StoreResult<Self> {
        Ok(Self::default())
    }
}

impl Answer for Option<StoreMove> {
    fn of_an_empty_store() -> StoreResult<Self> {
        Ok(None)
    }
}

impl Answer for bool {
    fn of_an_empty_store() -> StoreResult<Self> {
        Ok(false)
    }
}

impl Answer for u64 {
    fn of_an_empty_store() -> StoreResult<Self> {
        Ok(0)
    }
}

impl<A: Answer> Answer for Vec<A> {
    fn of_an_empty_store() -> StoreResult<Self> {
        Ok(Self::new())
    }

    fn corrupt(&mut self) -> bool {
        self.iter_mut().any(Answer::corrupt)
    }
}

impl<A: Answer, B: Answer> Answer for (A, B) {
    fn of_an_empty_store() -> StoreResult<Self> {
        Ok((A::of_an_empty_store()?, B::of_an_empty_store()?))
    }

    fn corrupt(&mut self) -> bool {
        self.0.corrupt() || self.1.corrupt()
    }
}

impl Answer for Record {
    fn corrupt(&mut self) -> bool {
        flip_data(&mut self.data)
    }
}

impl Answer for SealedKey {
    fn corrupt(&mut self) -> bool {
        flip_bytes(&mut self.sealed)
    }
}

impl Answer for LoadedLog {
    fn corrupt(&mut self) -> bool {
        flip_bytes(&mut self.snapshot.state)
    }
}

impl Answer for StoredSnapshot {
    fn corrupt(&mut self) -> bool {
        flip_bytes(&mut self.state)
    }
}

impl Answer for SavedText {
    fn corrupt(&mut self) -> bool {
        flip_text(&mut self.content)
    }
}
