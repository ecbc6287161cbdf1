//! Document bodies (API.md, Documents).

use crate::{
    id::{ActorId, DocumentId, UserId},
    problem::FieldError,
    rules::{Description, DocumentKind, ExportFormat, FieldErrors, Title},
    time::Timestamp,
};
use serde::{Deserialize, Deserializer, Serialize};
use std::str::FromStr;

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

/// Format with which a download of a document is preselected (PRODUCT A8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum RenderFormat {
    /// A complete HTML page.
    Html,
    /// The text itself.
    Markdown,
}

impl RenderFormat {
    /// Returns the name used on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Markdown => "markdown",
        }
    }

    /// Returns the format of the download.
    #[must_use]
    pub const fn export(self) -> ExportFormat {
        match self {
            Self::Html => ExportFormat::Html,
            Self::Markdown => ExportFormat::Markdown,
        }
    }
}

impl FromStr for RenderFormat {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        match text {
            "html" => Ok(Self::Html),
            "markdown" => Ok(Self::Markdown),
            _ => Err(FieldError::new("renderFormat", "invalid", "Use html or markdown.")),
        }
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
    /// Whether what is stored of the document besides its text is damaged. Title, counts and other
    /// details may then be wrong, and cannot be changed until it is repaired.
    #[serde(default)]
    pub is_damaged: bool,
    /// Tag names.
    pub tags: Vec<String>,
    /// Owners of the document.
    pub owners: Vec<Person>,
    /// Whether the document is public.
    pub is_public: bool,
    /// Whether the document is a template.
    pub is_template: bool,
    /// Preselected format of a download; `null` for the user's default.
    pub render_format: Option<RenderFormat>,
    /// Actor that created the document: a user, a share link or the server.
    pub created_by: ActorId,
    /// Actor that last changed the document.
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
    /// Preselected format of a download; the user's default if absent.
    #[serde(default)]
    pub render_format: Option<RenderFormat>,
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
    /// Preselected format of a download; `null` for the user's default.
    #[serde(default, deserialize_with = "null_or", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<RenderFormat>))]
    pub render_format: Option<Option<RenderFormat>>,
}

/// Reads `null` as `Some(None)`, to tell it from an omitted field.
fn null_or<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    value: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(value).map(Some)
}

/// Details of a document: what its owners may set besides the text, once validated.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Details {
    /// Title.
    pub title: String,
    /// Description.
    pub description: String,
    /// Whether everyone may read it.
    pub is_public: bool,
    /// Whether it is a template.
    pub is_template: bool,
    /// Preselected format of a download; `None` for the user's default.
    pub render_format: Option<RenderFormat>,
}

/// A validated change of a document's details; `None` leaves a field unchanged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DetailsChange {
    /// New title.
    pub title: Option<String>,
    /// New description.
    pub description: Option<String>,
    /// Whether everyone may read it.
    pub is_public: Option<bool>,
    /// Whether it is a template.
    pub is_template: Option<bool>,
    /// New preselected format of a download; `Some(None)` for the user's default.
    pub render_format: Option<Option<RenderFormat>>,
    /// `Some(true)` moves to the trash, `Some(false)` restores.
    pub trashed: Option<bool>,
}

impl CreateDocumentRequest {
    /// Validates the details.
    ///
    /// # Errors
    /// Every invalid field.
    pub fn details(&self) -> Result<Details, Vec<FieldError>> {
        let mut errors = FieldErrors::default();
        let title = errors.take(Title::parse(&self.title)).unwrap_or_default();
        let description = self.description.as_deref().unwrap_or_default();
        let description = errors.take(Description::parse(description)).unwrap_or_default();
        errors.none_or(Details {
            title: title.as_str().to_owned(),
            description: description.as_str().to_owned(),
            render_format: self.render_format,
            ..Details::default()
        })
    }
}

impl PatchDocumentRequest {
    /// Validates the change.
    ///
    /// # Errors
    /// Every invalid field.
    pub fn change(&self) -> Result<DetailsChange, Vec<FieldError>> {
        let mut errors = FieldErrors::default();
        let title = self.title.as_deref().and_then(|text| errors.take(Title::parse(text)));
        let description = self.description.as_deref();
        let description = description.and_then(|text| errors.take(Description::parse(text)));
        errors.none_or(DetailsChange {
            title: title.map(|title| title.as_str().to_owned()),
            description: description.map(|text| text.as_str().to_owned()),
            is_public: self.is_public,
            is_template: self.is_template,
            render_format: self.render_format,
            trashed: self.deleted,
        })
    }
}

impl DetailsChange {
    /// Returns the details after this change.
    #[must_use]
    pub fn apply(&self, old: &Details) -> Details {
        let Self { title, description, is_public, is_template, render_format, trashed: _ } =
            self.clone();
        Details {
            title: title.unwrap_or_else(|| old.title.clone()),
            description: description.unwrap_or_else(|| old.description.clone()),
            is_public: is_public.unwrap_or(old.is_public),
            is_template: is_template.unwrap_or(old.is_template),
            render_format: render_format.unwrap_or(old.render_format),
        }
    }
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
    /// The lineage in which it was made. If the document has another one, the response is 409
    /// `lineage_changed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<String>,
}

/// Body of `POST /documents/{id}/lost-words`: what a page shows of a document that was restored from an
/// earlier state since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LostWordsRequest {
    /// The page's text.
    pub text: String,
    /// The last text of which the page knows that it was saved; the page's text if absent. What was
    /// deleted from it since stays deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved: Option<String>,
}

/// Answers an update that is in the document's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OpAnswer {
    /// Sequence number of the update in the document's log.
    pub seq: u64,
    /// Whether it waits for another update and is not saved yet. Sent again later with the same id,
    /// it is acknowledged, or refused as `bad_update` if the other one did not arrive in 10 minutes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub pending: bool,
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
    /// Identifies the document's editing state. It changes when the state is restored from the text
    /// after damage; updates of another lineage must not be merged.
    pub lineage: String,
}
