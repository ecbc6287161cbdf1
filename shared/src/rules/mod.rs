//! Validation of user input: names, passwords, titles, messages. A value of one of these types is
//! valid by construction. The page and the server run the same code (PRODUCT A1).

mod account;
mod document;
mod secret;

pub use account::*;
pub use document::*;
pub use secret::Secret;

use crate::problem::FieldError;

/// Collects the field errors of several values, so that a response reports all of them at once.
#[derive(Debug, Default)]
pub struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    /// Returns the value, or records the error and returns `None`.
    pub fn take<T>(&mut self, result: Result<T, FieldError>) -> Option<T> {
        result.map_err(|error| self.0.push(error)).ok()
    }

    /// Records an error that involves more than a single value.
    pub fn push(&mut self, error: FieldError) {
        self.0.push(error);
    }

    /// Returns the value if no error was recorded.
    ///
    /// # Errors
    /// All recorded errors.
    pub fn none_or<T>(self, value: T) -> Result<T, Vec<FieldError>> {
        if self.0.is_empty() { Ok(value) } else { Err(self.0) }
    }

    /// Returns all recorded errors.
    #[must_use]
    pub fn into_vec(self) -> Vec<FieldError> {
        self.0
    }
}

/// Returns whether a text has no visible characters.
fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || is_invisible(c))
}

/// Returns whether a character is invisible: `Default_Ignorable_Code_Point` of Unicode 17
/// (`DerivedCoreProperties.txt`), or the blank braille pattern.
const fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
        | '\u{FFA0}' | '\u{FFF0}'..='\u{FFF8}' | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

/// Returns whether a character overrides the text direction (UAX #9, explicit formatting). In a
/// name it could make the rest of the line read as something else.
const fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Returns the name of a character, `U+XXXX`.
fn code_point(c: char) -> String {
    format!("U+{:04X}", u32::from(c))
}

/// Returns a character as a message shows it: itself, or its name if it would not be seen alone.
fn shown(c: char) -> String {
    let is_seen = c == ' ' || !(c.is_control() || c.is_whitespace() || is_invisible(c));
    if is_seen { c.to_string() } else { code_point(c) }
}

/// Rejects U+0000, which PostgreSQL cannot store, and the other control characters, which can
/// disguise a text.
fn refuse_control(field: &str, text: &str, line_breaks: bool) -> Result<(), FieldError> {
    let breaks = |c| matches!(c, '\n' | '\t' | '\r' | '\u{2028}' | '\u{2029}');
    let is_bad = |c: &char| {
        if breaks(*c) { !line_breaks } else { c.is_control() || turns_direction(*c) }
    };
    match text.chars().find(is_bad) {
        None => Ok(()),
        Some(c) => {
            let c = code_point(c);
            let message = format!("The character {c} is not allowed here.");
            Err(FieldError::new(field, "control_character", message).with(&c))
        }
    }
}

fn at_most(field: &str, text: &str, max: usize) -> Result<(), FieldError> {
    let length = text.chars().count();
    if length <= max {
        return Ok(());
    }
    let message = format!("Use at most {max} characters; this has {length}.");
    Err(FieldError::new(field, "too_long", message).with(&max).with(&length))
}
