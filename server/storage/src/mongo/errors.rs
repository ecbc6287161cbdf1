//! What the errors of the driver mean for the caller.

use super::{PURGE_INDEX, RECORD_INDEX};
use izanagi_domain::storage::{Constraint, StoreError};
use mongodb::error::{Error, ErrorKind, NO_WRITES_PERFORMED, RETRYABLE_WRITE_ERROR, WriteFailure};

/// Codes of the server (`src/mongo/base/error_codes.yml`).
const BAD_VALUE: i32 = 2;
const TYPE_MISMATCH: i32 = 14;
const DUPLICATE_KEY: i32 = 11_000;
/// The command was refused before it could write: malformed, not allowed, unknown.
const REFUSED: [i32; 8] = [BAD_VALUE, 9, 13, 14, 18, 26, 59, 72];
/// This node is not the primary and did not run the command.
const NOT_PRIMARY: [i32; 3] = [10_107, 13_435, 10_058];
/// The document is larger than the server stores.
const TOO_LARGE: [i32; 3] = [10_334, 17_419, 17_420];

/// Meaning of a failed read.
pub(super) fn of_read(error: &Error, collection: &str) -> StoreError {
    match &*error.kind {
        ErrorKind::Bson(_) => StoreError::Corrupt(text(error)),
        ErrorKind::Command(refusal)
            if refusal.code == BAD_VALUE && refusal.message.contains("hint") =>
        {
            StoreError::Unavailable(format!(
                "an index is missing; create it with \
                 db.getCollection({collection:?}).createIndex({{collection: 1, _id: 1}}, \
                 {{name: {RECORD_INDEX:?}}}) and \
                 db.getCollection({collection:?}).createIndex({{deleted: 1, updatedAt: 1}}, \
                 {{name: {PURGE_INDEX:?}}})"
            ))
        }
        _ => StoreError::Unavailable(text(error)),
    }
}

/// Meaning of a failed write. `interrupted`: a connection failed during the call, so that an
/// earlier attempt of the driver may have been stored.
pub(super) fn of_write(error: &Error, interrupted: bool) -> StoreError {
    match &*error.kind {
        ErrorKind::InvalidArgument { message, .. } if message.contains("must be within") => {
            too_large()
        }
        ErrorKind::Write(WriteFailure::WriteError(refusal)) => match refusal.code {
            code if TOO_LARGE.contains(&code) => too_large(),
            _ if interrupted => StoreError::Unknown(text(error)),
            // The field to change has another type than the update expects.
            TYPE_MISMATCH => StoreError::Corrupt(text(error)),
            DUPLICATE_KEY => StoreError::Conflict(Constraint::RecordExists),
            _ => StoreError::Unavailable(text(error)),
        },
        // The write is stored here, but perhaps not on a majority or not durably.
        ErrorKind::Write(WriteFailure::WriteConcernError(_)) => StoreError::Unknown(text(error)),
        _ if error.contains_label(NO_WRITES_PERFORMED) && !interrupted => {
            StoreError::Unavailable(text(error))
        }
        ErrorKind::Command(refusal) => match refusal.code {
            code if TOO_LARGE.contains(&code) => too_large(),
            code if !interrupted && (REFUSED.contains(&code) || NOT_PRIMARY.contains(&code)) => {
                StoreError::Unavailable(text(error))
            }
            _ => StoreError::Unknown(text(error)),
        },
        // The first attempt was not sent: a retry would have returned the error before it.
        ErrorKind::ServerSelection { .. }
        | ErrorKind::DnsResolve { .. }
        | ErrorKind::InvalidTlsConfig { .. }
        | ErrorKind::Authentication { .. }
        | ErrorKind::IncompatibleServer { .. }
        | ErrorKind::SessionsNotSupported
        | ErrorKind::InvalidArgument { .. }
        | ErrorKind::Shutdown
            if !error.contains_label(RETRYABLE_WRITE_ERROR) =>
        {
            StoreError::Unavailable(text(error))
        }
        _ => StoreError::Unknown(text(error)),
    }
}

/// Whether a unique key is taken: by another record, or by an attempt of this very call.
pub(super) fn is_duplicate(error: &Error) -> bool {
    matches!(&*error.kind, ErrorKind::Write(WriteFailure::WriteError(refusal))
        if refusal.code == DUPLICATE_KEY)
}

/// Whether a change stream cannot continue from its position: the history does not reach back to
/// it, or it is none.
pub(super) fn is_position_lost(error: &Error) -> bool {
    const LOST: [i32; 8] = [9, 136, 222, 234, 260, 280, 286, 40_649];
    matches!(&*error.kind, ErrorKind::Command(refusal) if LOST.contains(&refusal.code))
        || matches!(&*error.kind, ErrorKind::MissingResumeToken)
}

fn too_large() -> StoreError {
    StoreError::Conflict(Constraint::RecordTooLarge)
}

/// The kind of the error. Its other parts repeat the reply, which may be long.
pub(super) fn text(error: &Error) -> String {
    let mut text = error.kind.to_string();
    if let Some(end) = text.char_indices().nth(400).map(|(at, _)| at) {
        text.truncate(end);
        text.push('…');
    }
    text
}
