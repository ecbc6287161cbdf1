//! Runs the release binary with its own data directory.

use anyhow::{Context as _, Result, bail};
use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// Raises the rate limits so that they do not affect the measurements.
const CONFIG: &str = "\
limits:
  signIn: { count: 1000, per: 1s }
  signInUnknown: { count: 1000, per: 1s }
  signInAddress: { count: 1000, per: 1s }
  signUp: { count: 1000, per: 1s }
  writes: { count: 1000000, per: 1s }
  reads: { count: 1000000, per: 1s }
";

/// A running server; killed on drop.
#[derive(Debug)]
pub(crate) struct Server {
    process: Child,
    address: SocketAddr,
    data: PathBuf,
}

impl Server {
    /// Starts the binary of this build on a free port, with an empty data directory below `folder`.
    pub(crate) fn start(build: &Path, folder: &Path) -> Result<Self> {
        let binary = build.join("izanagi");
        let data = folder.join("data");
        fs::create_dir_all(folder)?;
        let config = folder.join("izanagi.yaml");
        fs::write(&config, CONFIG)?;
        let mut process = Command::new(&binary)
            .arg("serve")
            .env("IZANAGI_CONFIG", &config)
            .env("IZANAGI_DATA_DIR", &data)
            .env("IZANAGI_LISTEN", "127.0.0.1:0")
            // The server logs as in production.
            .stderr(File::create(folder.join("server.log"))?)
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        let address = process.stdout.take().context("no output").and_then(|output| {
            let mut line = String::new();
            BufReader::new(output).read_line(&mut line)?;
            let (_, address) = line.trim().split_once("http://").context("no address")?;
            Ok(address.parse()?)
        });
        match address {
            Ok(address) => Ok(Self { process, address, data }),
            Err(error) => {
                let _ = process.kill();
                let _ = process.wait();
                let log = fs::read_to_string(folder.join("server.log")).unwrap_or_default();
                bail!("the server did not start ({error:#}): {}", log.trim())
            }
        }
    }

    /// Returns the listening address.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the path of the database.
    pub(crate) fn database(&self) -> PathBuf {
        self.data.join("izanagi.db")
    }

    /// Returns the CPU time used so far in seconds, user and kernel mode (proc(5)).
    pub(crate) fn processor_seconds(&self) -> Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        // The name in parentheses may contain anything; the state follows it as the third field.
        let (_, fields) = stat.rsplit_once(')').context("no name")?;
        let mut ticks = fields.split_whitespace().skip(11).map(str::parse::<f64>);
        let (user, system) =
            (ticks.next().context("no utime")??, ticks.next().context("no stime")??);
        Ok((user + system) / TICKS)
    }

    /// Returns the resident memory in MB (`VmRSS`, proc(5)).
    pub(crate) fn resident_megabytes(&self) -> Result<f64> {
        self.memory("VmRSS:")
    }

    /// Returns the most memory that was resident so far, in MB (`VmHWM`, proc(5)).
    pub(crate) fn peak_megabytes(&self) -> Result<f64> {
        self.memory("VmHWM:")
    }

    fn memory(&self, name: &'static str) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)).context(name)?;
        let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib * 1_024.0 / 1_000_000.0)
    }
}

/// Clock ticks per second: `sysconf(_SC_CLK_TCK)` on Linux.
const TICKS: f64 = 100.0;

impl Drop for Server {
    fn drop(&mut self) {
        // The process may have exited already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
