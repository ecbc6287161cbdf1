//! PostgreSQL behind PgBouncer in transaction mode: each transaction gets another connection of the
//! server.

use crate::{
    pg_open::core,
    pg_programs::{as_postgres, free_port, open_folder},
    pg_server::PgDatabase,
    services,
};
use izanagi_storage::{RelationalOptions, StorageConfig, open, open_existing};
use std::{
    fs,
    net::TcpStream,
    path::Path,
    process::{Child, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Where Debian puts it.
const PROGRAM: &str = "/usr/sbin/pgbouncer";

/// A pooler with few connections.
struct Pooler {
    port: u16,
    process: Child,
    _folder: TempDir,
}

impl Pooler {
    /// `None` without a server, or without the program.
    #[allow(clippy::print_stderr)]
    fn start() -> Option<Self> {
        let server = services::url("TEST_POSTGRES_URL")?;
        if !Path::new(PROGRAM).exists() {
            let required = std::env::var("REQUIRE_SERVICES").is_ok_and(|value| value == "1");
            assert!(!required, "{PROGRAM} is missing, and REQUIRE_SERVICES=1 requires it");
            eprintln!("skipped: {PROGRAM} is missing; “apt-get install pgbouncer” installs it");
            return None;
        }
        let (_, address) = server.split_once('@').unwrap();
        let (host, rest) = address.split_once(':').unwrap();
        let (server_port, _) = rest.split_once('/').unwrap();
        let (folder, port) = (open_folder(), free_port());
        let settings = format!(
            "[databases]\n* = host={host} port={server_port} user=izanagi\n[pgbouncer]\n\
             listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = any\npool_mode = transaction\ndefault_pool_size = 2\n"
        );
        let file = folder.path().join("pgbouncer.ini");
        fs::write(&file, settings).unwrap();
        let process = as_postgres(PROGRAM).arg("-q").arg(&file).stderr(Stdio::null()).spawn();
        let pooler = Self { port, process: process.unwrap(), _folder: folder };
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(started.elapsed() < Duration::from_secs(20), "the pooler does not start");
            std::thread::yield_now();
        }
        Some(pooler)
    }

    fn url(&self, database: &PgDatabase) -> String {
        let name = &database.name;
        let options = "sslmode=disable&statement-cache-capacity=0";
        format!("postgres://izanagi@127.0.0.1:{}/{name}?{options}", self.port)
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_works_behind_a_pooler() {
    let Some(pooler) = Pooler::start() else { return };
    let Some(database) = PgDatabase::migrated().await else { return };
    let relational =
        RelationalOptions { direct: Some(database.url().into()), ..RelationalOptions::default() };
    let config = StorageConfig { relational, ..StorageConfig::new(pooler.url(&database)) };
    let opened = open(&config.for_one("serve")).await.unwrap();
    // More than it has connections, each in transactions of its own.
    let users: Vec<_> = (0..6)
        .map(|_| {
            let stores = opened.stores.clone();
            tokio::spawn(async move { core(&stores).await })
        })
        .collect();
    for user in users {
        user.await.unwrap();
    }
    opened.close().await;
    drop(pooler);
    database.drop().await;
}

/// A command that takes no lock needs no way past the pooler, not even to migrate.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_start_behind_a_pooler() {
    let Some(pooler) = Pooler::start() else { return };
    let Some(database) = PgDatabase::empty().await else { return };
    let config = StorageConfig::new(pooler.url(&database));
    assert!(open_existing(&config).await.is_err());
    open(&config).await.unwrap().close().await;
    let starts: Vec<_> = (0..6)
        .map(|_| {
            let config = config.clone();
            tokio::spawn(async move {
                let opened = open_existing(&config).await.unwrap();
                assert_eq!(opened.stores.relational.inspect.integrity().await, Ok(Vec::new()));
                opened.close().await;
            })
        })
        .collect();
    for start in starts {
        start.await.unwrap();
    }
    drop(pooler);
    database.drop().await;
}
