//! Examines a SQLite file for `izanagi doctor`. It only reads, also beside a running server.

use super::{SqliteDb, schema};
use crate::doctor::{COUNTS, Examined, Kind, MARKS, MOVES, Routing, SINCE, free_space, names};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use std::{os::unix::fs::PermissionsExt as _, path::Path, time::Duration};

/// A log that grows beyond this is not copied back: something holds a read transaction open.
const LONG_LOG: u64 = 512 * 1024 * 1024;
const WAIT: Duration = Duration::from_secs(5);

impl SqliteDb {
    /// Examines a file.
    pub(crate) async fn examine(path: &Path) -> Examined {
        let mut examined = Examined::new("users", format!("SQLite, {}", path.display()));
        if !path.exists() {
            let mend = "the first start of “izanagi serve” creates it";
            examined.note("reach", "there is no such file", mend);
        } else {
            let options = SqliteConnectOptions::new().filename(path).read_only(true);
            match options.busy_timeout(WAIT).connect().await {
                Ok(mut connection) => {
                    inside(&mut examined, &mut connection).await;
                    // The connection only read.
                    drop(connection.close().await);
                }
                Err(error) => {
                    let mend = "check that the file is a database, and that this user may read it";
                    examined.bad("reach", error.to_string(), mend);
                }
            }
            around(&mut examined, path);
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let existing = folder.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("/"));
        match free_space(existing) {
            Ok(free) => examined.space(free),
            Err(error) => examined.unknown("free space", error),
        }
        examined
    }
}

/// The file and its write-ahead log.
fn around(examined: &mut Examined, path: &Path) {
    match path.metadata() {
        Ok(file) if file.permissions().mode() & 0o007 != 0 => {
            let mend = format!("chmod o= {}", path.display());
            examined.note("rights", "other users of this machine may read the file", mend);
        }
        Ok(file) if file.permissions().readonly() => {
            examined.bad("rights", "the file is read-only", "let the server's user write it");
        }
        Ok(file) => {
            examined.good("rights", format!("mode {:o}", file.permissions().mode() & 0o777));
        }
        Err(error) => examined.unknown("rights", error),
    }
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let length = std::fs::metadata(&log).map(|log| log.len()).unwrap_or_default();
    let found = format!("{} MiB", length / (1024 * 1024));
    if length > LONG_LOG {
        let mend = "end what holds a read transaction open, such as a backup or a shell";
        examined.note("write-ahead log", found, mend);
    } else {
        examined.good("write-ahead log", found);
    }
}

async fn inside(examined: &mut Examined, connection: &mut SqliteConnection) {
    // Each check stands for itself: one that fails hides no other.
    let checks: [(&'static str, sqlx::Result<()>); 2] = [
        ("version", version(examined, connection).await),
        ("schema", objects(examined, connection).await),
    ];
    for (subject, result) in checks {
        if let Err(error) = result {
            let mend = "restore the file from a backup, or run “izanagi fsck”";
            examined.bad(subject, error.to_string(), mend);
        }
    }
}

async fn version(examined: &mut Examined, connection: &mut SqliteConnection) -> sqlx::Result<()> {
    let version: String =
        sqlx::query_scalar("SELECT sqlite_version()").fetch_one(&mut *connection).await?;
    examined.good("version", format!("SQLite {version}"));
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(connection).await?;
    if mode == "wal" {
        examined.good("durability", "write-ahead log; the server syncs every commit");
    } else {
        let found = format!("the journal mode is {mode}");
        examined.note("durability", found, "the next start of “izanagi serve” sets it to wal");
    }
    Ok(())
}

async fn routing(examined: &mut Examined, connection: &mut SqliteConnection) -> sqlx::Result<()> {
    let moves = sqlx::query_as(MOVES).fetch_all(&mut *connection).await?;
    let marks = sqlx::query_scalar(MARKS).fetch_one(&mut *connection).await?;
    let counts = sqlx::query_as(COUNTS).fetch_optional(connection).await?;
    examined.routing(&Routing { moves, marks, counts });
    Ok(())
}

async fn objects(examined: &mut Examined, connection: &mut SqliteConnection) -> sqlx::Result<()> {
    let query = "SELECT COUNT(*) FROM sqlite_schema WHERE name = '_sqlx_migrations'";
    let exists: i64 = sqlx::query_scalar(query).fetch_one(&mut *connection).await?;
    if exists == 0 {
        examined.note("schema", "empty", "the first start of “izanagi serve” creates it");
        return Ok(());
    }
    let query = "SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations WHERE success";
    let applied: i64 = sqlx::query_scalar(query).fetch_one(&mut *connection).await?;
    examined.schema(applied, schema::steps().count());
    for (kind, stored) in [(Kind::Table, "table"), (Kind::Index, "index")] {
        let query = sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = $1");
        let existing: Vec<String> = query.bind(stored).fetch_all(&mut *connection).await?;
        examined.present(kind, &names(schema::steps(), kind), &existing);
    }
    if applied >= SINCE {
        routing(examined, connection).await?;
    }
    Ok(())
}
