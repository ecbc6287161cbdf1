//! Reverse delta of a version: from its successor's text to its own.

use crate::storage::{StoreError, StoreResult, Value};
use izanagi_shared::{
    rules::DocumentKind,
    text::delta::{DeltaOp, TextDelta},
};
use serde_json::Value as Json;

/// Turns a version's text into that of the preceding version.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::versions) enum Patch {
    Text(TextDelta),
    /// RFC 6902, with the formatting of the result.
    Json {
        patch: json_patch::Patch,
        style: JsonStyle,
    },
}

/// Formatting of a JSON text, needed to reproduce its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::versions) enum JsonStyle {
    Compact,
    CompactLine,
    Pretty,
    PrettyLine,
}

impl JsonStyle {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Compact, "compact"),
        (Self::CompactLine, "compact+lf"),
        (Self::Pretty, "pretty"),
        (Self::PrettyLine, "pretty+lf"),
    ];

    fn print(self, value: &Json) -> Option<String> {
        let mut text = match self {
            Self::Compact | Self::CompactLine => serde_json::to_string(value).ok()?,
            Self::Pretty | Self::PrettyLine => serde_json::to_string_pretty(value).ok()?,
        };
        if matches!(self, Self::CompactLine | Self::PrettyLine) {
            text.push('\n');
        }
        Some(text)
    }

    fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(style, _)| *style == self).map_or("compact", |(_, name)| name)
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == name).map(|(style, _)| style)
    }
}

impl Patch {
    /// Creates the patch from `newer` to `older`: a JSON Patch if it reproduces the exact bytes, a
    /// text delta otherwise.
    pub(in crate::versions) fn between(kind: DocumentKind, newer: &str, older: &str) -> Self {
        let json = (kind == DocumentKind::Json).then(|| Self::json_between(newer, older)).flatten();
        json.unwrap_or_else(|| Self::Text(TextDelta::between(newer, older)))
    }

    fn json_between(newer: &str, older: &str) -> Option<Self> {
        let parse = |text: &str| {
            izanagi_shared::json::check(text).ok()?;
            serde_json::from_str::<Json>(text).ok()
        };
        let (newer_value, older_value) = (parse(newer)?, parse(older)?);
        let prints = |style: JsonStyle| style.print(&older_value).as_deref() == Some(older);
        let (style, _) = JsonStyle::ALL.into_iter().find(|(style, _)| prints(*style))?;
        let patch = json_patch::diff(&newer_value, &older_value);
        let candidate = Self::Json { patch, style };
        (candidate.apply(newer).ok()? == older).then_some(candidate)
    }

    /// Applies the patch.
    pub(in crate::versions) fn apply(&self, newer: &str) -> StoreResult<String> {
        let corrupt = |what: String| StoreError::Corrupt(what);
        match self {
            Self::Text(delta) => delta.apply(newer).map_err(|error| corrupt(error.to_string())),
            Self::Json { patch, style } => {
                let mut value: Json =
                    serde_json::from_str(newer).map_err(|error| corrupt(error.to_string()))?;
                json_patch::patch(&mut value, patch).map_err(|error| corrupt(error.to_string()))?;
                style.print(&value).ok_or_else(|| corrupt("cannot print JSON".to_owned()))
            }
        }
    }

    /// Returns the approximate size in a record, in bytes.
    pub(in crate::versions) fn stored_bytes(&self) -> usize {
        match self {
            // An integer takes up to five bytes for texts of this size.
            Self::Text(delta) => delta
                .ops()
                .map(|op| if let DeltaOp::Insert(text) = op { text.len() } else { 5 })
                .sum(),
            Self::Json { .. } => self.to_value().as_text().map_or(0, str::len),
        }
    }

    /// Returns the record field `format`.
    pub(super) const fn format(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Json { .. } => "json-patch",
        }
    }

    /// Returns the record field `print`.
    pub(super) fn print(&self) -> Option<&'static str> {
        match self {
            Self::Text(_) => None,
            Self::Json { style, .. } => Some(style.name()),
        }
    }

    /// Returns the record field `patch`. A text delta is a list: a positive integer keeps that many
    /// bytes, a negative one deletes them, and a string is inserted. A JSON Patch is JSON text,
    /// because it may contain numbers that a record cannot.
    pub(super) fn to_value(&self) -> Value {
        let signed = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        match self {
            Self::Text(delta) => {
                let op = |op| match op {
                    DeltaOp::Retain(count) => Value::Int(signed(count)),
                    DeltaOp::Delete(count) => Value::Int(-signed(count)),
                    DeltaOp::Insert(text) => Value::from(text),
                };
                Value::List(delta.ops().map(op).collect())
            }
            Self::Json { patch, .. } => Value::Text(patch.to_string()),
        }
    }

    /// Decodes the fields; `None` if they are invalid.
    pub(super) fn from_value(format: &str, patch: Value, print: Option<&str>) -> Option<Self> {
        match (format, patch) {
            ("text", Value::List(items)) => {
                let items = items.into_iter().map(|item| match item {
                    Value::Int(count) => Some(Json::from(count)),
                    Value::Text(text) => Some(Json::from(text)),
                    _ => None,
                });
                let items: Json = items.collect::<Option<Vec<_>>>()?.into();
                Some(Self::Text(serde_json::from_value(items).ok()?))
            }
            ("json-patch", Value::Text(patch)) => Some(Self::Json {
                patch: serde_json::from_str(&patch).ok()?,
                style: JsonStyle::parse(print?)?,
            }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::sorted_compact(r#"{"a":1,"b":[1,2]}"#, r#"{"a":2,"b":[1]}"#, true)]
    #[case::sorted_pretty("{\n  \"a\": 1\n}\n", "{\n  \"a\": 2\n}\n", true)]
    #[case::other_spacing(r#"{"a": 1}"#, r#"{"a":  2}"#, false)]
    #[case::broken(r#"{"a":"#, r#"{"a":1}"#, false)]
    #[case::numbers_that_do_not_print_back(r#"{"a":1}"#, r#"{"a":1.0e3}"#, false)]
    #[case::numbers_beyond_a_record(r#"{"a":1}"#, r#"{"a":[18446744073709551615,1.5]}"#, true)]
    fn json_patches_are_used_only_where_they_restore_the_bytes(
        #[case] newer: &str,
        #[case] older: &str,
        #[case] as_json: bool,
    ) {
        let patch = Patch::between(DocumentKind::Json, newer, older);
        assert_eq!(matches!(patch, Patch::Json { .. }), as_json);
        assert_eq!(patch.apply(newer).unwrap(), older);
        let read = Patch::from_value(patch.format(), patch.to_value(), patch.print());
        assert_eq!(read, Some(patch));
    }

    #[test]
    fn a_text_delta_is_a_list_of_integers_and_texts() {
        let patch = Patch::between(DocumentKind::Text, "one two", "one 2!");
        let expected = [Value::Int(4), Value::Int(-3), Value::from("2!")];
        assert_eq!(patch.to_value(), Value::List(expected.into()));
        assert_eq!(Patch::from_value("text", Value::List(vec![Value::Null]), None), None);
    }
}
