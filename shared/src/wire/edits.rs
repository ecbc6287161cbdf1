//! Edit history (API.md “History, beyond versions”).

use super::Person;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// An accepted edit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct EditView {
    /// Sequence number.
    pub seq: u64,
    /// When it was accepted.
    pub at: Timestamp,
    /// Who made it; `null` when the account no longer exists.
    pub author: Option<Person>,
    /// Base64-encoded Yjs update (v1).
    pub delta_b64: String,
}

/// A page of edits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct EditsView {
    /// Edits by sequence number. A missing number was quarantined or is no longer kept.
    pub items: Vec<EditView>,
    /// `from` of the next page; `null` on the last one.
    pub next: Option<u64>,
}

/// A document's state after an edit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CheckpointView {
    /// Sequence number of the edit.
    pub seq: u64,
    /// Base64-encoded Yjs update (v1) that makes the state from an empty document.
    pub state_b64: String,
}

/// Edits that follow each other with less than five minutes between them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct EditSessionView {
    /// Sequence number of the first edit.
    pub from_seq: u64,
    /// Sequence number of the last edit.
    pub to_seq: u64,
    /// When the session began.
    pub from: Timestamp,
    /// When it ended.
    pub to: Timestamp,
    /// Who edited.
    pub authors: Vec<Person>,
    /// UTF-16 code units inserted.
    pub added: u64,
    /// UTF-16 code units deleted.
    pub removed: u64,
}
