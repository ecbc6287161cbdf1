//! Starts the peers: npm's y-websocket with y-leveldb, and Hocuspocus with its SQLite extension, both
//! as they ship.

use super::contender::Kind;
use crate::{cores::Core, server::Process};
use anyhow::{Context as _, Result, bail, ensure};
use std::{
    fs::{self, File},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};
use tokio::net::TcpStream;

/// Node takes a second to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// Starts a peer with its data below `folder`.
pub(super) async fn start(
    kind: Kind,
    core: Option<Core>,
    folder: &Path,
) -> Result<(Process, SocketAddr)> {
    let peers = folder_of_peers();
    ensure!(
        peers.join("node_modules").exists(),
        "the peers are not installed: `make bench-live` installs them"
    );
    fs::create_dir_all(folder)?;
    // Neither of them says which port it got for port 0.
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let log = folder.join("peer.log");
    let mut command = Command::new("node");
    command
        .args(["--expose-gc", "--require"])
        .arg(peers.join("collect.cjs"))
        .stdout(File::create(&log)?)
        .stderr(File::options().append(true).open(&log)?);
    match kind {
        Kind::YWebsocket => command
            .arg(peers.join("node_modules/y-websocket/bin/server.js"))
            .env("HOST", address.ip().to_string())
            .env("PORT", address.port().to_string())
            .env("YPERSISTENCE", folder.join("leveldb")),
        Kind::Hocuspocus => command
            .arg(peers.join("hocuspocus.mjs"))
            .arg(address.port().to_string())
            .arg(folder.join("hocuspocus.db")),
        Kind::Izanagi => bail!("Izanagi is no peer"),
    };
    let mut process = Process::start(&mut command, core)?;
    let start = Instant::now();
    while TcpStream::connect(address).await.is_err() {
        if process.exited()?.is_some() || start.elapsed() > PATIENCE {
            bail!("it did not start: {}", fs::read_to_string(&log)?.trim());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok((process, address))
}

/// Returns what the peers run on, and their versions.
pub(super) fn versions() -> Result<String> {
    let node = Command::new("node").arg("--version").output().context("cannot start node")?;
    let packages = fs::read(folder_of_peers().join("package.json"))?;
    let packages: serde_json::Value = serde_json::from_slice(&packages)?;
    let of = |name: &str| packages["dependencies"][name].as_str().unwrap_or("?").to_owned();
    Ok(format!(
        "y-websocket {} with y-leveldb, @hocuspocus/server {} with its SQLite extension \
         (better-sqlite3), both as they ship, on Node.js {}",
        of("y-websocket"),
        of("@hocuspocus/server"),
        String::from_utf8_lossy(&node.stdout).trim()
    ))
}

fn folder_of_peers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers")
}
