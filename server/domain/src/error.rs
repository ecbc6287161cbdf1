//! The error type of the domain (DESIGN §8). Details that only the log may contain are kept in
//! [`Internal`], which has no `Display` and so cannot reach a client by accident.

use crate::{
    log_rate::LogRate,
    storage::{Constraint, StoreError},
};
use izanagi_shared::{
    permission::Scope,
    problem::{CurrentContent, FieldError, Problem},
};
use std::{fmt, sync::LazyLock, time::Duration};

/// The result of a service call.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a service refused or failed. Each variant has one status and one `code` (API.md).
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// One or more fields are invalid.
    #[error("Some fields are invalid.")]
    Invalid(Vec<FieldError>),
    /// The caller is not signed in, or the access token has expired.
    #[error("Sign in first.")]
    Unauthenticated,
    /// Wrong name or password. Which of the two is not revealed.
    #[error("Wrong username or password.")]
    InvalidCredentials,
    /// The session was ended, or a refresh token was reused.
    #[error("This session has ended. Sign in again.")]
    SessionRevoked,
    /// The caller may see the resource but not perform this action.
    #[error("You do not have permission to do this.")]
    Forbidden,
    /// The caller's API key lacks this scope.
    #[error("This API key does not have the scope “{}”.", scope_name(.0))]
    ScopeMissing(Scope),
    /// The resource does not exist or is hidden from the caller.
    #[error("There is no such {0}.")]
    NotFound(&'static str),
    /// The username is taken.
    #[error("That username is taken.")]
    UsernameTaken,
    /// The email is taken.
    #[error("An account with this email exists.")]
    EmailTaken,
    /// The live text differs from the one the request is based on.
    #[error("The document has changed since you read it.")]
    Stale(Box<CurrentContent>),
    /// A required precondition is missing.
    #[error("{0}")]
    PreconditionRequired(&'static str),
    /// The text equals the newest version.
    #[error("Nothing has changed since the last version.")]
    NothingToCommit,
    /// A document must keep at least one owner.
    #[error("A document needs at least one owner.")]
    LastOwner,
    /// The document is in trash.
    #[error("This document is in the trash. Restore it first.")]
    Trashed,
    /// Only documents in the trash can be deleted permanently.
    #[error("Move the document to the trash first.")]
    NotTrashed,
    /// The `Idempotency-Key` was already used with a different body.
    #[error("This Idempotency-Key was used for another request.")]
    IdempotencyMismatch,
    /// A live update rejected by the validation or by the log.
    #[error("The update was refused: {0}.")]
    BadUpdate(String),
    /// A live update made in a lineage that was replaced after damage.
    #[error("This document was restored from its stored text. Reload it.")]
    OtherLineage,
    /// A text or update exceeds its size limit.
    #[error("{0}")]
    TooLarge(String),
    /// The path does not accept this media type.
    #[error("{0}")]
    UnsupportedMediaType(String),
    /// The body does not match its media type.
    #[error("The body cannot be read: {0}.")]
    MalformedBody(String),
    /// Too many requests.
    #[error("Too many requests. Try again in {} s.", .0.as_secs().max(1))]
    RateLimited(Duration),
    /// The stored bytes of a version do not match its hash. They are never returned.
    #[error("Version {number} is damaged. Run “izanagi fsck” on the server.")]
    CorruptVersion {
        /// The version number.
        number: u64,
        /// What is wrong, for the log.
        internal: Internal,
    },
    /// The stored editing state of a document is damaged or incomplete. It can be read if its text is
    /// intact, but not edited.
    #[error(
        "This document is damaged and cannot be edited. Run “izanagi fsck --repair” on the server."
    )]
    CorruptDocument(Internal),
    /// A budget is exhausted. Retrying after this delay is safe.
    #[error("The server is busy. Try again in {} s.", .0.as_secs().max(1))]
    Overloaded(Duration),
    /// A store is unavailable or did not answer. Retrying is safe.
    #[error("The storage is temporarily unavailable. Try again.")]
    Unavailable(Internal),
    /// An unexpected error.
    #[error("Something went wrong on our side.")]
    Internal(Internal),
}

/// Messages about unavailable stores, in the whole process.
static UNAVAILABLE: LazyLock<LogRate> = LazyLock::new(LogRate::default);
static OVERLOADED: LazyLock<LogRate> = LazyLock::new(LogRate::default);

/// An error cause for the log only. It has no `Display`.
#[derive(Clone)]
pub struct Internal(String);

impl Internal {
    /// Wraps a cause for the log.
    pub fn new(cause: impl fmt::Display) -> Self {
        Self(cause.to_string())
    }

    /// Returns the cause, for the log.
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
    /// Creates an `Invalid` error for one field.
    #[must_use]
    pub fn field(error: FieldError) -> Self {
        Self::Invalid(vec![error])
    }

    /// Creates an `Internal` error.
    pub fn internal(cause: impl fmt::Display) -> Self {
        Self::Internal(Internal::new(cause))
    }

    /// Maps a store's `NotFound` to `NotFound(what)`.
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

/// Status, code and title, which are the same for every occurrence of a variant.
struct Kind {
    status: u16,
    code: &'static str,
    title: &'static str,
}

const fn kind(status: u16, code: &'static str, title: &'static str) -> Kind {
    Kind { status, code, title }
}

impl Error {
    /// Single place that defines status, code and title (DESIGN §8). The match is exhaustive, so a
    /// new variant does not compile until it is added here.
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
            Self::Stale(_) => kind(412, "stale", "Document changed"),
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
            Self::OtherLineage => kind(409, "lineage_changed", "Document restored"),
            Self::TooLarge(_) => kind(413, "too_large", "Too large"),
            Self::UnsupportedMediaType(_) => {
                kind(415, "unsupported_media_type", "Unsupported media type")
            }
            Self::MalformedBody(_) => kind(400, "malformed_body", "Unreadable body"),
            Self::RateLimited(_) => kind(429, "rate_limited", "Too many requests"),
            Self::CorruptVersion { .. } => kind(500, "corrupt_version", "Damaged version"),
            Self::CorruptDocument(_) => kind(500, "corrupt_document", "Damaged document"),
            Self::Overloaded(_) => kind(503, "overloaded", "Server busy"),
            Self::Unavailable(_) => kind(503, "unavailable", "Storage unavailable"),
            Self::Internal(_) => kind(500, "internal", "Internal error"),
        }
    }

    /// Returns the problem sent to the client. It contains nothing of [`Internal`]; the HTTP layer
    /// adds the request id.
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
            args: self.args(),
            errors,
            current,
        }
    }

    /// Returns the values in the detail that a client needs to word the problem itself.
    fn args(&self) -> Vec<String> {
        match self {
            Self::RateLimited(wait) | Self::Overloaded(wait) => {
                vec![wait.as_secs().max(1).to_string()]
            }
            Self::CorruptVersion { number, .. } => vec![number.to_string()],
            Self::ScopeMissing(scope) => vec![scope_name(scope).to_owned()],
            _ => Vec::new(),
        }
    }

    fn about(&self, field: &str, code: &str) -> FieldError {
        FieldError::new(field, code, self.to_string())
    }

    /// A single field error is more specific than the general message.
    fn detail(&self, errors: &[FieldError]) -> String {
        match errors {
            [only] => only.message.clone(),
            _ => self.to_string(),
        }
    }

    /// Returns the cause for the log, for errors that are not caused by the client.
    #[must_use]
    pub const fn internal_cause(&self) -> Option<&Internal> {
        match self {
            Self::CorruptVersion { internal, .. }
            | Self::CorruptDocument(internal)
            | Self::Unavailable(internal)
            | Self::Internal(internal) => Some(internal),
            _ => None,
        }
    }

    /// Logs a failure that the client did not cause, and, so that it is noticed, that a budget is
    /// exhausted.
    pub fn log(&self) {
        if matches!(self, Self::Overloaded(_))
            && let Some(omitted) = OVERLOADED.admit()
        {
            tracing::warn!(omitted, "a request was refused because a budget is exhausted");
        }
        let Some(cause) = self.internal_cause() else { return };
        let (code, cause) = (self.kind().code, cause.for_log());
        if !matches!(self, Self::Unavailable(_)) {
            tracing::error!(code, cause, "request failed");
        } else if let Some(omitted) = UNAVAILABLE.admit() {
            tracing::warn!(code, cause, omitted, "request failed");
        }
    }

    /// Returns the delay after which a retry makes sense.
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

/// For calls where the store's error has no more specific meaning.
impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(Constraint::Account) => Self::Unauthenticated,
            StoreError::Conflict(Constraint::Username) => Self::UsernameTaken,
            StoreError::Conflict(Constraint::Email) => Self::EmailTaken,
            StoreError::Conflict(Constraint::LastOwner) => Self::LastOwner,
            StoreError::Conflict(Constraint::Trashed) => Self::Trashed,
            StoreError::Unavailable(_) | StoreError::Unknown(_) => {
                Self::Unavailable(Internal::new(error))
            }
            StoreError::NotFound
            | StoreError::Conflict(_)
            | StoreError::Corrupt(_)
            | StoreError::StartOver(_) => Self::internal(error),
        }
    }
}
