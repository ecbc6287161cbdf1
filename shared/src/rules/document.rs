//! What a document and its versions are made of (PRODUCT D1, V1, V3).

use super::{at_most, is_blank, refuse_control};
use crate::problem::FieldError;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The largest text of a document, in bytes of UTF-8 (PRODUCT D1).
pub const MAX_CONTENT_BYTES: usize = 10 * 1024 * 1024;

/// What a document's text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum DocumentKind {
    /// CommonMark with the extensions of PRODUCT R1.
    #[default]
    Markdown,
    /// Plain text.
    Text,
    /// One JSON value; must parse when created, uploaded or replaced (PRODUCT V2b).
    Json,
}

impl DocumentKind {
    /// The name on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Markdown => "markdown",
            Self::Text => "text",
            Self::Json => "json",
        }
    }

    /// The extension of a file of this kind, without the dot.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Markdown => "md",
            Self::Text => "txt",
            Self::Json => "json",
        }
    }

    /// The kind of a file with this name, by its extension; `None` for any other.
    #[must_use]
    pub fn of_file_name(name: &str) -> Option<Self> {
        let (_, extension) = name.rsplit_once('.')?;
        match extension.to_ascii_lowercase().as_str() {
            "md" | "markdown" => Some(Self::Markdown),
            "txt" | "text" => Some(Self::Text),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

impl fmt::Display for DocumentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for DocumentKind {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        match text {
            "markdown" => Ok(Self::Markdown),
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(FieldError::new("kind", "invalid", "Use markdown, text or json.")),
        }
    }
}

/// A text of at most [`MAX_CONTENT_BYTES`] without U+0000.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Content(String);

impl Content {
    /// Checks the limits that hold for every kind. The text is kept byte for byte.
    ///
    /// # Errors
    /// `too_large` or `control_character`, on the field `content`.
    pub fn parse(text: String) -> Result<Self, FieldError> {
        if text.len() > MAX_CONTENT_BYTES {
            let message = format!(
                "A document can hold 10 MiB ({MAX_CONTENT_BYTES} bytes); this has {} bytes.",
                text.len()
            );
            return Err(FieldError::new("content", "too_large", message));
        }
        if let Some(at) = text.as_bytes().iter().position(|byte| *byte == 0) {
            let message = format!("The character U+0000 at byte {at} is not allowed.");
            return Err(FieldError::new("content", "control_character", message));
        }
        Ok(Self(text))
    }

    /// Checks what this kind demands of a text that comes in whole (PRODUCT V2b).
    ///
    /// # Errors
    /// As [`Content::parse`]; and `invalid_json`, with line and column, for kind `json`.
    pub fn parse_as(kind: DocumentKind, text: String) -> Result<Self, FieldError> {
        let content = Self::parse(text)?;
        if kind == DocumentKind::Json {
            crate::json::check(&content.0).map_err(|error| {
                FieldError::new("content", "invalid_json", format!("This {error}."))
            })?;
        }
        Ok(content)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, owned.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

macro_rules! text_rule {
    ($(#[$doc:meta])* $name:ident, $field:literal, $max:literal, blank: $blank:literal, line_breaks: $breaks:literal, $empty:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
        pub struct $name(String);

        impl $name {
            /// Trims surrounding space, then checks.
            ///
            /// # Errors
            /// `blank` (where it must not be), `too_long` or `control_character`.
            pub fn parse(text: &str) -> Result<Self, FieldError> {
                let text = text.trim();
                if !$blank && is_blank(text) {
                    return Err(FieldError::new($field, "blank", $empty));
                }
                at_most($field, text, $max)?;
                refuse_control($field, text, $breaks)?;
                Ok(Self(text.to_owned()))
            }

            /// The trimmed text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}

text_rule!(
    /// 1–255 characters on one line, not blank.
    Title, "title", 255, blank: false, line_breaks: false, "Enter a title."
);
text_rule!(
    /// What a document is about: up to 2,000 characters, may be empty.
    Description, "description", 2000, blank: true, line_breaks: true, ""
);
text_rule!(
    /// Why a version was made: up to 500 characters, may be empty.
    CommitMessage, "message", 500, blank: true, line_breaks: true, ""
);
text_rule!(
    /// The name of a version: 1–100 characters on one line.
    VersionName, "name", 100, blank: false, line_breaks: false, "Enter a name for this version."
);

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("  Plan ", Ok("Plan"))]
    #[case(" \t ", Err("blank"))]
    #[case("\u{200B}", Err("blank"))]
    #[case("\u{FEFF} \u{2800}", Err("blank"))]
    #[case("👩\u{200D}🚀 \u{200F}ا", Ok("👩\u{200D}🚀 \u{200F}ا"))]
    #[case("exe.\u{202E}txt", Err("control_character"))]
    #[case("two\u{2028}lines", Err("control_character"))]
    #[case("a\0b", Err("control_character"))]
    #[case("two\nlines", Err("control_character"))]
    fn titles(#[case] text: &str, #[case] expected: Result<&str, &str>) {
        let got = Title::parse(text);
        assert_eq!(got.as_ref().map(Title::as_str).map_err(|e| e.code.as_str()), expected);
    }

    #[test]
    fn a_title_has_at_most_255_characters() {
        assert!(Title::parse(&"ü".repeat(255)).is_ok());
        assert_eq!(Title::parse(&"ü".repeat(256)).unwrap_err().code, "too_long");
    }

    #[test]
    fn a_message_may_be_empty_and_have_lines() {
        assert!(CommitMessage::parse("").is_ok());
        assert!(CommitMessage::parse("first\n\nsecond").is_ok());
        assert_eq!(CommitMessage::parse(&"x".repeat(501)).unwrap_err().code, "too_long");
    }

    #[test]
    fn content_has_at_most_ten_mebibytes() {
        assert!(Content::parse("x".repeat(MAX_CONTENT_BYTES)).is_ok());
        let error = Content::parse("x".repeat(MAX_CONTENT_BYTES + 1)).unwrap_err();
        assert_eq!((error.field.as_str(), error.code.as_str()), ("content", "too_large"));
    }

    #[test]
    fn content_names_the_byte_of_a_null() {
        let error = Content::parse("ab\0".to_owned()).unwrap_err();
        assert!(error.message.contains("byte 2"), "{}", error.message);
    }

    #[test]
    fn only_json_must_parse() {
        assert!(Content::parse_as(DocumentKind::Text, "{".to_owned()).is_ok());
        let error = Content::parse_as(DocumentKind::Json, "{\n 1}".to_owned()).unwrap_err();
        assert!(error.message.contains("line 2, column 2"), "{}", error.message);
    }

    #[rstest]
    #[case("a.md", Some(DocumentKind::Markdown))]
    #[case("A.MARKDOWN", Some(DocumentKind::Markdown))]
    #[case("a.tar.json", Some(DocumentKind::Json))]
    #[case("notes.txt", Some(DocumentKind::Text))]
    #[case("a.exe", None)]
    #[case("md", None)]
    fn kinds_by_file_name(#[case] name: &str, #[case] kind: Option<DocumentKind>) {
        assert_eq!(DocumentKind::of_file_name(name), kind);
    }
}
