//! Document bodies (API.md, Documents).

use crate::{
    id::{ActorId, DocumentId, UserId},
    rules::DocumentKind,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// Public profile of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Person {
    /// Account id.
    pub id: UserId,
    /// Unique username.
    pub username: String,
    /// Name shown to other users.
    pub display_name: String,
}

impl Person {
    /// Returns what is shown for an actor without an account, such as a share link or a job.
    #[must_use]
    pub fn without_account(actor: ActorId) -> Self {
        let name = if actor == ActorId::SERVER { "Server" } else { "Guest" };
        Self { id: UserId(actor.0), username: String::new(), display_name: name.to_owned() }
    }
}

/// A document. `content` is present only in responses for a single document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DocumentView {
    /// Document id.
    pub id: DocumentId,
    /// Workspace of the document, if any.
    pub workspace_id: Option<uuid::Uuid>,
    /// Format of the text.
    pub kind: DocumentKind,
    /// Title.
    pub title: String,
    /// Description.
    pub description: String,
    /// Current live text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// `<hex SHA-256 of the live text>-<metadata revision>`, without quotes.
    pub etag: String,
    /// Size of the live text in bytes of UTF-8.
    pub content_length: u64,
    /// Number of words in the live text.
    pub word_count: u64,
    /// Number of the latest version; 0 if none has been committed.
    pub head_version: u64,
    /// Number of accepted live updates.
    pub live_seq: u64,
    /// Tag names.
    pub tags: Vec<String>,
    /// Owners of the document.
    pub owners: Vec<Person>,
    /// Whether the document is public.
    pub is_public: bool,
    /// Whether the document is a template.
    pub is_template: bool,
    /// User who created the document.
    pub created_by: ActorId,
    /// User who last changed the document.
    pub last_modified_by: ActorId,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Time of the last change to text or metadata.
    pub updated_at: Timestamp,
    /// Time of the move to trash; `None` if the document is not in trash.
    pub deleted_at: Option<Timestamp>,
}

/// Body of `POST /documents`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateDocumentRequest {
    /// 1–255 characters, not blank.
    pub title: String,
    /// Format of the text.
    #[serde(default)]
    pub kind: DocumentKind,
    /// Initial text; empty if absent.
    #[serde(default)]
    pub content: Option<String>,
    /// Description.
    #[serde(default)]
    pub description: Option<String>,
}

/// Body of `PUT /documents/{id}`.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReplaceDocumentRequest {
    /// Complete new text.
    pub content: String,
    /// New title.
    #[serde(default)]
    pub title: Option<String>,
}

/// Body of `PATCH /documents/{id}`. Omitted fields are left unchanged.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PatchDocumentRequest {
    /// New title.
    #[serde(default)]
    pub title: Option<String>,
    /// New description.
    #[serde(default)]
    pub description: Option<String>,
    /// `true` moves the document to trash, `false` restores it.
    #[serde(default)]
    pub deleted: Option<bool>,
    /// Whether the document is public.
    #[serde(default)]
    pub is_public: Option<bool>,
    /// Whether the document is a template.
    #[serde(default)]
    pub is_template: Option<bool>,
}

/// Response to an upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UploadAnswer {
    /// Created documents, in the order of the uploaded files.
    pub items: Vec<DocumentView>,
}

/// Body of `POST /documents/{id}/ops`: a single Yjs update sent over HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OpRequest {
    /// Client-chosen id of 1–64 characters. An update with the same id is applied only once.
    pub op_id: String,
    /// Base64-encoded Yjs update (v1).
    pub delta_b64: String,
}

/// Acknowledges a durable update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OpAnswer {
    /// Sequence number of the update in the document's log.
    pub seq: u64,
}

/// Response to `GET /documents/{id}/updates`: the updates a replica is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct UpdatesView {
    /// Sequence number of the latest update included.
    pub seq: u64,
    /// Base64-encoded Yjs update (v1); empty if nothing is missing.
    pub delta_b64: String,
}
