//! Storage configuration.

use crate::{error::OpenError, redis::RedisConfig, sql::PostgresPlace, url::StoreUrl};
use izanagi_domain::storage::{Clock, Ids, SystemClock, SystemIds};
use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

/// Configuration of the stores.
#[derive(Clone)]
pub struct StorageConfig {
    /// `sqlite://path/of/the/file` (relative to the working directory unless it begins with `/`),
    /// `memory://`, which is empty at every start, or `postgres://user:password@host/database`.
    pub url: StoreUrl,
    /// Options of a relational database on a server.
    pub relational: RelationalOptions,
    /// Stores that are in Redis.
    pub redis: RedisConfig,
    /// The document store, if it has a backend of its own.
    pub documents: Option<DocumentsConfig>,
    /// How long soft-deleted records are kept in the relational database.
    pub retention: Duration,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of ids.
    pub ids: Arc<dyn Ids>,
    /// The command that needs the database for itself, if it does: two servers on one file would
    /// not see each other's edits.
    pub exclusive: Option<&'static str>,
}

/// Options of a relational database on a server. SQLite has none of them.
#[derive(Debug, Clone)]
pub struct RelationalOptions {
    /// Connections to the server, and in a rush half as many more. Without use, all but a few are
    /// closed after a minute.
    pub pool: u32,
    /// Whether to start although the server may lose acknowledged writes in a crash.
    pub accept_data_loss: bool,
    /// URLs of replicas, for reads that need not be fresh.
    pub replicas: Vec<StoreUrl>,
    /// URL past a pooler in transaction mode, for locks that belong to a connection.
    pub direct: Option<StoreUrl>,
    /// How long a statement may take. A server that has not answered a little later is given up.
    pub statement_timeout: Duration,
}

impl RelationalOptions {
    /// How long a statement may take, if nothing else is said.
    pub const STATEMENT_TIMEOUT: Duration = Duration::from_secs(30);

    /// The same for a database of documents only. Its replicas would serve no read, and its URL must be
    /// that of the server itself, so there is no other one for its locks.
    pub(crate) fn for_documents(&self) -> Self {
        Self { replicas: Vec::new(), direct: None, ..self.clone() }
    }
}

impl Default for RelationalOptions {
    fn default() -> Self {
        let (replicas, direct) = (Vec::new(), None);
        let statement_timeout = Self::STATEMENT_TIMEOUT;
        Self { pool: 20, accept_data_loss: false, replicas, direct, statement_timeout }
    }
}

impl StorageConfig {
    /// One database for everything, with the system clock and random source.
    pub fn new(url: impl Into<StoreUrl>) -> Self {
        let (clock, ids) = (Arc::new(SystemClock), Arc::new(SystemIds));
        Self {
            url: url.into(),
            relational: RelationalOptions::default(),
            documents: None,
            retention: DocumentsConfig::RETENTION,
            redis: RedisConfig::default(),
            clock,
            ids,
            exclusive: None,
        }
    }

    /// Requires the database for `command` alone.
    #[must_use]
    pub fn for_one(self, command: &'static str) -> Self {
        Self { exclusive: Some(command), ..self }
    }
}

impl fmt::Debug for StorageConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StorageConfig").field("url", &self.url).finish_non_exhaustive()
    }
}

/// A document store in a database of its own.
#[derive(Debug, Clone)]
pub struct DocumentsConfig {
    /// `mongodb://…`, `mongodb+srv://…`, `postgres://…` or `sqlite://…`.
    pub url: StoreUrl,
    /// The database in MongoDB. `None`: that of the URL, or [`DocumentsConfig::DATABASE`].
    pub database: Option<String>,
    /// The collection of the records in MongoDB.
    pub collection: String,
    /// How long soft-deleted records are kept.
    pub soft_delete_retention: Duration,
}

impl DocumentsConfig {
    /// The database, if none is named.
    pub const DATABASE: &'static str = "izanagi";
    /// The collection, if none is named.
    pub const COLLECTION: &'static str = "documents";
    /// How long soft-deleted records are kept, if nothing else is said.
    pub const RETENTION: Duration = Duration::from_secs(30 * 24 * 60 * 60);

    /// A document store at a URL, with everything else as by default.
    pub fn new(url: impl Into<StoreUrl>) -> Self {
        Self {
            url: url.into(),
            database: None,
            collection: Self::COLLECTION.to_owned(),
            soft_delete_retention: Self::RETENTION,
        }
    }
}

/// A parsed URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A SQLite file.
    File(PathBuf),
    /// A SQLite database in memory.
    Memory,
    /// A PostgreSQL database.
    Postgres(PostgresPlace),
}

impl Place {
    pub(crate) fn parse(url: &StoreUrl) -> Result<Self, OpenError> {
        let url = url.expose();
        // Without a scheme, all of it may be secret.
        let (scheme, rest) = url.split_once("://").unwrap_or(("…", ""));
        match (scheme, rest) {
            ("memory", "") => Ok(Self::Memory),
            ("sqlite", path) if !path.is_empty() && !path.contains('?') => {
                Ok(Self::File(path.into()))
            }
            ("postgres" | "postgresql", _) => PostgresPlace::parse(url).map(Self::Postgres),
            // Report only the scheme: the rest may contain a password.
            _ => Err(OpenError::Url { scheme: scheme.to_owned() }),
        }
    }

    /// Whether it is the same database, as far as the URLs say.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let file = |path: &PathBuf| {
            path.canonicalize()
                .or_else(|_| std::path::absolute(path))
                .unwrap_or_else(|_| path.clone())
        };
        match (self, other) {
            (Self::File(one), Self::File(two)) => file(one) == file(two),
            // Each one in memory is another.
            (Self::Memory, _) => false,
            // Shown are server, port and database.
            _ => self.to_string() == other.to_string(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "SQLite, {}", path.display()),
            Self::Postgres(place) => place.fmt(f),
            Self::Memory => f.write_str("SQLite in memory: all data is lost when the process ends"),
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
        assert_eq!(Place::parse(&url.into()).unwrap(), expected);
    }

    #[rstest]
    #[case("sqlite://")]
    #[case("sqlite://a.db?mode=ro")]
    #[case("oracle://scott:tiger@host/db")]
    #[case("data.db")]
    #[case("postgres:scott:tiger@host/db")]
    fn refuses_without_repeating_secrets(#[case] url: &str) {
        let said = Place::parse(&url.into()).unwrap_err().to_string();
        assert!(said.contains("sqlite://") && !said.contains("tiger"), "{said}");
    }
}
