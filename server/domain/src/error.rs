//! The one error of the domain (DESIGN §8). What may be told to a client and what is for the log
//! are separate: the second stands in [`Internal`], which cannot be displayed by accident.

use crate::storage::{Constraint, StoreError};
use izanagi_shared::{
    permission::Scope,
    problem::{CurrentContent, FieldError, Problem},
};
use std::{fmt, time::Duration};

/// The result of a service call.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a service refuses or fails. Each variant has one status and one `code` (API.md).
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Fields break their rules.
    #[error("Some fields need another look.")]
    Invalid(Vec<FieldError>),
    /// Nobody is signed in, or the sign-in is over.
    #[error("Sign in first.")]
    Unauthenticated,
    /// Wrong name or password; which of the two is not said.
    #[error("No account has this name and password.")]
    InvalidCredentials,
    /// The session was ended, or its token was used by two.
    #[error("This session has ended. Sign in again.")]
    SessionRevoked,
    /// They know of it but may not do this.
    #[error("You may not do this here.")]
    Forbidden,
    /// The caller's API key lacks this scope.
    #[error("This API key does not have the scope “{}”.", scope_name(.0))]
    ScopeMissing(Scope),
    /// There is none, or they may not know that there is.
    #[error("There is no such {0}.")]
    NotFound(&'static str),
    /// Somebody has that username.
    #[error("Somebody has this username.")]
    UsernameTaken,
    /// Somebody has that email.
    #[error("An account with this email exists.")]
    EmailTaken,
    /// The text is another than the one the request was made from.
    #[error("The document has changed since you read it.")]
    Stale(Box<CurrentContent>),
    /// A precondition is missing.
    #[error("{0}")]
    PreconditionRequired(&'static str),
    /// The text equals the newest version.
    #[error("Nothing has changed since the last version.")]
    NothingToCommit,
    /// A document keeps at least one owner.
    #[error("A document needs at least one owner.")]
    LastOwner,
    /// The document is in trash.
    #[error("This document is in the trash. Restore it first.")]
    Trashed,
    /// Only what lies in trash can be deleted for ever.
    #[error("Move the document to the trash first.")]
    NotTrashed,
    /// The same `Idempotency-Key` came with another body.
    #[error("This Idempotency-Key was used for another request.")]
    IdempotencyMismatch,
    /// A live update that the gate or the log refuses.
    #[error("The update was refused: {0}.")]
    BadUpdate(String),
    /// A text or update beyond its limit.
    #[error("{0}")]
    TooLarge(String),
    /// The body is of another media type than the path takes.
    #[error("{0}")]
    UnsupportedMediaType(String),
    /// The body is not what its media type says.
    #[error("The body cannot be read: {0}.")]
    MalformedBody(String),
    /// Too many requests.
    #[error("Too many requests. Try again in {} s.", .0.as_secs().max(1))]
    RateLimited(Duration),
    /// A version's bytes do not have the version's hash. They are not shown.
    #[error("Version {number} is damaged. Run “izanagi fsck” on the server.")]
    CorruptVersion {
        /// The version.
        number: u64,
        /// What is wrong, for the log.
        internal: Internal,
    },
    /// A budget is used up. Retrying after this time is safe.
    #[error("The server is busy. Try again in {} s.", .0.as_secs().max(1))]
    Overloaded(Duration),
    /// A store is down or did not answer. Trying again is safe.
    #[error("The storage cannot be reached right now. Try again.")]
    Unavailable(Internal),
    /// Anything that should not happen.
    #[error("Something went wrong on our side.")]
    Internal(Internal),
}

/// What only the log may know. It has no `Display`.
#[derive(Clone)]
pub struct Internal(String);

impl Internal {
    /// Keeps a cause for the log.
    pub fn new(cause: impl fmt::Display) -> Self {
        Self(cause.to_string())
    }

    /// The cause, for the log.
    #[must_use]
    pub fn for_log(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Internal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error {
    /// One field breaks its rule.
    #[must_use]
    pub fn field(error: FieldError) -> Self {
        Self::Invalid(vec![error])
    }

    /// Something that should not happen.
    pub fn internal(cause: impl fmt::Display) -> Self {
        Self::Internal(Internal::new(cause))
    }

    /// A store's answer where `NotFound` means that there is no such `what`.
    pub fn missing(what: &'static str) -> impl FnOnce(StoreError) -> Self {
        move |error| match error {
            StoreError::NotFound => Self::NotFound(what),
            other => other.into(),
        }
    }
}

fn scope_name(scope: &Scope) -> &'static str {
    match scope {
        Scope::Read => "read",
        Scope::Write => "write",
        Scope::Admin => "admin",
    }
}

/// Status, code and title of a kind of refusal: the same for every occurrence.
struct Kind {
    status: u16,
    code: &'static str,
    title: &'static str,
}

const fn kind(status: u16, code: &'static str, title: &'static str) -> Kind {
    Kind { status, code, title }
}

impl Error {
    /// The one place that decides status, code and title (DESIGN §8): a new variant does not
    /// compile until it stands here.
    const fn kind(&self) -> Kind {
        match self {
            Self::Invalid(_) => kind(422, "invalid", "Invalid fields"),
            Self::Unauthenticated => kind(401, "unauthenticated", "Sign-in required"),
            Self::InvalidCredentials => kind(401, "invalid_credentials", "Wrong name or password"),
            Self::SessionRevoked => kind(401, "session_revoked", "Session ended"),
            Self::Forbidden => kind(403, "forbidden", "Not allowed"),
            Self::ScopeMissing(_) => kind(403, "scope_missing", "Scope missing"),
            Self::NotFound(_) => kind(404, "not_found", "Not found"),
            Self::UsernameTaken => kind(409, "username_taken", "Username taken"),
            Self::EmailTaken => kind(409, "email_taken", "Email taken"),
            Self::Stale(_) => kind(412, "stale", "Changed meanwhile"),
            Self::PreconditionRequired(_) => {
                kind(428, "precondition_required", "Precondition required")
            }
            Self::NothingToCommit => kind(409, "nothing_to_commit", "Nothing to commit"),
            Self::LastOwner => kind(409, "last_owner", "Last owner"),
            Self::Trashed => kind(409, "trashed", "In the trash"),
            Self::NotTrashed => kind(409, "not_trashed", "Not in the trash"),
            Self::IdempotencyMismatch => {
                kind(422, "idempotency_mismatch", "Idempotency-Key used before")
            }
            Self::BadUpdate(_) => kind(422, "bad_update", "Update refused"),
            Self::TooLarge(_) => kind(413, "too_large", "Too large"),
            Self::UnsupportedMediaType(_) => {
                kind(415, "unsupported_media_type", "Unsupported media type")
            }
            Self::MalformedBody(_) => kind(400, "malformed_body", "Unreadable body"),
            Self::RateLimited(_) => kind(429, "rate_limited", "Too many requests"),
            Self::CorruptVersion { .. } => kind(500, "corrupt_version", "Damaged version"),
            Self::Overloaded(_) => kind(503, "overloaded", "Server busy"),
            Self::Unavailable(_) => kind(503, "unavailable", "Storage unavailable"),
            Self::Internal(_) => kind(500, "internal", "Internal error"),
        }
    }

    /// What a client is told. Nothing of [`Internal`] is in it; the request id is added by whoever
    /// knows it.
    #[must_use]
    pub fn problem(&self) -> Problem {
        let Kind { status, code, title } = self.kind();
        let (errors, current) = match self {
            Self::Invalid(errors) => (errors.clone(), None),
            Self::UsernameTaken => (vec![self.about("username", code)], None),
            Self::EmailTaken => (vec![self.about("email", code)], None),
            Self::Stale(current) => (Vec::new(), Some((**current).clone())),
            _ => (Vec::new(), None),
        };
        Problem {
            kind: "about:blank".to_owned(),
            title: title.to_owned(),
            status,
            detail: self.detail(&errors),
            code: code.to_owned(),
            request_id: String::new(),
            errors,
            current,
        }
    }

    fn about(&self, field: &str, code: &str) -> FieldError {
        FieldError::new(field, code, self.to_string())
    }

    /// One wrong field says itself what is wrong.
    fn detail(&self, errors: &[FieldError]) -> String {
        match errors {
            [only] => only.message.clone(),
            _ => self.to_string(),
        }
    }

    /// What only the log may know, for errors that are not the client's doing.
    #[must_use]
    pub const fn internal_cause(&self) -> Option<&Internal> {
        match self {
            Self::CorruptVersion { internal, .. }
            | Self::Unavailable(internal)
            | Self::Internal(internal) => Some(internal),
            _ => None,
        }
    }

    /// After how long trying again makes sense.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited(wait) | Self::Overloaded(wait) => Some(*wait),
            Self::Unavailable(_) => Some(Duration::from_secs(1)),
            _ => None,
        }
    }
}

impl From<FieldError> for Error {
    fn from(error: FieldError) -> Self {
        Self::field(error)
    }
}

/// For stores whose answer has no meaning of its own at that place.
impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(Constraint::Username) => Self::UsernameTaken,
            StoreError::Conflict(Constraint::Email) => Self::EmailTaken,
            StoreError::Conflict(Constraint::LastOwner) => Self::LastOwner,
            StoreError::Conflict(Constraint::Trashed) => Self::Trashed,
            StoreError::Unavailable(_) | StoreError::Unknown(_) => {
                Self::Unavailable(Internal::new(error))
            }
            StoreError::NotFound | StoreError::Conflict(_) | StoreError::Corrupt(_) => {
                Self::internal(error)
            }
        }
    }
}
