//! Which core a thread or process runs on, and the limits of this process.

use anyhow::{Result, bail};
use rustix::{
    process::{Resource, Rlimit, getrlimit, setrlimit},
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
    time::{ClockId, clock_gettime},
};
use std::{
    io,
    process::{Child, Command},
    thread,
    time::Duration,
};

/// A core that this process may use, by the kernel's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Core(usize);

/// Returns the cores that this process may use.
pub(crate) fn available() -> Result<Vec<Core>> {
    let set = sched_getaffinity(None)?;
    Ok((0..CpuSet::MAX_CPU).filter(|core| set.is_set(*core)).map(Core).collect())
}

/// Binds the current thread to a core, and with it the threads that it starts from now on.
pub(crate) fn bind(core: Core) -> io::Result<()> {
    let mut set = CpuSet::new();
    set.set(core.0);
    Ok(sched_setaffinity(None, &set)?)
}

/// Starts a process, on one core if `core` names one: as `taskset` does.
pub(crate) fn spawn(command: &mut Command, core: Option<Core>) -> io::Result<Child> {
    let Some(core) = core else { return command.spawn() };
    // A process inherits the cores of the thread that starts it.
    let start = || {
        bind(core)?;
        command.spawn()
    };
    thread::scope(|scope| scope.spawn(start).join())
        .map_err(|_| io::Error::other("the starting thread panicked"))?
}

/// Returns the CPU time that the current thread has used.
pub(crate) fn thread_time() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap_or_default()
}

/// Raises the limit of open files as far as it goes, and checks that it suffices.
pub(crate) fn allow_files(needed: u64) -> Result<()> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    match maximum {
        Some(maximum) if maximum < needed => {
            bail!("{needed} open files are needed, {maximum} are allowed (`ulimit -Hn`)")
        }
        _ => Ok(()),
    }
}
