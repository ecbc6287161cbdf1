//! The peer of everything that writes: one row in a transaction of its own, durable when it
//! answers, in the same SQLite file, with nothing around it.

use anyhow::Result;
use sqlx::{
    ConnectOptions as _, Connection as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use std::{
    path::Path,
    time::{Duration, Instant},
};

/// A connection that inserts.
pub(crate) struct DurableInserts(SqliteConnection);

impl DurableInserts {
    /// Makes its table in that file, if it is not there.
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

    /// Inserts a row; gives how long it took.
    pub(crate) async fn insert(&mut self, body: &[u8]) -> Result<Duration> {
        let start = Instant::now();
        sqlx::query("INSERT INTO bench_rows (body) VALUES (?)")
            .bind(body)
            .execute(&mut self.0)
            .await?;
        Ok(start.elapsed())
    }

    /// Ends the connection.
    pub(crate) async fn close(self) -> Result<()> {
        Ok(self.0.close().await?)
    }
}
