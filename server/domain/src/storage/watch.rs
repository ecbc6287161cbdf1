//! Following the changes of records.

use super::{RecordPath, StoreResult};
use async_trait::async_trait;
use std::fmt;

/// A position in the changes of a document store. Its text is opaque; it can be stored, and stays
/// valid when the program or the server restarts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ResumeToken(String);

impl ResumeToken {
    /// A token from its text, which only the provider that wrote it can read.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ResumeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What happened to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecordChangeKind {
    /// It was created.
    Created,
    /// Its data changed.
    Updated,
    /// It was soft-deleted.
    Deleted,
    /// It was removed. Its path may be used again, beginning with version 1.
    Purged,
}

/// A change of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordChange {
    /// The record.
    pub path: RecordPath,
    /// Its version after the change; for [`RecordChangeKind::Purged`], one more than its last.
    pub version: u64,
    /// What happened.
    pub kind: RecordChangeKind,
}

/// Follows the changes of a document store.
///
/// Changes of one record come in their order, each once. A change may be left out if a later one of
/// the same record follows, so a consumer that reads the record for each change ends with its
/// newest state.
#[async_trait]
pub trait RecordWatch: Send {
    /// Waits for the next change. Dropping the future loses nothing.
    ///
    /// # Errors
    /// `StartOver` if changes since the position were forgotten. After `Unavailable`, a new watch
    /// from [`Self::token`] continues.
    async fn next(&mut self) -> StoreResult<RecordChange>;

    /// Returns the position after the change returned last.
    fn token(&self) -> ResumeToken;
}
