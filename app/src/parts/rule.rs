//! Rules of the server that a browser asks as well, so that a field says what is wrong before it is
//! sent.

use izanagi_shared::{
    problem::FieldError,
    rules::{CommitMessage, Email, Password, Secret, Title, Username, VersionName},
};

/// The most characters of a message.
const MESSAGE_LIMIT: usize = 500;

/// A rule, as `data-rule` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// For the title of a document.
    Title,
    /// For a username. Left empty, one is made from the email.
    Username,
    /// For an email.
    Email,
    /// For a new password.
    Password,
    /// For the name of a version. Left empty, it has none.
    VersionName,
    /// For why a version is made.
    Message,
}

impl Rule {
    const ALL: [Self; 6] = [
        Self::Title,
        Self::Username,
        Self::Email,
        Self::Password,
        Self::VersionName,
        Self::Message,
    ];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Username => "username",
            Self::Email => "email",
            Self::Password => "password",
            Self::VersionName => "version-name",
            Self::Message => "message",
        }
    }

    /// The rule of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.as_str() == name)
    }

    /// What is wrong with a text.
    #[must_use]
    pub fn check(self, text: &str) -> Option<FieldError> {
        match self {
            Self::Username | Self::VersionName if text.trim().is_empty() => None,
            Self::Title => Title::parse(text).err(),
            Self::Username => Username::parse(text).err(),
            Self::Email => Email::parse(text).err(),
            Self::Password => Password::parse(&Secret::new(text)).err(),
            Self::VersionName => VersionName::parse(text).err(),
            Self::Message => CommitMessage::parse(text).err(),
        }
    }
}

/// How much room a message has left. Empty, it says what holds without JavaScript as well.
#[must_use]
pub fn room_words(text: &str) -> String {
    match text.trim().chars().count() {
        0 => format!("at most {MESSAGE_LIMIT}"),
        count if count > MESSAGE_LIMIT => format!("{} too many", count - MESSAGE_LIMIT),
        count => format!("{} left", MESSAGE_LIMIT - count),
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
    fn room_is_counted_in_characters_as_the_rule_does(#[case] text: &str, #[case] words: &str) {
        assert_eq!(room_words(text), words);
        assert_eq!(Rule::Message.check(text).is_some(), words.ends_with("too many"));
    }

    #[test]
    fn each_rule_is_found_by_its_name() {
        for rule in Rule::ALL {
            assert_eq!(Rule::named(rule.as_str()), Some(rule));
        }
        assert_eq!(Rule::named(""), None);
    }
}
