//! Everything that is SQLite's own: how to connect, its notation, error codes, schema.

mod errors;
mod render;
mod schema;

pub(super) use errors::{meaning, refused_commit};
pub(super) use schema::migrations;

use super::{
    connection::{Done, Failure, Role},
    row::Row,
    statement::Statement,
};
use futures::TryStreamExt as _;
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Either, Executor as _, Row as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use std::{path::Path, time::Duration};
use tokio::time::Instant;

/// At once with the write lock: a transaction that begins by reading could fail to get it later,
/// when nothing but starting anew helps.
pub(super) const BEGIN: &str = "BEGIN IMMEDIATE";

/// How long a write waits for another program that writes in the same file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How long to wait before trying again what SQLite does not wait for itself.
const BUSY_PAUSE: Duration = Duration::from_millis(20);

/// A database in a file, or one in memory, which ends with its connection.
pub(super) fn options(file: Option<&Path>) -> SqliteConnectOptions {
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

pub(super) async fn connect(
    options: &SqliteConnectOptions,
    role: Role,
) -> sqlx::Result<SqliteConnection> {
    let options = options.clone();
    // No memory map for either: a failing disk would then end the process instead of the call.
    let options = match role {
        Role::Reader => options.pragma("query_only", "ON").pragma("cache_size", "-2048"),
        // What is committed is on the disk: by itself, WAL would sync only at checkpoints. Those
        // come every 4,000 pages, so that a page which many commits change is copied back once.
        Role::Writer => options
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("cache_size", "-8192")
            .pragma("wal_autocheckpoint", "4000")
            .pragma("journal_size_limit", "67108864"),
    };
    connect_when_free(&options).await
}

/// Changing the journal to WAL needs the file alone, and SQLite does not wait for that by itself
/// (<https://www.sqlite.org/rescode.html#busy>): two programs that open a new file at once would
/// turn one another away.
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

/// Runs statements one after another, up to the first that fails; one [`Done`] for each. They
/// travel together: a trip to the thread that owns the connection and back can cost more than
/// the work.
pub(super) async fn run(
    connection: &mut SqliteConnection,
    statements: Vec<Statement>,
) -> Result<Vec<Done>, Failure> {
    let expected = statements.len();
    let mut done = Vec::with_capacity(expected);
    let failed = |done: &Vec<Done>, error| Failure { completed: done.len(), error };
    let (text, args) = render::script(statements).map_err(|error| failed(&done, error))?;
    // The texts are put together from literals of this crate; what comes from outside is bound.
    let query = sqlx::query_with(AssertSqlSafe(text), args);
    let mut current = Done::default();
    let mut answers = connection.fetch_many(query);
    loop {
        match answers.try_next().await {
            Ok(Some(Either::Right(row))) => current.rows.push(Row::Sqlite(row)),
            Ok(Some(Either::Left(result))) => {
                current.affected = result.rows_affected();
                done.push(std::mem::take(&mut current));
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

/// What SQLite finds wrong with its file.
pub(super) async fn integrity(connection: &mut SqliteConnection) -> sqlx::Result<Vec<String>> {
    let mut found = Vec::new();
    for row in sqlx::query("PRAGMA integrity_check").fetch_all(&mut *connection).await? {
        let line: String = row.try_get(0)?;
        if line != "ok" {
            found.push(line);
        }
    }
    for row in sqlx::query("PRAGMA foreign_key_check").fetch_all(connection).await? {
        let (table, parent): (String, String) = (row.try_get(0)?, row.try_get(2)?);
        found.push(format!("a row of {table} refers to a missing row of {parent}"));
    }
    Ok(found)
}
