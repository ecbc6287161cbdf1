//! Validation of account fields (PRODUCT A1).

use super::{Secret, at_most, is_blank, refuse_control, shown};
use crate::problem::FieldError;
use std::fmt;

/// Username: 3–32 characters of `[a-z0-9_-]`, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Username(String);

impl Username {
    /// Trims whitespace, converts to lower case and validates.
    ///
    /// # Errors
    /// `blank`, `too_short`, `too_long` or `invalid`, on the field `username`.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        // Other letters are not allowed.
        let text = text.trim().to_ascii_lowercase();
        let refuse = |code, message: String| FieldError::new("username", code, message);
        if text.is_empty() {
            return Err(refuse("blank", "Enter a username.".to_owned()));
        }
        if let Some(c) = text.chars().find(|c| !is_username_char(*c)) {
            let c = shown(c);
            let message = format!("“{c}” cannot be part of a username. Use a–z, 0–9, _ and -.");
            return Err(refuse("invalid", message).with(&c));
        }
        match text.len() {
            0..=2 => {
                Err(refuse("too_short", "Use 3 to 32 characters: a–z, 0–9, _ and -.".to_owned()))
            }
            3..=32 => Ok(Self(text)),
            n => {
                let message = format!("Use 3 to 32 characters; this has {n}.");
                Err(refuse("too_long", message).with(&32).with(&n))
            }
        }
    }

    /// Returns the username in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const fn is_username_char(c: char) -> bool {
    matches!(c, 'a'..='z' | '0'..='9' | '_' | '-')
}

/// Derives a username from the local part of an email address. Characters that are not allowed
/// become `-`; the result is at most 26 characters, which leaves room for a suffix of six.
#[must_use]
pub fn username_from_email(email: &Email) -> String {
    let local = email.as_str().split('@').next().unwrap_or_default();
    let mut name: String =
        local.chars().map(|c| if is_username_char(c) { c } else { '-' }).take(26).collect();
    while name.len() < 3 {
        name.push('_');
    }
    name
}

/// Email address in lower case, limited as in RFC 5321 §4.1.2 and §4.5.3.1. Quoted local parts and
/// address literals are rejected because hardly any real account uses them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

impl Email {
    /// Trims whitespace, converts to lower case and validates.
    ///
    /// # Errors
    /// `blank`, `too_long` or `invalid`, on the field `email`.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let text = text.trim().to_lowercase();
        Self::check(&text)?;
        Ok(Self(text))
    }

    /// Only validates, whatever the case. Browsers use it, because converting needs large tables.
    ///
    /// # Errors
    /// As for [`Self::parse`].
    pub fn check(text: &str) -> Result<(), FieldError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(FieldError::new("email", "blank", "Enter an email address."));
        }
        at_most("email", text, 320)?;
        if is_address(text) {
            return Ok(());
        }
        let message = "Enter an email address such as name@example.org.";
        Err(FieldError::new("email", "invalid", message))
    }

    /// Returns the address in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let atom = |c: char| c.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~-".contains(c);
    let local_fits = local.len() <= 64
        && local.split('.').all(|part| !part.is_empty() && part.chars().all(atom));
    let label = |part: &str| {
        !part.is_empty()
            && part.len() <= 63
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    local_fits && domain.len() <= 255 && domain.contains('.') && domain.split('.').all(label)
}

/// Password of 10–256 characters. Common passwords are rejected by the server, which holds the
/// list.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Secret);

impl Password {
    /// Validates the length in Unicode scalar values. Nothing is trimmed or folded.
    ///
    /// # Errors
    /// `blank`, `too_short`, `too_long` or `control_character` (U+0000), on the field `password`.
    pub fn parse(secret: &Secret) -> Result<Self, FieldError> {
        if secret.expose().contains('\0') {
            let message = "The character U+0000 is not allowed.";
            return Err(FieldError::new("password", "control_character", message).with(&"U+0000"));
        }
        match secret.expose().chars().count() {
            0 => Err(FieldError::new("password", "blank", "Enter a password.")),
            n @ 1..10 => {
                let message = format!("Use at least 10 characters; this has {n}.");
                Err(FieldError::new("password", "too_short", message).with(&10).with(&n))
            }
            10..=256 => Ok(Self(secret.clone())),
            n => {
                let message = format!("Use at most 256 characters; this has {n}.");
                Err(FieldError::new("password", "too_long", message).with(&256).with(&n))
            }
        }
    }

    /// Returns the password in plain text, for hashing.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// Name shown to other users: 1–100 characters, not blank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisplayName(String);

impl DisplayName {
    /// Trims whitespace, then validates.
    ///
    /// # Errors
    /// `blank`, `too_long` or `control_character`, on the field `displayName`.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let text = text.trim();
        if is_blank(text) {
            return Err(FieldError::new(
                "displayName",
                "blank",
                "Enter a display name, or leave this field out.",
            ));
        }
        at_most("displayName", text, 100)?;
        refuse_control("displayName", text, false)?;
        Ok(Self(text.to_owned()))
    }

    /// Returns the trimmed name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("ada", Ok("ada"))]
    #[case("  Ada_L-1 ", Ok("ada_l-1"))]
    #[case("ab", Err("too_short"))]
    #[case("", Err("blank"))]
    #[case(" \t", Err("blank"))]
    #[case("aé!", Err("invalid"))]
    #[case("a b c", Err("invalid"))]
    #[case("a\0bc", Err("invalid"))]
    #[case("abcdefghijklmnopqrstuvwxyz0123456", Err("too_long"))]
    fn validates_and_folds_a_username(#[case] text: &str, #[case] expected: Result<&str, &str>) {
        let got = Username::parse(text);
        assert_eq!(got.as_ref().map(Username::as_str).map_err(|e| e.code.as_str()), expected);
    }

    #[rstest]
    #[case("Ada@Example.ORG", true)]
    #[case("a.b+c@d.example", true)]
    #[case("ada@localhost", false)]
    #[case("ada", false)]
    #[case("@example.org", false)]
    #[case("a..b@example.org", false)]
    #[case("a@-x.org", false)]
    #[case("a b@example.org", false)]
    #[case("a\0b@example.org", false)]
    fn validates_the_form_of_an_email(#[case] text: &str, #[case] valid: bool) {
        assert_eq!(Email::parse(text).is_ok(), valid);
    }

    #[rstest]
    #[case("a島b", "島")]
    #[case("aéb", "é")]
    #[case("a\"b", "\"")]
    #[case("a b", " ")]
    #[case("a\0b", "U+0000")]
    #[case("a\u{200B}b", "U+200B")]
    #[case("a\u{2028}b", "U+2028")]
    fn names_the_character_that_a_username_cannot_contain(#[case] text: &str, #[case] shown: &str) {
        assert_eq!(Username::parse(text).unwrap_err().args, [shown]);
    }

    #[test]
    fn email_is_trimmed_and_lowercased() {
        assert_eq!(Email::parse(" Ada@Example.ORG ").unwrap().as_str(), "ada@example.org");
    }

    #[test]
    fn an_empty_field_is_not_a_short_one() {
        for text in ["", " "] {
            assert_eq!(Email::parse(text).unwrap_err().message, "Enter an email address.");
        }
        let refused = Password::parse(&Secret::new("")).unwrap_err();
        assert_eq!(
            (refused.code.as_str(), refused.message.as_str()),
            ("blank", "Enter a password.")
        );
    }

    #[rstest]
    #[case(9, false)]
    #[case(10, true)]
    #[case(256, true)]
    #[case(257, false)]
    fn password_length_counts_characters(#[case] length: usize, #[case] valid: bool) {
        assert_eq!(Password::parse(&Secret::new("ä".repeat(length))).is_ok(), valid);
    }

    #[rstest]
    #[case("ada.lovelace@example.org", "ada-lovelace")]
    #[case("x@example.org", "x__")]
    fn derives_a_username_from_an_email(#[case] email: &str, #[case] expected: &str) {
        let name = username_from_email(&Email::parse(email).unwrap());
        assert_eq!(name, expected);
        assert!(Username::parse(&name).is_ok());
    }
}
