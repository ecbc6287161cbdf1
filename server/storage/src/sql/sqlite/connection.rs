//! SQLite connections: opening them and running statements.

use super::{errors, render};
use crate::sql::{
    row::{Cell, Row},
    statement::Statement,
};
use futures::TryStreamExt as _;
use sqlx::{
    AssertSqlSafe, Column as _, ConnectOptions as _, Connection as _, Decode, Either,
    Executor as _, Row as _, Sqlite, SqliteConnection, TypeInfo as _, ValueRef as _,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteRow, SqliteSynchronous},
};
use std::{path::Path, sync::Arc, time::Duration};
use tokio::{sync::Mutex, time::Instant};

/// Takes the write lock at once. A transaction that starts with a read may fail to upgrade later
/// and would have to restart.
pub(super) const BEGIN: &str = "BEGIN IMMEDIATE";

/// Maximum wait for another process that writes to the same file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Delay before retrying operations that bypass SQLite's busy handler.
const BUSY_PAUSE: Duration = Duration::from_millis(20);

/// Purpose of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Reads only.
    Reader,
    /// Reads and writes.
    Writer,
}

/// The result of one statement.
#[derive(Default)]
pub(super) struct Done {
    /// Its rows.
    pub(super) rows: Vec<Row>,
    /// Number of changed rows.
    pub(super) affected: u64,
}

/// Where a list of statements failed.
#[derive(Debug)]
pub(super) struct Failure {
    /// Number of statements that took effect.
    pub(super) completed: usize,
    /// Why the next one failed.
    pub(super) error: sqlx::Error,
}

/// A connection shared in turn by the writer and, for a database in memory, the readers. `None`
/// after it broke or was closed.
pub(super) type Shared = Arc<Mutex<Option<Connection>>>;

/// Opens connections to one database.
#[derive(Clone)]
pub(super) struct Connector {
    options: SqliteConnectOptions,
    /// A database in memory exists only in this connection.
    in_memory: bool,
}

impl Connector {
    /// Creates a connector to a file, or to a database in memory.
    pub(super) fn new(file: Option<&Path>) -> Self {
        Self { options: options(file), in_memory: file.is_none() }
    }

    /// Lets connections write rows in any order, without checking what they refer to.
    pub(super) fn unchecked(mut self) -> Self {
        self.options = self.options.foreign_keys(false);
        self
    }

    /// Whether there is only one connection.
    pub(super) const fn is_single(&self) -> bool {
        self.in_memory
    }

    /// Opens a connection.
    pub(super) async fn connect(&self, role: Role) -> sqlx::Result<Connection> {
        let options = self.options.clone();
        // No memory mapping: a disk error would kill the process instead of failing the call.
        let options = match role {
            Role::Reader => options.pragma("query_only", "ON").pragma("cache_size", "-2048"),
            // Make every commit durable: by default, WAL syncs only at checkpoints. Checkpoints run
            // every 4,000 pages, so that a page changed by many commits is copied back once.
            Role::Writer => options
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .pragma("cache_size", "-8192")
                .pragma("wal_autocheckpoint", "4000")
                .pragma("journal_size_limit", "67108864"),
        };
        connect_when_free(&options).await.map(Connection)
    }

    /// Opens a connection to replace a broken one.
    pub(super) async fn connect_again(&self, role: Role) -> sqlx::Result<Connection> {
        if self.in_memory {
            return Err(sqlx::Error::PoolClosed);
        }
        self.connect(role).await
    }
}

fn options(file: Option<&Path>) -> SqliteConnectOptions {
    let options = SqliteConnectOptions::new()
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .statement_cache_capacity(256)
        .row_buffer_size(256)
        .pragma("temp_store", "MEMORY");
    match file {
        Some(path) => options.filename(path).create_if_missing(true),
        None => options.filename(":memory:"),
    }
}

/// Switching to WAL needs exclusive access to the file, which SQLite does not wait for
/// (<https://www.sqlite.org/rescode.html#busy>). Without the retry, two processes opening a new
/// file at the same time would fail.
async fn connect_when_free(options: &SqliteConnectOptions) -> sqlx::Result<SqliteConnection> {
    let give_up = Instant::now() + BUSY_TIMEOUT;
    loop {
        match options.connect().await {
            Err(error) if errors::is_busy(&error) && Instant::now() < give_up => {
                tokio::time::sleep(BUSY_PAUSE).await;
            }
            result => return result,
        }
    }
}

/// A connection.
pub(super) struct Connection(SqliteConnection);

impl Connection {
    /// The driver's connection.
    pub(super) const fn driver(&mut self) -> &mut SqliteConnection {
        &mut self.0
    }

    /// Runs statements in order up to the first that fails; returns one [`Done`] each. They are
    /// sent together, because a round trip to the connection's thread can cost more than the work.
    pub(super) async fn run(&mut self, statements: Vec<Statement>) -> Result<Vec<Done>, Failure> {
        let expected = statements.len();
        let mut done = Vec::with_capacity(expected);
        let failed = |done: &Vec<Done>, error| Failure { completed: done.len(), error };
        let (text, args) = render::script(statements).map_err(|error| failed(&done, error))?;
        // The text consists of literals of this crate; external values are bound.
        let query = sqlx::query_with(AssertSqlSafe(text), args);
        let mut current = Done::default();
        let mut names: Option<Arc<[String]>> = None;
        let mut answers = self.0.fetch_many(query);
        loop {
            match answers.try_next().await {
                Ok(Some(Either::Right(row))) => {
                    let names = names.get_or_insert_with(|| names_of(&row));
                    let row = decode(&row, names).map_err(|error| failed(&done, error))?;
                    current.rows.push(row);
                }
                Ok(Some(Either::Left(result))) => {
                    current.affected = result.rows_affected();
                    done.push(std::mem::take(&mut current));
                    names = None;
                }
                Ok(None) if done.len() == expected => return Ok(done),
                Ok(None) => {
                    let error = sqlx::Error::Protocol("a statement gave no result".to_owned());
                    return Err(failed(&done, error));
                }
                Err(error) => return Err(failed(&done, error)),
            }
        }
    }

    /// Returns the problems that SQLite finds in its file.
    pub(super) async fn integrity(&mut self) -> sqlx::Result<Vec<String>> {
        let mut found = Vec::new();
        for row in sqlx::query("PRAGMA integrity_check").fetch_all(&mut self.0).await? {
            let line: String = row.try_get(0)?;
            if line != "ok" {
                found.push(line);
            }
        }
        for row in sqlx::query("PRAGMA foreign_key_check").fetch_all(&mut self.0).await? {
            let (table, parent): (String, String) = (row.try_get(0)?, row.try_get(2)?);
            found.push(format!("a row of {table} refers to a missing row of {parent}"));
        }
        Ok(found)
    }

    pub(super) async fn close(self) -> sqlx::Result<()> {
        self.0.close().await
    }
}

fn names_of(row: &SqliteRow) -> Arc<[String]> {
    row.columns().iter().map(|column| column.name().to_owned()).collect()
}

fn decode(row: &SqliteRow, names: &Arc<[String]>) -> sqlx::Result<Row> {
    let cells = (0..row.len()).map(|index| {
        let value = row.try_get_raw(index)?;
        if value.is_null() {
            return Ok(Cell::Null);
        }
        let kind = value.type_info().name().to_owned();
        let cell = match kind.as_str() {
            "INTEGER" => <i64 as Decode<'_, Sqlite>>::decode(value).map(Cell::Number),
            // Text that is damaged makes its column unreadable, not the whole result.
            "TEXT" => <Vec<u8> as Decode<'_, Sqlite>>::decode(value).map(|bytes| {
                String::from_utf8(bytes)
                    .map_or_else(|error| Cell::Bytes(error.into_bytes()), Cell::Text)
            }),
            "BLOB" => <Vec<u8> as Decode<'_, Sqlite>>::decode(value).map(Cell::Bytes),
            _ => Err(format!("a value of the type {kind}").into()),
        };
        cell.map_err(sqlx::Error::Decode)
    });
    Ok(Row::new(names, cells.collect::<sqlx::Result<_>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A power failure must not lose an acknowledged write; no test here can cut the power.
    #[tokio::test]
    async fn every_commit_of_the_writer_is_synced() {
        let folder = tempfile::tempdir().unwrap();
        let connector = Connector::new(Some(&folder.path().join("izanagi.db")));
        let mut writer = connector.connect(Role::Writer).await.unwrap();
        let pragma = async |writer: &mut Connection, name: &str| {
            let row = sqlx::query(AssertSqlSafe(format!("PRAGMA {name}"))).fetch_one(&mut writer.0);
            decode(&row.await.unwrap(), &Arc::from(vec![name.to_owned()])).unwrap()
        };
        let synchronous = pragma(&mut writer, "synchronous").await;
        assert_eq!(synchronous.get::<u64>("synchronous"), Ok(2));
        let mode = pragma(&mut writer, "journal_mode").await;
        assert_eq!(mode.get::<String>("journal_mode"), Ok("wal".to_owned()));
        let keys = pragma(&mut writer, "foreign_keys").await;
        assert_eq!(keys.get::<u64>("foreign_keys"), Ok(1));
    }
}
