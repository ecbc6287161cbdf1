//! Runs the release binary with its own data directory.

use super::Process;
use crate::cores::Core;
use anyhow::{Context as _, Result, bail};
use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
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
    process: Process,
    address: SocketAddr,
    data: PathBuf,
}

impl Server {
    /// Starts the binary of this build on a free port, with its data below `folder`, which is empty
    /// the first time.
    pub(crate) fn start(build: &Path, folder: &Path) -> Result<Self> {
        Self::start_on(None, build, folder)
    }

    /// Starts it on one core, if `core` names one.
    pub(crate) fn start_on(core: Option<Core>, build: &Path, folder: &Path) -> Result<Self> {
        Self::start_with(core, build, folder, &[])
    }

    /// Starts it with further settings.
    pub(crate) fn start_with(
        core: Option<Core>,
        build: &Path,
        folder: &Path,
        environment: &[(&str, String)],
    ) -> Result<Self> {
        let data = folder.join("data");
        fs::create_dir_all(folder)?;
        let config = folder.join("izanagi.yaml");
        fs::write(&config, CONFIG)?;
        let mut command = Command::new(build.join("izanagi"));
        command
            .arg("serve")
            .env("IZANAGI_CONFIG", &config)
            .env("IZANAGI_DATA_DIR", &data)
            .env("IZANAGI_LISTEN", "127.0.0.1:0")
            .envs(environment.iter().map(|(name, value)| (name, value)))
            // The server logs as in production.
            .stderr(File::create(folder.join("server.log"))?)
            .stdout(Stdio::piped());
        let mut process = Process::start(&mut command, core)?;
        let address = process.child().stdout.take().context("no output").and_then(|output| {
            let mut line = String::new();
            BufReader::new(output).read_line(&mut line)?;
            let (_, address) = line.trim().split_once("http://").context("no address")?;
            Ok(address.parse()?)
        });
        match address {
            Ok(address) => Ok(Self { process, address, data }),
            Err(error) => {
                drop(process);
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

    /// Returns the process, which the caller ends.
    pub(crate) fn into_process(self) -> Process {
        self.process
    }

    /// Returns the CPU time used so far in seconds, user and kernel mode.
    pub(crate) fn processor_seconds(&self) -> Result<f64> {
        self.process.processor_seconds()
    }

    /// Returns the resident memory in MB.
    pub(crate) fn resident_megabytes(&self) -> Result<f64> {
        self.process.resident_megabytes()
    }

    /// Returns the most memory that was resident so far, in MB.
    pub(crate) fn peak_megabytes(&self) -> Result<f64> {
        self.process.peak_megabytes()
    }
}
