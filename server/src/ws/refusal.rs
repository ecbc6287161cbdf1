//! Errors of the domain as close codes and as errors of the protocols.

use izanagi_domain::{error::Error, live::Closing};
use izanagi_shared::sync::{CloseCode, connection::Refusal};

/// Converts an error to what the client is told, and logs its internal cause.
pub(super) fn refusal(error: &Error) -> Refusal {
    error.log();
    let problem = error.problem();
    Refusal { close: close_code(error), code: problem.code, message: problem.detail }
}

/// Returns the close code for an error. There is no wildcard, so that a new error needs a decision.
const fn close_code(error: &Error) -> CloseCode {
    match error {
        Error::Unauthenticated | Error::InvalidCredentials | Error::SessionRevoked => {
            CloseCode::SignedOut
        }
        Error::Forbidden | Error::ScopeMissing(_) => CloseCode::Forbidden,
        Error::NotFound(_) | Error::Trashed => CloseCode::Gone,
        Error::OtherLineage => CloseCode::Resync,
        Error::TooLarge(_) => CloseCode::TooLarge,
        Error::RateLimited(_) => CloseCode::RateLimited,
        Error::Invalid(_)
        | Error::BadUpdate(_)
        | Error::IdempotencyMismatch
        | Error::MalformedBody(_)
        | Error::UnsupportedMediaType(_) => CloseCode::BadFrame,
        // The rest cannot come from a socket, or may be gone the next time.
        Error::CorruptDocument(_)
        | Error::CorruptVersion { .. }
        | Error::EmailTaken
        | Error::Internal(_)
        | Error::LastOwner
        | Error::NotTrashed
        | Error::NothingToCommit
        | Error::Overloaded(_)
        | Error::PreconditionRequired(_)
        | Error::Stale(_)
        | Error::Unavailable(_)
        | Error::UsernameTaken => CloseCode::TryLater,
    }
}

/// Returns the close code for the end of a seat.
pub(super) const fn close_code_of(closing: Closing) -> CloseCode {
    match closing {
        Closing::TooSlow => CloseCode::TooSlow,
        Closing::SignedOut => CloseCode::SignedOut,
        Closing::Forbidden => CloseCode::Forbidden,
        Closing::Gone => CloseCode::Gone,
        Closing::Resync => CloseCode::Resync,
        Closing::Overloaded => CloseCode::TryLater,
        Closing::GoingAway => CloseCode::GoingAway,
    }
}
