//! Errors of stores.

/// The result of a store call.
pub type StoreResult<T> = Result<T, StoreError>;

/// An error of a store. Messages are for the log only, never for a client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The row or record does not exist.
    #[error("not found")]
    NotFound,
    /// A constraint of the schema is violated; nothing was written.
    #[error("conflict: {0:?}")]
    Conflict(Constraint),
    /// The store is unreachable or busy; nothing was written.
    #[error("store unavailable: {0}")]
    Unavailable(String),
    /// The stored data is invalid.
    #[error("corrupt: {0}")]
    Corrupt(String),
    /// A position in the changes of a store is too old, or not one of this store: start over with a
    /// full scan, and follow the changes from a new position taken before it.
    #[error("start over with a full scan: {0}")]
    StartOver(String),
    /// A write was sent but not answered: it may have taken effect, or may still do so.
    #[error("outcome unknown: {0}")]
    Unknown(String),
}

/// Constraints that a write can violate, identified by their names in the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Constraint {
    /// The username is taken.
    Username,
    /// The email is taken.
    Email,
    /// The request key is already used.
    RequestKey,
    /// A record already exists at this path.
    RecordExists,
    /// A record has changed since it was read.
    RecordVersion,
    /// A record is larger than the store can hold.
    RecordTooLarge,
    /// The document would have no owner.
    LastOwner,
    /// The commit id is already used.
    CommitId,
    /// The document is in trash.
    Trashed,
    /// Another writer has changed the document's log since it was read.
    LogChanged,
    /// The account that acts does not exist, or is deleted or deactivated.
    Account,
    /// A referenced row does not exist.
    Reference,
    /// Any other constraint.
    Other,
}
