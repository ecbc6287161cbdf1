//! Errors of the domain as close codes and as errors of the protocols.

use izanagi_domain::{error::Error, live::Closing};
use izanagi_shared::sync::{
    CloseCode,
    connection::{Event, Refusal},
};

/// Converts an error to what the client is told, and logs its internal cause.
pub(super) fn refusal(error: &Error) -> Refusal {
    error.log();
    told(error)
}

/// Converts an error to what the client is told.
pub(super) fn told(error: &Error) -> Refusal {
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
const fn close_code_of(closing: Closing) -> CloseCode {
    match closing {
        Closing::TooSlow => CloseCode::TooSlow,
        Closing::SignedOut => CloseCode::SignedOut,
        Closing::Forbidden => CloseCode::Forbidden,
        Closing::Gone | Closing::Trashed => CloseCode::Gone,
        Closing::Resync => CloseCode::Resync,
        Closing::Overloaded => CloseCode::TryLater,
        Closing::GoingAway => CloseCode::GoingAway,
    }
}

/// Returns the close frame for the end of a seat: its code, and the reason for people who read logs.
pub(super) const fn closed(closing: Closing) -> Event<'static> {
    let reason = match closing {
        Closing::TooSlow => "updates were read too slowly; connect again",
        Closing::SignedOut => "the sign-in has ended",
        Closing::Forbidden => "you may no longer read this document",
        Closing::Gone => "there is no such document",
        Closing::Trashed => "this document is in the trash; restore it first",
        Closing::Resync => "the document was restored from its text; load it again",
        Closing::Overloaded => "the server is busy; try again later",
        Closing::GoingAway => "the server stops",
    };
    Event::Closed(close_code_of(closing), reason)
}
