//! The real binary as a child process.

use std::{path::Path, process::Stdio};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

/// A running server.
#[derive(Debug)]
pub(crate) struct Binary {
    child: Child,
    /// `http://127.0.0.1:…`
    pub(crate) url: String,
}

fn command(home: &Path) -> Command {
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
        .env("IZANAGI_LISTEN", "127.0.0.1:0")
        .env("IZANAGI_LOG", "error")
        .env_remove("DATABASE_URL")
        .kill_on_drop(true);
    command
}

impl Binary {
    /// Starts the binary and waits until it listens.
    pub(crate) async fn start(home: &Path) -> Self {
        let mut child = command(home).arg("serve").stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next_line().await.unwrap().expect("the server did not start");
        let url = line.strip_prefix("izanagi: listening on ").expect("unexpected first line");
        Self { child, url: url.to_owned() }
    }

    /// Sends `SIGKILL`, so that nothing can be cleaned up.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Runs `fsck`, which must not find any fault.
    pub(crate) async fn fsck(home: &Path) {
        let output = command(home).arg("fsck").output().await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}
