//! Meaning of PostgreSQL's error codes (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).

use izanagi_domain::{
    log_rate::LogRate,
    storage::{Constraint, StoreError},
};
use sqlx::postgres::{PgDatabaseError, PgSeverity};
use std::sync::LazyLock;

const BY_NAME: [(&str, Constraint); 7] = [
    ("uq_users_username", Constraint::Username),
    ("uq_users_email", Constraint::Email),
    ("uq_documents_request_key", Constraint::RequestKey),
    ("uq_versions_request_key", Constraint::RequestKey),
    ("uq_versions_commit_id", Constraint::CommitId),
    ("pk_commit_intents", Constraint::CommitId),
    ("pk_records", Constraint::RecordExists),
];

const FOREIGN_KEY: &str = "23503";
const NOT_NULL: &str = "23502";
const NO_RIGHT: &str = "42501";
const NO_TABLE: &str = "42P01";
const DUPLICATE_STATEMENT: &str = "42P05";
/// Another transaction was in the way: `serialization_failure`, on replicas also where replaying the log
/// was; and `deadlock_detected`.
const CONFLICTS: [&str; 2] = ["40001", "40P01"];

static UNUSABLE: LazyLock<LogRate> = LazyLock::new(LogRate::default);

/// What follows from an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Consequence {
    /// The statement was refused: nothing of its transaction remains.
    Refused,
    /// As [`Self::Refused`], and another attempt may succeed.
    Retry,
    /// The connection is unusable. A statement that was sent may have taken effect.
    Lost,
}

/// Maps an error to its meaning for the caller, provided that nothing was committed.
pub(super) fn meaning(error: &sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::Database(refusal) => match refusal.try_downcast_ref::<PgDatabaseError>() {
            Some(error) => meaning_of_code(error),
            None => StoreError::Unavailable(error.to_string()),
        },
        sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::ColumnNotFound(_)
        | sqlx::Error::Decode(_)
        | sqlx::Error::Encode(_) => StoreError::Corrupt(error.to_string()),
        sqlx::Error::PoolTimedOut => {
            StoreError::Unavailable("no connection to PostgreSQL became free in time".to_owned())
        }
        _ => StoreError::Unavailable(error.to_string()),
    }
}

fn meaning_of_code(error: &PgDatabaseError) -> StoreError {
    let code = error.code();
    match code.get(..2).unwrap_or_default() {
        "23" if code == FOREIGN_KEY => StoreError::Conflict(Constraint::Reference),
        "23" => StoreError::Conflict(constraint(error.constraint())),
        "26" => StoreError::Unavailable(behind_pooler(error)),
        "42" if code == DUPLICATE_STATEMENT => StoreError::Unavailable(behind_pooler(error)),
        // Not the data is wrong, but what the administrator has to care for.
        "42" if code == NO_RIGHT || code == NO_TABLE => {
            if let Some(omitted) = UNUSABLE.admit() {
                let what = error.message();
                tracing::error!(code, what, omitted, "the database is not set up for this role");
            }
            StoreError::Unavailable(error.to_string())
        }
        // Wrong statements and values; damaged files.
        "22" | "42" => StoreError::Corrupt(error.to_string()),
        "XX" if code != "XX000" => StoreError::Corrupt(error.to_string()),
        // Read-only, out of resources, cancelled, shutting down …
        _ => StoreError::Unavailable(error.to_string()),
    }
}

fn behind_pooler(error: &PgDatabaseError) -> String {
    format!(
        "{error}: behind a pooler in transaction mode, add statement-cache-capacity=0 to the URL"
    )
}

fn constraint(name: Option<&str>) -> Constraint {
    let known = BY_NAME.iter().find(|(known, _)| Some(*known) == name);
    known.map_or(Constraint::Other, |(_, constraint)| *constraint)
}

/// Returns what follows from an error.
pub(super) fn consequence(error: &sqlx::Error) -> Consequence {
    match error {
        sqlx::Error::Database(refusal) => match refusal.try_downcast_ref::<PgDatabaseError>() {
            Some(error) => consequence_of_code(error),
            None => Consequence::Lost,
        },
        // Found in the program, before or after the exchange with the server.
        sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::ColumnNotFound(_)
        | sqlx::Error::Decode(_)
        | sqlx::Error::Encode(_) => Consequence::Refused,
        _ => Consequence::Lost,
    }
}

fn consequence_of_code(error: &PgDatabaseError) -> Consequence {
    let code = error.code();
    // The server ends the connection, perhaps after it has committed.
    if code.starts_with("57P0") || code.starts_with("08") || is_fatal(error) {
        return Consequence::Lost;
    }
    let is_retry = match code {
        code if CONFLICTS.contains(&code) => true,
        // A statement was prepared before a migration.
        "0A000" => error.message().contains("cached plan"),
        // The collection was removed with its last record, while another was added.
        NOT_NULL => error.table() == Some("records") && error.column() == Some("collection"),
        FOREIGN_KEY => error.constraint() == Some("fk_records_collection"),
        _ => false,
    };
    if is_retry { Consequence::Retry } else { Consequence::Refused }
}

/// Whether an error says something about the connection or its server, and not about a statement.
pub(super) fn is_of_connection(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    let is_conflict = code.is_some_and(|code| CONFLICTS.contains(&&*code));
    !is_conflict && consequence(error) == Consequence::Lost
}

fn is_fatal(error: &PgDatabaseError) -> bool {
    matches!(error.severity(), PgSeverity::Fatal | PgSeverity::Panic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constraints_are_known_by_their_names() {
        assert_eq!(constraint(Some("uq_users_email")), Constraint::Email);
        assert_eq!(constraint(Some("pk_records")), Constraint::RecordExists);
        assert_eq!(constraint(Some("ck_documents_seq")), Constraint::Other);
        assert_eq!(constraint(None), Constraint::Other);
    }

    #[test]
    fn a_broken_connection_leaves_the_outcome_open() {
        let broken = sqlx::Error::Io(std::io::ErrorKind::BrokenPipe.into());
        assert_eq!(consequence(&broken), Consequence::Lost);
        assert_eq!(consequence(&sqlx::Error::Encode("zero".into())), Consequence::Refused);
    }
}
