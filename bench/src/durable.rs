//! Baseline for all writes: inserts a single row in its own durable transaction, in the same SQLite
//! file.

use anyhow::Result;
use sqlx::{
    ConnectOptions as _, Connection as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use std::{
    path::Path,
    time::{Duration, Instant},
};

/// A connection that inserts rows durably.
pub(crate) struct DurableInserts(SqliteConnection);

impl DurableInserts {
    /// Opens the file and creates the table if it does not exist.
    pub(crate) async fn open(file: &Path) -> Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(30));
        let mut connection = options.connect().await?;
        sqlx::query("CREATE TABLE IF NOT EXISTS bench_rows (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT")
            .execute(&mut connection)
            .await?;
        Ok(Self(connection))
    }

    /// Inserts a row and returns the time it took.
    pub(crate) async fn insert(&mut self, body: &[u8]) -> Result<Duration> {
        let start = Instant::now();
        sqlx::query("INSERT INTO bench_rows (body) VALUES (?)")
            .bind(body)
            .execute(&mut self.0)
            .await?;
        Ok(start.elapsed())
    }

    pub(crate) async fn close(self) -> Result<()> {
        Ok(self.0.close().await?)
    }
}
