//! The real binary as a child process.

use std::{path::PathBuf, process::Stdio};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

/// Where a server keeps its data and listens.
pub(crate) struct Home {
    folder: TempDir,
    /// Where its stores are, as variables of the environment.
    stores: Vec<(String, String)>,
    listen: String,
}

impl Home {
    /// With a SQLite file, on any port.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, stores: Vec::new(), listen: "127.0.0.1:0".to_owned() }
    }

    /// With stores elsewhere, on a port that stays.
    pub(crate) fn with(stores: Vec<(String, String)>) -> Self {
        Self { stores, listen: format!("127.0.0.1:{}", lasting_port()), ..Self::new() }
    }

    /// A file in the data folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join("data").join(name)
    }

    /// Moves the relational database of the running server; returns what the command said.
    pub(crate) async fn migrate(&self, to: &str) -> String {
        let mut command = self.command();
        command.args(["migrate-store", "--store", "relational", "--to", to]);
        let output = command.output().await.unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said} {}", String::from_utf8_lossy(&output.stderr));
        said
    }

    fn command(&self) -> Command {
        let home = self.folder.path();
        let site = home.join("site");
        std::fs::create_dir_all(site.join("pkg/none")).unwrap();
        let settings = home.join("izanagi.yaml");
        let limits =
            "limits:\n  writes: { count: 100000, per: 1s }\n  reads: { count: 100000, per: 1s }\n";
        std::fs::write(&settings, limits).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_izanagi"));
        command
            .env("IZANAGI_CONFIG", settings)
            .env("IZANAGI_DATA_DIR", home.join("data"))
            .env("IZANAGI_SITE_ROOT", site)
            .env("IZANAGI_LISTEN", &self.listen)
            .env("IZANAGI_LOG", "error")
            .env_remove("DATABASE_URL")
            .envs(self.stores.clone())
            .kill_on_drop(true);
        command
    }
}

/// A free port that the system gives to no connection while the server is down.
fn lasting_port() -> u16 {
    let free = |port: &u16| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok();
    std::iter::repeat_with(|| rand::random_range(20_000..30_000)).find(free).unwrap()
}

/// A running server.
#[derive(Debug)]
pub(crate) struct Binary {
    child: Child,
    /// `http://127.0.0.1:…`
    pub(crate) url: String,
}

impl Binary {
    /// Starts the binary and waits until it listens.
    pub(crate) async fn start(home: &Home) -> Self {
        let mut child = home.command().arg("serve").stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next_line().await.unwrap().expect("the server did not start");
        let url = line.strip_prefix("izanagi: listening on ").expect("unexpected first line");
        Self { child, url: url.to_owned() }
    }

    /// Sends `SIGKILL`, so that nothing can be cleaned up.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Whether it runs.
    pub(crate) fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Runs `fsck`, which must not find any fault.
    pub(crate) async fn fsck(home: &Home) {
        let output = home.command().arg("fsck").output().await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}
