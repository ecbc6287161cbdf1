//! Problem details (RFC 9457), the format of every error response.

use serde::{Deserialize, Serialize};

/// Validation error of a single request field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// Field name as in the request, in camelCase (`displayName`).
    pub field: String,
    /// Stable machine-readable code: `blank`, `too_long`, `taken` …
    pub code: String,
    /// Human-readable message: what is wrong and what is allowed.
    pub message: String,
    /// Values in the message, such as a limit, in the order in which it mentions them: for clients
    /// that word errors by their code.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
}

impl FieldError {
    /// Creates a field error.
    pub fn new(field: &str, code: &str, message: impl Into<String>) -> Self {
        let (field, code) = (field.to_owned(), code.to_owned());
        Self { field, code, message: message.into(), args: Vec::new() }
    }

    /// Appends a value that the message mentions.
    #[must_use]
    pub fn with(mut self, value: &dyn ToString) -> Self {
        self.args.push(value.to_string());
        self
    }
}

/// Live text returned when a precondition fails (API.md, 412 `stale`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CurrentContent {
    /// ETag to send with the next attempt.
    pub etag: String,
    /// Current text.
    pub content: String,
}

/// Problem details, `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// `about:blank`, or a URI reference that identifies the problem type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Short summary, the same for every occurrence of this problem type.
    pub title: String,
    /// HTTP status code.
    pub status: u16,
    /// Explanation of this occurrence and what is allowed.
    pub detail: String,
    /// Stable machine-readable code (API.md).
    pub code: String,
    /// Request id, for finding the request in the log.
    #[serde(default)]
    pub request_id: String,
    /// Values in the detail, such as a limit, in the order in which it mentions them: for clients
    /// that word problems by their code.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// Field errors, if the request was rejected because of its fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// Current live content, if a precondition on it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<CurrentContent>,
}

impl Problem {
    /// Returns the error of `field`, if that field was rejected.
    #[must_use]
    pub fn about(&self, field: &str) -> Option<&FieldError> {
        self.errors.iter().find(|error| error.field == field)
    }
}
