//! Problem documents (RFC 9457): the one shape of every refusal, on the wire and in the page.

use serde::{Deserialize, Serialize};

/// What is wrong with one field of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// The field as the request names it, in camelCase (`displayName`).
    pub field: String,
    /// A stable word for programs: `blank`, `too_long`, `taken` …
    pub code: String,
    /// A sentence for people: what is wrong and what is allowed.
    pub message: String,
}

impl FieldError {
    /// A field error from its three parts.
    pub fn new(field: &str, code: &str, message: impl Into<String>) -> Self {
        Self { field: field.to_owned(), code: code.to_owned(), message: message.into() }
    }
}

/// The live text that made a precondition fail (API.md, 412 `stale`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CurrentContent {
    /// The etag to send with the next attempt.
    pub etag: String,
    /// The text as it is now.
    pub content: String,
}

/// A problem document, `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// `about:blank`, or a URI reference that names the kind of problem.
    #[serde(rename = "type")]
    pub kind: String,
    /// The same short sentence for every occurrence of this kind.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened here and what is allowed.
    pub detail: String,
    /// A stable word for programs (API.md).
    pub code: String,
    /// The request this answers, for finding it in the log.
    #[serde(default)]
    pub request_id: String,
    /// The fields that were refused, where the problem lies in fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// The live content, where a precondition on it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<CurrentContent>,
}

impl Problem {
    /// The message about `field`, if that field was refused.
    #[must_use]
    pub fn about(&self, field: &str) -> Option<&str> {
        self.errors.iter().find(|error| error.field == field).map(|error| error.message.as_str())
    }
}
