//! Server rules that the browser also checks, so that a field shows its error before the form is
//! submitted.

use crate::words;
use izanagi_shared::{
    problem::FieldError,
    rules::{CommitMessage, Email, Password, Secret, Title, Username, VersionName, VersionTitle},
};

/// Maximum length of a message in characters.
const MESSAGE_LIMIT: usize = 500;

/// A rule, identified by its name in `data-rule`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Title of a document.
    Title,
    /// Username.
    Username,
    /// Email.
    Email,
    /// New password.
    Password,
    /// Name of a version. If empty, the version has no name.
    VersionName,
    /// Message of a version.
    Message,
    /// Title of a version.
    VersionTitle,
}

impl Rule {
    const ALL: [Self; 7] = [
        Self::Title,
        Self::Username,
        Self::Email,
        Self::Password,
        Self::VersionName,
        Self::Message,
        Self::VersionTitle,
    ];

    /// Returns the rule's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Username => "username",
            Self::Email => "email",
            Self::Password => "password",
            Self::VersionName => "version-name",
            Self::Message => "message",
            Self::VersionTitle => "version-title",
        }
    }

    /// Returns the rule with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.as_str() == name)
    }

    /// Returns what is wrong with a text.
    #[must_use]
    pub fn check(self, text: &str) -> Option<FieldError> {
        match self {
            Self::VersionName if text.trim().is_empty() => None,
            Self::Title => Title::parse(text).err(),
            Self::Username => Username::parse(text).err(),
            Self::Email => Email::check(text).err(),
            Self::Password => Password::parse(&Secret::new(text)).err(),
            Self::VersionName => VersionName::parse(text).err(),
            Self::Message => CommitMessage::parse(text).err(),
            Self::VersionTitle => VersionTitle::parse(text).err(),
        }
    }
}

/// Formats the remaining length of a message. For an empty one this is the limit, which is also
/// correct without JavaScript.
#[must_use]
pub fn room_words(text: &str) -> String {
    match text.trim().chars().count() {
        0 => words::message_limit(&MESSAGE_LIMIT.to_string()),
        count if count > MESSAGE_LIMIT => words::message_over(&(count - MESSAGE_LIMIT).to_string()),
        count => words::message_left(&(MESSAGE_LIMIT - count).to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("", "at most 500")]
    #[case(" why ", "497 left")]
    #[case(&"🏝".repeat(500), "0 left")]
    #[case(&"🏝".repeat(502), "2 too many")]
    fn remaining_length_is_counted_in_characters(#[case] text: &str, #[case] left: &str) {
        assert_eq!(words::in_english(|| room_words(text)), left);
        assert_eq!(Rule::Message.check(text).is_some(), left.ends_with("too many"));
    }

    #[test]
    fn a_form_needs_a_username() {
        let error = Rule::Username.check(" ").unwrap();
        assert_eq!(words::in_english(|| words::field_error(&error)), "Enter a username.");
        assert_eq!(Rule::VersionName.check(" "), None);
    }

    #[test]
    fn each_rule_is_found_by_its_name() {
        for rule in Rule::ALL {
            assert_eq!(Rule::named(rule.as_str()), Some(rule));
        }
        assert_eq!(Rule::named(""), None);
    }
}
