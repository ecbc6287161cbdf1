//! Validation of document and version fields (PRODUCT D1, V1, V3).

use super::{at_most, is_blank, refuse_control};
use crate::problem::FieldError;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Maximum size of a document's text, in bytes of UTF-8 (PRODUCT D1).
pub const MAX_CONTENT_BYTES: usize = 10 * 1024 * 1024;

/// Format of a document's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum DocumentKind {
    /// CommonMark with the extensions of PRODUCT R1.
    #[default]
    Markdown,
    /// Plain text.
    Text,
    /// A single JSON value; it must parse when created, uploaded or replaced (PRODUCT V2b).
    Json,
}

impl DocumentKind {
    /// Returns the name used on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Markdown => "markdown",
            Self::Text => "text",
            Self::Json => "json",
        }
    }

    /// Returns the file extension of this kind, without the dot.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Markdown => "md",
            Self::Text => "txt",
            Self::Json => "json",
        }
    }

    /// Returns the media type of a file of this kind.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Markdown => "text/markdown; charset=utf-8",
            Self::Text => "text/plain; charset=utf-8",
            Self::Json => "application/json",
        }
    }

    /// Returns the kind for a file name by its extension; `None` if the extension is unknown.
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

/// Format of a download (PRODUCT D8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ExportFormat {
    /// The text itself, as Markdown.
    #[serde(rename = "md")]
    Markdown,
    /// A complete HTML page.
    #[serde(rename = "html")]
    Html,
    /// The document as API.md shows it.
    #[serde(rename = "json")]
    Json,
    /// Plain text without markup.
    #[serde(rename = "txt")]
    Text,
}

/// Text of at most [`MAX_CONTENT_BYTES`] bytes without U+0000.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Content(String);

impl Content {
    /// Checks the limits that apply to every kind. The text is not modified.
    ///
    /// # Errors
    /// `too_large` or `control_character`, on the field `content`.
    pub fn parse(text: String) -> Result<Self, FieldError> {
        if text.len() > MAX_CONTENT_BYTES {
            let message = format!(
                "The limit is 10 MiB ({MAX_CONTENT_BYTES} bytes); this text has {} bytes.",
                text.len()
            );
            return Err(FieldError::new("content", "too_large", message));
        }
        if let Some(at) = text.as_bytes().iter().position(|byte| *byte == 0) {
            let message = format!("The character U+0000 at byte {at} is not allowed.");
            return Err(FieldError::new("content", "control_character", message).with(&"U+0000"));
        }
        Ok(Self(text))
    }

    /// Validates a complete text of the given kind (PRODUCT V2b).
    ///
    /// # Errors
    /// Those of [`Content::parse`], and `invalid_json` with line and column for kind `json`.
    pub fn parse_as(kind: DocumentKind, text: String) -> Result<Self, FieldError> {
        let content = Self::parse(text)?;
        if kind == DocumentKind::Json {
            crate::json::check(&content.0).map_err(|error| {
                FieldError::new("content", "invalid_json", format!("This {error}."))
                    .with(&error.line)
                    .with(&error.column)
            })?;
        }
        Ok(content)
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the text as an owned string.
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
            /// Trims whitespace, then validates.
            ///
            /// # Errors
            /// `blank` if the field is required, `too_long` or `control_character`.
            pub fn parse(text: &str) -> Result<Self, FieldError> {
                let text = text.trim();
                if !$blank && is_blank(text) {
                    return Err(FieldError::new($field, "blank", $empty));
                }
                at_most($field, text, $max)?;
                refuse_control($field, text, $breaks)?;
                Ok(Self(text.to_owned()))
            }

            /// Returns the trimmed text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}

text_rule!(
    /// Document title: 1–255 characters on one line, not blank.
    Title, "title", 255, blank: false, line_breaks: false, "Enter a title."
);
text_rule!(
    /// Document description: up to 2,000 characters, may be empty.
    Description, "description", 2000, blank: true, line_breaks: true, ""
);
text_rule!(
    /// Commit message: up to 500 characters, may be empty.
    CommitMessage, "message", 500, blank: true, line_breaks: true, ""
);
text_rule!(
    /// Version title, set at the commit: up to 200 characters on one line, may be empty.
    VersionTitle, "title", 200, blank: true, line_breaks: false, ""
);
text_rule!(
    /// Version name: 1–100 characters on one line.
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
    fn trims_and_validates_a_title(#[case] text: &str, #[case] expected: Result<&str, &str>) {
        let got = Title::parse(text);
        assert_eq!(got.as_ref().map(Title::as_str).map_err(|e| e.code.as_str()), expected);
    }

    #[test]
    fn title_is_limited_to_255_characters() {
        assert!(Title::parse(&"ü".repeat(255)).is_ok());
        assert_eq!(Title::parse(&"ü".repeat(256)).unwrap_err().code, "too_long");
    }

    #[test]
    fn message_may_be_empty_or_multiline() {
        assert!(CommitMessage::parse("").is_ok());
        assert!(CommitMessage::parse("first\n\nsecond").is_ok());
        assert_eq!(CommitMessage::parse(&"x".repeat(501)).unwrap_err().code, "too_long");
    }

    #[test]
    fn version_title_is_one_line_and_may_be_empty() {
        assert_eq!(VersionTitle::parse("  ").unwrap().as_str(), "");
        assert!(VersionTitle::parse(&"ü".repeat(200)).is_ok());
        assert_eq!(VersionTitle::parse(&"ü".repeat(201)).unwrap_err().code, "too_long");
        assert_eq!(VersionTitle::parse("two\nlines").unwrap_err().code, "control_character");
    }

    #[test]
    fn content_is_limited_to_ten_mebibytes() {
        assert!(Content::parse("x".repeat(MAX_CONTENT_BYTES)).is_ok());
        let error = Content::parse("x".repeat(MAX_CONTENT_BYTES + 1)).unwrap_err();
        assert_eq!((error.field.as_str(), error.code.as_str()), ("content", "too_large"));
    }

    #[test]
    fn reports_the_byte_offset_of_a_null() {
        let error = Content::parse("ab\0".to_owned()).unwrap_err();
        assert!(error.message.contains("byte 2"), "{}", error.message);
    }

    #[test]
    fn only_json_content_must_parse() {
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
    fn infers_the_kind_from_a_file_name(#[case] name: &str, #[case] kind: Option<DocumentKind>) {
        assert_eq!(DocumentKind::of_file_name(name), kind);
    }
}
