//! Which store is where.

use crate::error::OpenError;
use izanagi_domain::storage::{Clock, Ids, SystemClock, SystemIds};
use std::{fmt, path::PathBuf, sync::Arc};

/// What the stores are made of.
#[derive(Clone)]
pub struct StorageConfig {
    /// `sqlite://path/of/the/file` (relative to the working folder unless it begins with `/`) or
    /// `memory://`, which is empty at every start.
    pub url: String,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Draws ids.
    pub ids: Arc<dyn Ids>,
}

impl StorageConfig {
    /// Everything in one database, with the machine's own clock and random source.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), clock: Arc::new(SystemClock), ids: Arc::new(SystemIds) }
    }
}

impl fmt::Debug for StorageConfig {
    /// Without the URL, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StorageConfig").finish_non_exhaustive()
    }
}

/// What a URL names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A SQLite file.
    File(PathBuf),
    /// A SQLite database in memory.
    Memory,
}

impl Place {
    pub(crate) fn parse(url: &str) -> Result<Self, OpenError> {
        let (scheme, rest) = url.split_once("://").unwrap_or((url, ""));
        match (scheme, rest) {
            ("memory", "") => Ok(Self::Memory),
            ("sqlite", path) if !path.is_empty() && !path.contains('?') => {
                Ok(Self::File(path.into()))
            }
            // Only the scheme is repeated: the rest may hold a password.
            _ => Err(OpenError::Url { scheme: scheme.to_owned() }),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "SQLite, {}", path.display()),
            Self::Memory => f.write_str("SQLite in memory: everything is gone when this ends"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("sqlite://data/izanagi.db", Place::File("data/izanagi.db".into()))]
    #[case("sqlite:///var/lib/izanagi.db", Place::File("/var/lib/izanagi.db".into()))]
    #[case("memory://", Place::Memory)]
    fn understands(#[case] url: &str, #[case] expected: Place) {
        assert_eq!(Place::parse(url).unwrap(), expected);
    }

    #[rstest]
    #[case("sqlite://")]
    #[case("sqlite://a.db?mode=ro")]
    #[case("oracle://scott:tiger@host/db")]
    #[case("data.db")]
    fn refuses_without_repeating_secrets(#[case] url: &str) {
        let said = Place::parse(url).unwrap_err().to_string();
        assert!(said.contains("sqlite://") && !said.contains("tiger"), "{said}");
    }
}
