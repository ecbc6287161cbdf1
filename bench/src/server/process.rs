//! A server process: its start, its processor time and its memory.

use crate::cores::{self, Core};
use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs,
    process::{Child, Command, ExitStatus},
    time::{Duration, Instant},
};

/// A running process; killed on drop.
#[derive(Debug)]
pub(crate) struct Process(Child);

impl Process {
    /// Starts a process, on one core if `core` names one.
    pub(crate) fn start(command: &mut Command, core: Option<Core>) -> Result<Self> {
        let child = cores::spawn(command, core);
        Ok(Self(child.with_context(|| format!("cannot start {:?}", command.get_program()))?))
    }

    /// Returns the child itself, to read what it prints.
    pub(crate) const fn child(&mut self) -> &mut Child {
        &mut self.0
    }

    /// Returns the CPU time used so far in seconds, user and kernel mode (proc(5)).
    pub(crate) fn processor_seconds(&self) -> Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id()))?;
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
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)).context(name)?;
        let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib * 1_024.0 / 1_000_000.0)
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        Ok(kill_process(Pid::from_child(&self.0), signal)?)
    }

    /// Asks the process to end, and waits until it has.
    pub(crate) async fn end(mut self) -> Result<()> {
        const PATIENCE: Duration = Duration::from_secs(60);
        self.signal(Signal::TERM)?;
        let start = Instant::now();
        while self.exited()?.is_none() {
            if start.elapsed() > PATIENCE {
                bail!("it did not end within {} s", PATIENCE.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Returns the exit status if the process has ended.
    pub(crate) fn exited(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.0.try_wait()?)
    }
}

/// Clock ticks per second: `sysconf(_SC_CLK_TCK)` on Linux.
const TICKS: f64 = 100.0;

impl Drop for Process {
    fn drop(&mut self) {
        // The process may have exited already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
