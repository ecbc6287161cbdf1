//! Configuration errors.

use serde::de::{self, Expected, Unexpected};
use std::fmt::Display;

/// A setting with an invalid value.
#[derive(Debug, thiserror::Error)]
#[error("setting {name}: “{given}” is not allowed; {allowed}")]
pub struct ConfigError {
    /// Name of the setting: an environment variable, or a path in the file.
    pub name: String,
    /// The invalid value, without secrets.
    pub given: String,
    /// Which values are allowed.
    pub allowed: String,
}

impl ConfigError {
    pub(crate) fn new(name: &str, given: impl Into<String>, allowed: impl Into<String>) -> Self {
        Self { name: name.to_owned(), given: given.into(), allowed: allowed.into() }
    }

    /// Sets the name unless a more specific one is already set.
    pub(super) fn named(mut self, name: &str) -> Self {
        if self.name.is_empty() {
            name.clone_into(&mut self.name);
        }
        self
    }
}

/// Values are read through serde, whose errors lack the setting's name; it is added later.
impl de::Error for ConfigError {
    fn custom<T: Display>(message: T) -> Self {
        Self::new("", "", message.to_string())
    }

    fn invalid_type(given: Unexpected<'_>, allowed: &dyn Expected) -> Self {
        let given = match given {
            Unexpected::Map => "a group".to_owned(),
            Unexpected::Seq => "a list".to_owned(),
            Unexpected::Unit => "null".to_owned(),
            other => other.to_string(),
        };
        Self::new("", given, allowed.to_string())
    }

    fn invalid_value(given: Unexpected<'_>, allowed: &dyn Expected) -> Self {
        match given {
            Unexpected::Str(given) => Self::new("", given, allowed.to_string()),
            other => Self::invalid_type(other, allowed),
        }
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::new("", field, format!("use {}", expected.join(", ")))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new("", format!("no {field}"), format!("give {field}"))
    }
}
