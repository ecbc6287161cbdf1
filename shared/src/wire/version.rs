//! Version bodies (API.md, Versions).

use super::Person;
use crate::{
    id::{CommitId, DocumentId},
    json::JsonText,
    problem::FieldError,
    rules::{CommitMessage, FieldErrors, VersionTitle},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How the content of a version is stored (PRODUCT V2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum StoredAs {
    /// Complete text.
    Snapshot,
    /// Delta that reconstructs the text from a newer version.
    Delta,
}

/// A version. `content` and `json` are present only in responses for a single version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct VersionView {
    /// Document id.
    pub document_id: DocumentId,
    /// Version number: 1, 2, 3 … without gaps.
    pub number: u64,
    /// Commit message.
    pub message: String,
    /// Title given at the commit, if any.
    pub title: Option<String>,
    /// Name of the version, if it has one.
    pub name: Option<String>,
    /// User who committed the version.
    pub author: Person,
    /// Number of the previous version; `None` for the first.
    pub parent: Option<u64>,
    /// Id of the commit that created this version.
    pub commit_id: CommitId,
    /// Lower-case hex SHA-256 of the content in UTF-8.
    pub hash: String,
    /// Lower-case hex SHA-256 over the parent's chain hash, content, author, message, time and title.
    pub chain_hash: String,
    /// Whether the chain hash does not match what it covers: message, author, time or title were
    /// changed in the database, or the version before is missing.
    pub is_damaged: bool,
    /// Size of the content in bytes of UTF-8.
    pub length: u64,
    /// Lines added since the previous version.
    pub added: u64,
    /// Lines removed since the previous version.
    pub removed: u64,
    /// How the content is stored.
    pub stored_as: StoredAs,
    /// Time of the commit.
    pub created_at: Timestamp,
    /// Content of the version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The content as JSON, for kind `json` if it is valid. Numbers have all digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<serde_json::Value>))]
    pub json: Option<JsonText>,
}

/// Body of `POST /documents/{id}/versions`. Without `content`, the live text is committed.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CommitRequest {
    /// Commit message, up to 500 characters.
    #[serde(default)]
    pub message: Option<String>,
    /// Title, up to 200 characters on one line.
    #[serde(default)]
    pub title: Option<String>,
    /// Text to merge into the live text before committing; requires `baseVersion`.
    #[serde(default)]
    pub content: Option<String>,
    /// Version that `content` is based on.
    #[serde(default)]
    pub base_version: Option<u64>,
}

/// What the author says about a version, once validated.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct VersionNote {
    /// Commit message.
    pub message: String,
    /// Title, if any. The chain hash does not cover it (PRODUCT V12 lists what it covers).
    pub title: Option<String>,
}

impl CommitRequest {
    /// Validates the note.
    ///
    /// # Errors
    /// Every invalid field.
    pub fn note(&self) -> Result<VersionNote, Vec<FieldError>> {
        let mut errors = FieldErrors::default();
        let message = self.message.as_deref().unwrap_or_default();
        let message = errors.take(CommitMessage::parse(message)).unwrap_or_default();
        let title = self.title.as_deref().unwrap_or_default();
        let title = errors.take(VersionTitle::parse(title)).unwrap_or_default();
        let title = Some(title.as_str().to_owned()).filter(|title| !title.is_empty());
        errors.none_or(VersionNote { message: message.as_str().to_owned(), title })
    }
}

impl VersionNote {
    /// Returns a note with only a message.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }
}

/// Body of `POST /documents/{id}/versions/{n}/restore`.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RestoreRequest {
    /// Commit message; “Restored version n” if absent.
    #[serde(default)]
    pub message: Option<String>,
}

/// Body of `PATCH /documents/{id}/versions/{n}`. `null` removes the name.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NameVersionRequest {
    /// 1–100 characters.
    #[serde(deserialize_with = "Option::deserialize")]
    pub name: Option<String>,
}

/// A message that the server writes for a version. It is stored in English and covered by the
/// version's chain hash; pages recognise it and show it in their language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerMessage {
    /// This version was restored, and the request had no message.
    Restored(u64),
    /// The text as it was before this version was restored.
    BeforeRestoring(u64),
    /// The text after this edit was restored, and the request had no message.
    RestoredEdit(u64),
    /// The text as it was before the text after this edit was restored.
    BeforeRestoringEdit(u64),
}

const RESTORED: &str = "Restored version ";
const BEFORE_RESTORING: &str = "Before restoring version ";
const RESTORED_EDIT: &str = "Restored the text after edit ";
const BEFORE_RESTORING_EDIT: &str = "Before restoring the text after edit ";

impl ServerMessage {
    /// Recognises a stored message; `None` for the message of a user.
    #[must_use]
    pub fn recognise(message: &str) -> Option<Self> {
        let number = |start: &str| message.strip_prefix(start)?.parse().ok();
        let found = number(RESTORED)
            .map(Self::Restored)
            .or_else(|| number(BEFORE_RESTORING).map(Self::BeforeRestoring))
            .or_else(|| number(RESTORED_EDIT).map(Self::RestoredEdit))
            .or_else(|| number(BEFORE_RESTORING_EDIT).map(Self::BeforeRestoringEdit));
        found.filter(|found| found.to_string() == message)
    }
}

impl fmt::Display for ServerMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Restored(number) => write!(f, "{RESTORED}{number}"),
            Self::BeforeRestoring(number) => write!(f, "{BEFORE_RESTORING}{number}"),
            Self::RestoredEdit(seq) => write!(f, "{RESTORED_EDIT}{seq}"),
            Self::BeforeRestoringEdit(seq) => write!(f, "{BEFORE_RESTORING_EDIT}{seq}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recognises_only_messages_of_the_server() {
        for message in [
            ServerMessage::Restored(7),
            ServerMessage::BeforeRestoring(u64::MAX),
            ServerMessage::RestoredEdit(0),
            ServerMessage::BeforeRestoringEdit(12),
        ] {
            assert_eq!(ServerMessage::recognise(&message.to_string()), Some(message));
        }
        for message in ["", "Restored version", "Restored version 07", "Restored version 7."] {
            assert_eq!(ServerMessage::recognise(message), None, "{message}");
        }
    }
}
