//! Documents on the wire (API.md, Documents).

use crate::{
    id::{DocumentId, UserId},
    rules::DocumentKind,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// Somebody, as others see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Person {
    /// The account.
    pub id: UserId,
    /// The unique name.
    pub username: String,
    /// What others see.
    pub display_name: String,
}

/// A document; `content` only where one document was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DocumentView {
    /// The document.
    pub id: DocumentId,
    /// The workspace it lies in, if any.
    pub workspace_id: Option<uuid::Uuid>,
    /// What its text is.
    pub kind: DocumentKind,
    /// Its title.
    pub title: String,
    /// What it is about.
    pub description: String,
    /// The live text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// `<hex SHA-256 of the live content>-<metadata revision>`, without quotes.
    pub etag: String,
    /// Bytes of the live text in UTF-8.
    pub content_length: u64,
    /// Words of the live text.
    pub word_count: u64,
    /// The newest version; 0 when none was committed yet.
    pub head_version: u64,
    /// How many live updates were accepted.
    pub live_seq: u64,
    /// Names of its tags.
    pub tags: Vec<String>,
    /// Everybody who owns it.
    pub owners: Vec<Person>,
    /// Whether anybody may read it.
    pub is_public: bool,
    /// Whether it serves as a template.
    pub is_template: bool,
    /// Who created it.
    pub created_by: UserId,
    /// Who changed it last.
    pub last_modified_by: UserId,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its text or details last changed.
    pub updated_at: Timestamp,
    /// When it was moved to trash; `None` while it is not there.
    pub deleted_at: Option<Timestamp>,
}

/// `POST /documents`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateDocumentRequest {
    /// 1–255 characters, not blank.
    pub title: String,
    /// What the text is.
    #[serde(default)]
    pub kind: DocumentKind,
    /// The first text; empty when absent.
    #[serde(default)]
    pub content: Option<String>,
    /// What it is about.
    #[serde(default)]
    pub description: Option<String>,
}

/// `PUT /documents/{id}`.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReplaceDocumentRequest {
    /// The whole new text.
    pub content: String,
    /// A new title.
    #[serde(default)]
    pub title: Option<String>,
}

/// `PATCH /documents/{id}`. A field left out stays as it is.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PatchDocumentRequest {
    /// A new title.
    #[serde(default)]
    pub title: Option<String>,
    /// A new description.
    #[serde(default)]
    pub description: Option<String>,
    /// `true` moves it to trash, `false` brings it back.
    #[serde(default)]
    pub deleted: Option<bool>,
    /// Whether anybody may read it.
    #[serde(default)]
    pub is_public: Option<bool>,
    /// Whether it serves as a template.
    #[serde(default)]
    pub is_template: Option<bool>,
}

/// The answer to an upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UploadAnswer {
    /// The documents made, in the order of the files.
    pub items: Vec<DocumentView>,
}

/// `POST /documents/{id}/ops`: one Yjs update by HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OpRequest {
    /// 1–64 characters, chosen by the client; the same id is applied once.
    pub op_id: String,
    /// A Yjs update (v1) in base64.
    pub delta_b64: String,
}

/// The update is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OpAnswer {
    /// Its number in the document's log.
    pub seq: u64,
}

/// `GET /documents/{id}/updates`: what a replica lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct UpdatesView {
    /// The number of the newest update this holds.
    pub seq: u64,
    /// A Yjs update (v1) in base64; empty when nothing is missing.
    pub delta_b64: String,
}
