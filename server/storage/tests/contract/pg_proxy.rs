//! A connection to PostgreSQL that breaks at a chosen point.

use crate::pg_server::PgDatabase;
use izanagi_storage::{RelationalOptions, StorageConfig};
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// How a connection breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The message is lost.
    Request,
    /// The message arrives, its answer is lost.
    Reply,
    /// The server ends the connection, after it got the message.
    Backend,
    /// The message and all that follows is swallowed. The connection stays open.
    Silent,
}

/// How long a statement may take where the network falls silent.
pub(crate) const SILENCE: Duration = Duration::from_secs(1);

/// A proxy in front of a database.
pub(crate) struct Proxy {
    port: u16,
    plan: Arc<Plan>,
    server: JoinHandle<()>,
}

struct Plan {
    /// Messages until the cut; negative: none.
    left: AtomicI64,
    cut: Cut,
    database: PgDatabase,
}

impl Proxy {
    /// Starts a proxy. It passes everything on, until it is armed.
    pub(crate) async fn start(database: PgDatabase, cut: Cut) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let plan = Arc::new(Plan { left: AtomicI64::new(-1), cut, database });
        let server = tokio::spawn(serve(listener, Arc::clone(&plan)));
        Self { port, plan, server }
    }

    /// The configuration of stores behind the proxy.
    pub(crate) fn config(&self, pool: u32) -> StorageConfig {
        let mut relational = RelationalOptions { pool, ..RelationalOptions::default() };
        if self.plan.cut == Cut::Silent {
            relational.statement_timeout = SILENCE;
        }
        StorageConfig { relational, ..StorageConfig::new(self.url()) }
    }

    /// The URL of the database behind the proxy.
    pub(crate) fn url(&self) -> String {
        let url = self.plan.database.url();
        let (before, after) = url.split_once("127.0.0.1:").unwrap();
        let (_, path) = after.split_once('/').unwrap();
        format!("{before}127.0.0.1:{}/{path}?sslmode=disable", self.port)
    }

    /// Breaks the connection of the message after `messages` others.
    pub(crate) fn arm(&self, messages: i64) {
        self.plan.left.store(messages, Ordering::SeqCst);
    }

    /// Whether the message has come at which the connection breaks.
    pub(crate) fn is_silent(&self) -> bool {
        self.plan.left.load(Ordering::SeqCst) < 0
    }

    /// Passes everything on; returns whether a connection was broken.
    pub(crate) fn disarm(&self) -> bool {
        self.plan.left.swap(-1, Ordering::SeqCst) < 0
    }

    /// Waits until no backend of a broken connection works any more.
    pub(crate) async fn until_quiet(&self) {
        let condition = "NOT EXISTS (SELECT 1 FROM pg_stat_activity \
                         WHERE datname = current_database() AND pid <> pg_backend_pid() \
                         AND backend_type = 'client backend' \
                         AND (state = 'active' OR state LIKE 'idle in transaction%'))";
        self.plan.database.until(condition).await;
    }

    /// Ends the proxy. All its connections must be closed.
    pub(crate) async fn stop(self) {
        self.server.abort();
        let _ = self.server.await;
        self.plan.database.recycle().await;
    }
}

async fn serve(listener: TcpListener, plan: Arc<Plan>) {
    loop {
        let (client, _) = listener.accept().await.unwrap();
        tokio::spawn(pass(client, Arc::clone(&plan)));
    }
}

/// Passes one connection on. Each message of the driver arrives in one piece.
async fn pass(mut client: TcpStream, plan: Arc<Plan>) {
    let url = plan.database.url();
    let (_, after) = url.split_once('@').unwrap();
    let (address, _) = after.split_once('/').unwrap();
    let mut server = TcpStream::connect(address).await.unwrap();
    let (mut request, mut reply) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        tokio::select! {
            read = client.read(&mut request) => {
                let Ok(length @ 1..) = read else { return };
                let is_cut = plan.left.fetch_sub(1, Ordering::SeqCst) == 0;
                if is_cut && plan.cut == Cut::Request {
                    return;
                }
                if is_cut && plan.cut == Cut::Silent {
                    while matches!(client.read(&mut request).await, Ok(1..)) {}
                    return;
                }
                if server.write_all(&request[..length]).await.is_err() {
                    return;
                }
                if is_cut && plan.cut == Cut::Reply {
                    // The server works until it has answered, and then finds the connection closed.
                    let _ = server.read(&mut reply).await;
                    return;
                }
                if is_cut && plan.cut == Cut::Backend {
                    plan.database.run(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                         WHERE datname = current_database() AND pid <> pg_backend_pid()",
                    ).await;
                }
            }
            read = server.read(&mut reply) => {
                let Ok(length @ 1..) = read else { return };
                if client.write_all(&reply[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}
