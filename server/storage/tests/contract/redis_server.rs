//! A Redis server that a test may stop and damage.

use crate::services;
use izanagi_storage::RedisPlace;
use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// A private server on a port of its own.
pub(crate) struct RedisServer {
    port: u16,
    folder: TempDir,
    process: Option<Child>,
}

impl RedisServer {
    /// Starts a server. `None` where there are no services.
    pub(crate) fn start() -> Option<Self> {
        services::url("TEST_REDIS_URL")?;
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut server = Self { port, folder: tempfile::tempdir().unwrap(), process: None };
        server.restart();
        Some(server)
    }

    pub(crate) fn place(&self) -> RedisPlace {
        RedisPlace::new(format!("redis://127.0.0.1:{}", self.port))
    }

    /// Kills the server as a crash does.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Starts it again on the same port, empty.
    pub(crate) fn restart(&mut self) {
        self.kill();
        let process = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &self.port.to_string(), "--save", ""])
            .args(["--enable-debug-command", "yes", "--dir"])
            .arg(self.folder.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        self.process = Some(process);
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(started.elapsed() < Duration::from_secs(20), "Redis does not start");
            std::thread::yield_now();
        }
    }

    /// Sends a command, and returns the beginning of the answer.
    pub(crate) fn command(&self, line: &str) -> String {
        let mut stream = self.send(line);
        let mut answer = [0; 512];
        let length = stream.read(&mut answer).unwrap();
        String::from_utf8_lossy(&answer[..length]).into_owned()
    }

    /// Sends a command, and does not wait for the answer while the connection is kept.
    pub(crate) fn send(&self, line: &str) -> TcpStream {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(format!("{line}\r\n").as_bytes()).unwrap();
        stream
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}
