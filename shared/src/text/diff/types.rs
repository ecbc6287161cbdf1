//! A comparison as it travels: exactly the JSON of API.md.

use serde::{Deserialize, Serialize};

use super::HunkId;

/// What differs between two texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Diff {
    /// Number of lines that only the new text has.
    pub added: usize,
    /// Number of lines that only the old text has.
    pub removed: usize,
    /// Some part was compared less finely than usual, because the texts differ too much for the
    /// work that a comparison may take. What it says is right all the same.
    pub coarse: bool,
    /// The changes with their context, in order; neither touching nor overlapping.
    pub hunks: Vec<Hunk>,
}

/// Changes that are close together, with the unchanged lines around them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Hunk {
    /// Names it among all hunks of these two texts.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub id: HunkId,
    /// Its first line in the old text, counted from 1; the line before it if `old_lines` is 0.
    pub old_start: usize,
    /// Number of lines of the old text it covers.
    pub old_lines: usize,
    /// Its first line in the new text, counted from 1; the line before it if `new_lines` is 0.
    pub new_start: usize,
    /// Number of lines of the new text it covers.
    pub new_lines: usize,
    /// Some of its lines are coarse.
    #[serde(default, skip_serializing_if = "is_false")]
    pub coarse: bool,
    /// Its lines: of each change, first those of the old text, then those of the new one.
    pub lines: Vec<DiffLine>,
}

/// A line of a hunk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DiffLine {
    /// On which side it is.
    pub kind: LineKind,
    /// Its number in the old text, counted from 1; none for an inserted line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<usize>,
    /// Its number in the new text, counted from 1; none for a deleted line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<usize>,
    /// Its text without the `\n`, in stretches; none if it is empty.
    pub spans: Vec<Span>,
    /// It is the last line of its text and does not end with `\n`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub no_newline: bool,
    /// It may have more in common with the other text than is shown.
    #[serde(default, skip_serializing_if = "is_false")]
    pub coarse: bool,
}

/// On which side of a comparison a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum LineKind {
    /// In both texts.
    Equal,
    /// In the new text only.
    Insert,
    /// In the old text only.
    Delete,
}

/// A stretch of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Span {
    /// Its text, never empty.
    pub text: String,
    /// Whether the other text lacks it. A line without counterpart is one changed span.
    pub changed: bool,
}

impl DiffLine {
    /// The text of the line without its `\n`.
    pub fn text(&self) -> String {
        self.spans.iter().map(|span| span.text.as_str()).collect()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}
