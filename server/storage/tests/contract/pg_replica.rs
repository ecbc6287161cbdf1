//! A PostgreSQL server with a replica, both private to one test.

use crate::{
    pg_programs::{as_postgres, free_port, open_folder},
    pg_server::PgDatabase,
    services,
};
use std::{fs, path::PathBuf};
use tempfile::TempDir;

/// A primary and its replica.
pub(crate) struct Pair {
    folder: TempDir,
    primary: u16,
    replica: u16,
}

/// The folders of the two.
const PRIMARY: &str = "a";
const REPLICA: &str = "b";

impl Pair {
    /// Starts both. `None` where there are no services.
    pub(crate) fn start() -> Option<Self> {
        services::url("TEST_POSTGRES_URL")?;
        let folder = open_folder();
        let pair = Self { folder, primary: free_port(), replica: free_port() };
        pair.run(
            "initdb",
            &["-U", "izanagi", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"],
            PRIMARY,
        );
        pair.start_one(PRIMARY, pair.primary, "");
        let port = pair.primary.to_string();
        let copy =
            ["-h", "127.0.0.1", "-p", &port, "-U", "izanagi", "-R", "-X", "stream", "-c", "fast"];
        pair.run("pg_basebackup", &copy, REPLICA);
        pair.start_one(REPLICA, pair.replica, "-c log_statement=all");
        Some(pair)
    }

    /// The database of the primary.
    pub(crate) fn primary(&self) -> PgDatabase {
        database(self.primary)
    }

    /// The same database at the replica.
    pub(crate) fn replica(&self) -> PgDatabase {
        database(self.replica)
    }

    /// Number of statements with these words that the replica has run.
    pub(crate) fn asked(&self, words: &str) -> usize {
        let log = fs::read_to_string(self.log(REPLICA)).unwrap();
        log.lines().filter(|line| line.contains(words)).count()
    }

    fn log(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.log"))
    }

    fn start_one(&self, name: &str, port: u16, options: &str) {
        let (log, folder) = (self.log(name), self.folder.path());
        let options =
            format!("-p {port} -k {} -c listen_addresses=127.0.0.1 {options}", folder.display());
        let log = log.to_str().unwrap();
        self.run("pg_ctl", &["-s", "-w", "-l", log, "-o", &options, "start"], name);
    }

    fn run(&self, program: &str, args: &[&str], name: &str) {
        let data = self.folder.path().join(name);
        let status = as_postgres(program).args(args).arg("-D").arg(data).status().unwrap();
        assert!(status.success(), "{program} {args:?}");
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        for name in [REPLICA, PRIMARY] {
            let data = self.folder.path().join(name);
            let stop = ["-s", "-w", "-m", "immediate", "stop", "-D"];
            let _ = as_postgres("pg_ctl").args(stop).arg(data).status();
        }
    }
}

/// The administrator's database. `PgDatabase` is asked for its URL alone.
fn database(port: u16) -> PgDatabase {
    PgDatabase {
        server: format!("postgres://izanagi@127.0.0.1:{port}/postgres"),
        name: "postgres".to_owned(),
    }
}
