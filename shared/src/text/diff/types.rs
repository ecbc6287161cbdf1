//! The result of a comparison, serialised as described in API.md.

use serde::{Deserialize, Serialize};

use super::HunkId;

/// The differences between two texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Diff {
    /// The number of lines that are only in the new text.
    pub added: usize,
    /// The number of lines that are only in the old text.
    pub removed: usize,
    /// Part of the comparison is less precise than usual, because the texts differ too much for the
    /// work limit. It is still correct.
    pub coarse: bool,
    /// The hunks end before the last change, because there are more lines than allowed. `added` and
    /// `removed` count all changes.
    #[serde(default, skip_serializing_if = "is_false")]
    pub truncated: bool,
    /// The changes with their context, in order. Hunks neither touch nor overlap.
    pub hunks: Vec<Hunk>,
}

/// Neighbouring changes with the unchanged lines around them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Hunk {
    /// Identifies the hunk among all hunks of the two texts.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub id: HunkId,
    /// The 1-based first line in the old text; the line before the hunk if `old_lines` is 0.
    pub old_start: usize,
    /// The number of lines of the old text.
    pub old_lines: usize,
    /// The 1-based first line in the new text; the line before the hunk if `new_lines` is 0.
    pub new_start: usize,
    /// The number of lines of the new text.
    pub new_lines: usize,
    /// Whether any of its lines is coarse.
    #[serde(default, skip_serializing_if = "is_false")]
    pub coarse: bool,
    /// The lines in order. Each change has its old lines before its new lines.
    pub lines: Vec<DiffLine>,
}

/// A line of a hunk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DiffLine {
    /// The side of the line.
    pub kind: LineKind,
    /// The 1-based line number in the old text; `None` for an inserted line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<usize>,
    /// The 1-based line number in the new text; `None` for a deleted line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<usize>,
    /// The text without `\n`, as spans; none for an empty line.
    pub spans: Vec<Span>,
    /// Whether it is the last line of its text and does not end with `\n`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub no_newline: bool,
    /// Whether it may have more in common with the other text than is shown.
    #[serde(default, skip_serializing_if = "is_false")]
    pub coarse: bool,
}

/// The side of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum LineKind {
    /// In both texts.
    Equal,
    /// Only in the new text.
    Insert,
    /// Only in the old text.
    Delete,
}

/// A part of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Span {
    /// The text, never empty.
    pub text: String,
    /// Whether the other text lacks it. An unpaired line is one changed span.
    pub changed: bool,
}

impl DiffLine {
    /// The text of the line without `\n`.
    pub fn text(&self) -> String {
        self.spans.iter().map(|span| span.text.as_str()).collect()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}
