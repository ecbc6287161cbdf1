//! What the errors of the drivers mean to the callers of a store.

use super::sqlite;
use izanagi_domain::storage::StoreError;
use sqlx::sqlite::SqliteError;

/// What an error means as long as nothing was committed.
pub(super) fn meaning(error: &sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::Database(refusal) => match refusal.try_downcast_ref::<SqliteError>() {
            Some(error) => sqlite::meaning(error),
            None => StoreError::Unavailable(error.to_string()),
        },
        sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::ColumnNotFound(_)
        | sqlx::Error::Decode(_) => StoreError::Corrupt(error.to_string()),
        _ => StoreError::Unavailable(error.to_string()),
    }
}

/// Whether a COMMIT that failed with this error has certainly left nothing behind.
pub(super) fn refused_commit(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(refusal) => {
            refusal.try_downcast_ref::<SqliteError>().is_some_and(sqlite::refused_commit)
        }
        _ => false,
    }
}

/// Whether the connection is of no use after this error.
pub(super) fn is_lost(error: &sqlx::Error) -> bool {
    !matches!(error, sqlx::Error::Database(_))
}
