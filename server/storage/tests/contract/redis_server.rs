//! A Redis server that a test may stop and damage.

use crate::services;
use izanagi_storage::RedisPlace;
use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// A private server on a port of its own.
pub(crate) struct RedisServer {
    port: u16,
    folder: TempDir,
    process: Option<Child>,
    is_tls: bool,
}

impl RedisServer {
    /// Starts a server. `None` where there are no services.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(false)
    }

    /// Starts a server with TLS and an authority of its own, whose certificate is `ca.pem`.
    pub(crate) fn start_with_tls() -> Option<Self> {
        Self::start_with(true)
    }

    fn start_with(is_tls: bool) -> Option<Self> {
        services::url("TEST_REDIS_URL")?;
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        if is_tls {
            certify(folder.path());
        }
        let mut server = Self { port, folder, process: None, is_tls };
        server.restart();
        Some(server)
    }

    /// A place of the server by TLS, whose authority is trusted.
    pub(crate) fn place_by_tls(&self) -> RedisPlace {
        let file = self.folder.path().join("ca.pem");
        let url = format!("rediss://127.0.0.1:{}?sslrootcert={}", self.port, file.display());
        RedisPlace::new(url)
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
        let port = self.port.to_string();
        let ports = if self.is_tls {
            vec!["--port", "0", "--tls-port", &port, "--tls-auth-clients", "no"]
        } else {
            vec!["--port", &port]
        };
        let files = ["--tls-cert-file", "cert.pem", "--tls-key-file", "key.pem"];
        let process = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", ""])
            .args(ports)
            .args(if self.is_tls { &files[..] } else { &[] })
            .args(if self.is_tls { &["--tls-ca-cert-file", "ca.pem"][..] } else { &[] })
            .current_dir(self.folder.path())
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

/// Makes an authority, and a key and certificate for 127.0.0.1 that it signs.
fn certify(folder: &Path) {
    fs::write(folder.join("names"), "subjectAltName=IP:127.0.0.1\n").unwrap();
    let steps = [
        "req -x509 -newkey rsa:2048 -nodes -subj /CN=authority -days 2 -keyout ca.key -out ca.pem",
        "req -newkey rsa:2048 -nodes -subj /CN=server -keyout key.pem -out server.csr",
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names \
         -out cert.pem",
    ];
    for step in steps {
        let mut openssl = Command::new("openssl");
        openssl.args(step.split_whitespace()).current_dir(folder);
        assert!(openssl.stderr(Stdio::null()).status().unwrap().success(), "openssl {step}");
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}
