use crate::{permission::Standing, time::Timestamp};
use serde::{Deserialize, Serialize};

/// What an open document tells besides its text (API.md, “Socket events beside text”). Sent when a
/// connection starts and after each change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "type", rename = "document")]
pub struct DocumentNotice {
    /// The title.
    pub title: String,
    /// Number of the newest version; 0 if there is none.
    pub head_version: u64,
    /// Whether the document is public.
    pub is_public: bool,
    /// Number of the version that the public sees; `None` for the live text.
    pub published_version: Option<u64>,
    /// When the document was moved to the trash.
    pub deleted_at: Option<Timestamp>,
    /// The recipient's relation to the document.
    pub standing: Standing,
    /// The lineage of the document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<String>,
    /// The change of which this notice tells; `None` when a connection starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Happening>,
}

/// A change that a page words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Happening {
    /// `committed`, `restored`, or `changed`.
    pub kind: String,
    /// Display name of the person who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Number of the version that it made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// Number of the version whose content `restored` brought back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored_version: Option<u64>,
    /// Seq of the edit after which the text was that which `restored` brought back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored_edit: Option<u64>,
}
