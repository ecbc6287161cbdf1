//! Versions on the wire (API.md, Versions).

use super::Person;
use crate::{
    id::{CommitId, DocumentId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// How the content of a version lies in the store (PRODUCT V2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum StoredAs {
    /// Whole.
    Snapshot,
    /// As the way back from a newer version.
    Delta,
}

/// A version; `content` only where one version was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct VersionView {
    /// The document.
    pub document_id: DocumentId,
    /// 1, 2, 3 … without holes.
    pub number: u64,
    /// Why it was made.
    pub message: String,
    /// Its name, if it was given one.
    pub name: Option<String>,
    /// Who made it.
    pub author: Person,
    /// The version before it; `None` for the first.
    pub parent: Option<u64>,
    /// The commit that made it.
    pub commit_id: CommitId,
    /// Lower-case hex SHA-256 of the content in UTF-8.
    pub hash: String,
    /// Lower-case hex SHA-256 over the parent's chain hash, content, author, message and time.
    pub chain_hash: String,
    /// Bytes of the content in UTF-8.
    pub length: u64,
    /// Lines added since the version before.
    pub added: u64,
    /// Lines removed since the version before.
    pub removed: u64,
    /// How its content lies in the store.
    pub stored_as: StoredAs,
    /// When it was made.
    pub created_at: Timestamp,
    /// The text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The text parsed, for kind `json` where it parses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<serde_json::Value>,
}

/// `POST /documents/{id}/versions`. Without `content` the live text is committed.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CommitRequest {
    /// Why: up to 500 characters.
    #[serde(default)]
    pub message: Option<String>,
    /// A text to merge into the live one first; needs a base.
    #[serde(default)]
    pub content: Option<String>,
    /// The version `content` was made from.
    #[serde(default)]
    pub base_version: Option<u64>,
}

/// `POST /documents/{id}/versions/{n}/restore`.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RestoreRequest {
    /// Why; “Restored version n” when absent.
    #[serde(default)]
    pub message: Option<String>,
}

/// `PATCH /documents/{id}/versions/{n}`; `null` takes the name away.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NameVersionRequest {
    /// 1–100 characters.
    #[serde(deserialize_with = "Option::deserialize")]
    pub name: Option<String>,
}
