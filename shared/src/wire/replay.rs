//! A replay: a run of edits as one text (API.md “History, beyond versions”).

use super::Person;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A run of edits, from which the text after each of them can be read at once.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ReplayView {
    /// Sequence number of the oldest edit that is kept.
    pub first_seq: u64,
    /// Sequence number of the document's newest edit.
    pub live_seq: u64,
    /// Sequence number of the edit before the first one here.
    pub after_seq: u64,
    /// `from` of the replay that follows; `null` for the last one.
    pub next: Option<u64>,
    /// Whether the next replay begins with a text that does not follow from this one: the document
    /// was restored from its stored text.
    pub ends_lineage: bool,
    /// The edits, in order.
    pub edits: ReplayEdits,
    /// Edits that are damaged. Each range is one edit here, with its last number.
    pub missing: Vec<MissingEdits>,
    /// The authors.
    pub people: Vec<Person>,
    /// All text that is visible at any time of this replay, in the order of the document.
    pub text: String,
    /// The parts of this text, and when each is visible.
    pub parts: ReplayParts,
}

/// Edits as columns of equal length.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ReplayEdits {
    /// When the first edit was accepted.
    pub start: Timestamp,
    /// By how much each sequence number is larger than the one before; the first, than `afterSeq`.
    pub seqs: Vec<u64>,
    /// The author of each: a position in `people`, from 1; 0 for a missing edit.
    pub authors: Vec<u32>,
    /// Milliseconds since the edit before; the first, since `start`.
    pub times: Vec<u64>,
}

/// Parts of a text as columns of equal length. The text after the n-th edit consists of the parts
/// with `inserted` ≤ n < `deleted`, where n counts from 1, and 0 stands for the text before.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ReplayParts {
    /// UTF-16 code units.
    pub lengths: Vec<u32>,
    /// The number of the edit that inserted the part, minus that of the part before.
    pub inserted: Vec<i64>,
    /// The number of the edit that deleted the part, minus `inserted`; 0 if none did.
    pub deleted: Vec<u32>,
}

/// Edits that are damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct MissingEdits {
    /// Sequence number of the first.
    pub from_seq: u64,
    /// Sequence number of the last.
    pub to_seq: u64,
}

/// Body of `POST /documents/{id}/edits/restore`.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RestoreEditRequest {
    /// Sequence number of the edit whose text is restored; 0 is the text before the first one.
    pub seq: u64,
    /// Commit message; “Restored the text after edit n” if absent.
    #[serde(default)]
    pub message: Option<String>,
}
