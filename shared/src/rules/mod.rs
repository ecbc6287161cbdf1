//! The rules for what people type: names, passwords, titles, messages. A value of one of these
//! types is valid by construction. The page and the server run the same code (PRODUCT A1).

mod account;
mod document;
mod secret;

pub use account::{DisplayName, Email, Password, Username, username_from_email};
pub use document::{
    CommitMessage, Content, Description, DocumentKind, MAX_CONTENT_BYTES, Title, VersionName,
};
pub use secret::Secret;

use crate::problem::FieldError;

/// Gathers the field errors of several values, so that a form says everything at once.
#[derive(Debug, Default)]
pub struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    /// The value, or `None` after noting its error.
    pub fn take<T>(&mut self, result: Result<T, FieldError>) -> Option<T> {
        result.map_err(|error| self.0.push(error)).ok()
    }

    /// Notes an error that no single value's type could find.
    pub fn push(&mut self, error: FieldError) {
        self.0.push(error);
    }

    /// All errors noted so far.
    #[must_use]
    pub fn into_vec(self) -> Vec<FieldError> {
        self.0
    }
}

/// Refuses U+0000 and other control characters that no line of text needs: PostgreSQL cannot
/// store the first, and the rest only serve to disguise.
fn refuse_control(field: &str, text: &str, line_breaks: bool) -> Result<(), FieldError> {
    let bad =
        text.chars().find(|c| c.is_control() && !(line_breaks && matches!(c, '\n' | '\t' | '\r')));
    match bad {
        None => Ok(()),
        Some(c) => Err(FieldError::new(
            field,
            "control_character",
            format!("The character U+{:04X} is not allowed here.", u32::from(c)),
        )),
    }
}

fn at_most(field: &str, text: &str, max: usize) -> Result<(), FieldError> {
    let length = text.chars().count();
    if length <= max {
        return Ok(());
    }
    let message = format!("Use at most {max} characters; this has {length}.");
    Err(FieldError::new(field, "too_long", message))
}
