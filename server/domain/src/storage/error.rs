//! How a store fails.

/// The result of asking a store.
pub type StoreResult<T> = Result<T, StoreError>;

/// How a store fails. The texts are for the log, never for a client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// There is no such row or record.
    #[error("not found")]
    NotFound,
    /// A named rule of the schema stands against it; nothing was written.
    #[error("conflict: {0:?}")]
    Conflict(Constraint),
    /// The store cannot be reached or is busy; nothing was written.
    #[error("store unavailable: {0}")]
    Unavailable(String),
    /// What is stored makes no sense.
    #[error("corrupt: {0}")]
    Corrupt(String),
    /// A write was sent and no answer came: it may have taken effect, or may yet.
    #[error("outcome unknown: {0}")]
    Unknown(String),
}

/// The rules a write can break, each known by the constraint's name in the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Constraint {
    /// A username is taken.
    Username,
    /// An email is taken.
    Email,
    /// A request key was used before.
    RequestKey,
    /// A record exists at this path.
    RecordExists,
    /// A record has changed since it was read.
    RecordVersion,
    /// A document would be left without an owner.
    LastOwner,
    /// A commit id was used before.
    CommitId,
    /// The document is in trash.
    Trashed,
    /// Another writer has changed a document's log since it was read.
    LogChanged,
    /// A row that another depends on is missing.
    Reference,
    /// Any other rule of the schema.
    Other,
}
