//! A connection to one of the databases that there are. What they have in common ends here: a
//! further database is a further variant, and the compiler names the places.

use super::{row::Row, sqlite, statement::Statement};
use crate::config::Place;
use sqlx::{Connection as _, SqliteConnection, migrate::Migrator, sqlite::SqliteConnectOptions};
use std::sync::Arc;
use tokio::sync::Mutex;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Reading only.
    Reader,
    /// Reading and writing.
    Writer,
}

/// What one statement did.
#[derive(Default)]
pub(super) struct Done {
    /// The rows it gave.
    pub(super) rows: Vec<Row>,
    /// How many rows it changed.
    pub(super) affected: u64,
}

/// Where a list of statements ended.
#[derive(Debug)]
pub(super) struct Failure {
    /// How many had taken effect.
    pub(super) completed: usize,
    /// What happened to the next.
    pub(super) error: sqlx::Error,
}

/// A connection.
pub(super) enum Connection {
    Sqlite(SqliteConnection),
}

impl Connection {
    /// Runs statements one after another, up to the first that fails; one [`Done`] for each.
    pub(super) async fn run(&mut self, statements: Vec<Statement>) -> Result<Vec<Done>, Failure> {
        match self {
            Self::Sqlite(connection) => sqlite::run(connection, statements).await,
        }
    }

    /// What the database finds wrong with its own files.
    pub(super) async fn integrity(&mut self) -> sqlx::Result<Vec<String>> {
        match self {
            Self::Sqlite(connection) => sqlite::integrity(connection).await,
        }
    }

    /// Applies the steps of the schema that are missing.
    pub(super) async fn migrate(
        &mut self,
        migrator: &Migrator,
    ) -> Result<(), sqlx::migrate::MigrateError> {
        match self {
            Self::Sqlite(connection) => migrator.run_direct(None, connection, false).await,
        }
    }

    pub(super) async fn close(self) -> sqlx::Result<()> {
        match self {
            Self::Sqlite(connection) => connection.close().await,
        }
    }
}

/// A connection that the writer and, in memory, the readers take turns on. Empty when it broke or
/// was closed.
pub(super) type Shared = Arc<Mutex<Option<Connection>>>;

/// Connects to one database.
#[derive(Clone)]
pub(super) enum Connector {
    SqliteFile(SqliteConnectOptions),
    /// The database lives in its one connection and ends with it.
    SqliteMemory(SqliteConnectOptions),
}

impl Connector {
    /// A connector to that place.
    pub(super) fn new(place: &Place) -> Self {
        match place {
            Place::File(path) => Self::SqliteFile(sqlite::options(Some(path))),
            Place::Memory => Self::SqliteMemory(sqlite::options(None)),
        }
    }

    /// Whether there is one connection only.
    pub(super) fn is_single(&self) -> bool {
        matches!(self, Self::SqliteMemory(_))
    }

    /// Opens a connection.
    pub(super) async fn connect(&self, role: Role) -> sqlx::Result<Connection> {
        match self {
            Self::SqliteFile(options) | Self::SqliteMemory(options) => {
                sqlite::connect(options, role).await.map(Connection::Sqlite)
            }
        }
    }

    /// Opens a connection in the place of one that broke.
    pub(super) async fn connect_again(&self, role: Role) -> sqlx::Result<Connection> {
        if self.is_single() {
            return Err(sqlx::Error::PoolClosed);
        }
        self.connect(role).await
    }

    /// The statement that begins a transaction which will write.
    pub(super) fn begin(&self) -> &'static str {
        match self {
            Self::SqliteFile(_) | Self::SqliteMemory(_) => sqlite::BEGIN,
        }
    }

    /// The schema of this kind of database.
    pub(super) fn migrator(&self) -> Migrator {
        match self {
            Self::SqliteFile(_) | Self::SqliteMemory(_) => {
                Migrator::with_migrations(sqlite::migrations())
            }
        }
    }
}
