//! Meaning of SQLite's result codes (<https://www.sqlite.org/rescode.html>).

use izanagi_domain::storage::{Constraint, StoreError};
use sqlx::{error::DatabaseError as _, sqlite::SqliteError};

const ERROR: u32 = 1;
const BUSY: u32 = 5;
const LOCKED: u32 = 6;
const CORRUPT: u32 = 11;
const CONSTRAINT: u32 = 19;
const MISMATCH: u32 = 20;
const NOT_A_DATABASE: u32 = 26;
/// An extended code of [`CONSTRAINT`].
const FOREIGN_KEY: u32 = 787;

/// SQLite reports the columns of a violated UNIQUE or PRIMARY KEY, not its name.
const BY_COLUMNS: [(&str, Constraint); 7] = [
    ("users.username", Constraint::Username),
    ("users.email", Constraint::Email),
    ("documents.request_key", Constraint::RequestKey),
    ("versions.request_key", Constraint::RequestKey),
    ("versions.commit_id", Constraint::CommitId),
    ("commit_intents.commit_id", Constraint::CommitId),
    ("records.collection, records.id", Constraint::RecordExists),
];

/// Maps an error to its meaning for the caller, provided that nothing was committed.
pub(super) fn meaning(error: &sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::Database(refusal) => match refusal.try_downcast_ref::<SqliteError>() {
            Some(error) => meaning_of_code(error),
            None => StoreError::Unavailable(error.to_string()),
        },
        sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::ColumnNotFound(_)
        | sqlx::Error::Decode(_) => StoreError::Corrupt(error.to_string()),
        _ => StoreError::Unavailable(error.to_string()),
    }
}

fn meaning_of_code(error: &SqliteError) -> StoreError {
    let extended = extended_code(error);
    match extended & 0xFF {
        CONSTRAINT if extended == FOREIGN_KEY => StoreError::Conflict(Constraint::Reference),
        CONSTRAINT => StoreError::Conflict(constraint(error.message())),
        ERROR | MISMATCH | CORRUPT | NOT_A_DATABASE => StoreError::Corrupt(error.to_string()),
        // Busy, locked, full, unreadable, out of memory …
        _ => StoreError::Unavailable(error.to_string()),
    }
}

/// Whether a failed COMMIT certainly left nothing behind. After an I/O error, the WAL may end with
/// a commit that a restart would find.
pub(super) fn refused_commit(error: &sqlx::Error) -> bool {
    primary_code(error).is_some_and(|code| matches!(code, BUSY | LOCKED | CONSTRAINT))
}

/// Whether the connection is unusable after this error.
pub(super) fn is_lost(error: &sqlx::Error) -> bool {
    !matches!(error, sqlx::Error::Database(_))
}

/// Whether another connection held a lock, so that a retry may succeed.
pub(super) fn is_busy(error: &sqlx::Error) -> bool {
    primary_code(error).is_some_and(|code| matches!(code, BUSY | LOCKED))
}

fn primary_code(error: &sqlx::Error) -> Option<u32> {
    let error = error.as_database_error()?.try_downcast_ref::<SqliteError>()?;
    Some(extended_code(error) & 0xFF)
}

fn extended_code(error: &SqliteError) -> u32 {
    error.code().and_then(|code| code.parse().ok()).unwrap_or(ERROR)
}

/// Returns the constraint named by a message like `UNIQUE constraint failed: users.email`.
fn constraint(message: &str) -> Constraint {
    let columns = message.rsplit_once("failed: ").map_or("", |(_, columns)| columns);
    let known = BY_COLUMNS.iter().find(|(name, _)| *name == columns);
    known.map_or(Constraint::Other, |(_, constraint)| *constraint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("UNIQUE constraint failed: users.email", Constraint::Email)]
    #[case("UNIQUE constraint failed: records.collection, records.id", Constraint::RecordExists)]
    #[case("CHECK constraint failed: ck_documents_seq", Constraint::Other)]
    fn names_constraints(#[case] message: &str, #[case] expected: Constraint) {
        assert_eq!(constraint(message), expected);
    }
}
