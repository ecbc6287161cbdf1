//! PostgreSQL, MongoDB and Redis of one test, which may kill them.

use std::{
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

/// What is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Victim {
    App,
    Postgres,
    Mongo,
    Redis,
}

impl Victim {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Postgres => "postgres",
            Self::Mongo => "mongo",
            Self::Redis => "redis",
        }
    }

    /// Whether this test is asked for: `KILL_STORE` names one or `all`.
    pub(crate) fn is_chosen(self) -> bool {
        match std::env::var("KILL_STORE").as_deref() {
            Err(_) | Ok("" | "all") => true,
            Ok(name) => name == self.name(),
        }
    }
}

/// Servers of one test. They end with it.
pub(crate) struct Services {
    folder: TempDir,
}

impl Services {
    /// Starts them. Where one is not installed, this says so and returns `None`, unless
    /// `REQUIRE_SERVICES=1` demands it.
    #[allow(clippy::print_stderr)]
    pub(crate) fn start() -> Option<Self> {
        if !script("has").status().unwrap().success() {
            let required = std::env::var("REQUIRE_SERVICES").is_ok_and(|value| value == "1");
            assert!(!required, "a server is missing, and REQUIRE_SERVICES=1 requires it");
            eprintln!("skipped: a server is not installed; “scripts/setup test” installs it");
            return None;
        }
        let services = Self { folder: tempfile::tempdir().unwrap() };
        services.run("start", &[]);
        Some(services)
    }

    /// Their URLs, as variables of a server's environment.
    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        let text = std::fs::read_to_string(self.folder.path().join("env")).unwrap();
        let variable = |line: &str| {
            let (name, url) = line.split_once('=')?;
            let name = match name {
                "TEST_POSTGRES_URL" => "DATABASE_URL",
                "TEST_MONGODB_URL" => "MONGODB_URL",
                "TEST_REDIS_URL" => "REDIS_URL",
                _ => return None,
            };
            Some((name.to_owned(), url.to_owned()))
        };
        let variables: Vec<_> = text.lines().filter_map(variable).collect();
        assert_eq!(variables.len(), 3, "{text}");
        variables
    }

    /// Sends `SIGKILL`. PostgreSQL's other processes end by themselves when they notice.
    pub(crate) fn kill(&self, store: Victim) {
        let file = self.folder.path().join(format!("{}.pid", store.name()));
        let process = std::fs::read_to_string(file).unwrap();
        let killed = Command::new("kill").args(["-KILL", process.trim()]).status().unwrap();
        assert!(killed.success());
    }

    /// Starts it again with its data, on its port.
    pub(crate) fn restart(&self, store: Victim) {
        self.run("restart", &[store.name()]);
    }

    fn run(&self, word: &str, names: &[&str]) {
        let output = script(word).arg(self.folder.path()).args(names).output().unwrap();
        assert!(output.status.success(), "{word}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        let stopped = script("stop").arg(self.folder.path()).status();
        assert!(stopped.is_ok_and(|status| status.success()) || std::thread::panicking());
    }
}

fn script(word: &str) -> Command {
    let root: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().into();
    let mut command = Command::new(root.join("scripts/services"));
    command.arg(word);
    command
}
