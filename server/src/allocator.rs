//! Settings of the allocator.
//!
//! The server holds a few large blocks for a short time: texts, updates, responses. glibc maps such
//! a block by itself and returns it when it is freed, but only until the first one is freed: from
//! then on, blocks up to that size come from one of many arenas, which rarely shrink (mallopt(3),
//! `M_MMAP_THRESHOLD`). In a burst of large requests that was half of the resident memory. Fixed
//! thresholds prevent it. glibc reads them from the environment at the start of a program
//! ("Memory Allocation Tunables" in its manual).

/// Restarts this program once with settings for the allocator, unless the environment has some. If
/// that fails, the program goes on without them.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn tune() {
    use std::{env, os::unix::process::CommandExt as _, path::Path, process::Command, thread};
    const TUNABLES: &str = "GLIBC_TUNABLES";
    /// glibc removes its tunables from programs with capabilities, so they cannot mark a restart.
    const RESTARTED: &str = "IZANAGI_RESTARTED";
    let mut given = env::args_os();
    let (Ok(program), Some(name)) = (env::current_exe(), given.next()) else { return };
    let is_set = [TUNABLES, RESTARTED].iter().any(|name| env::var_os(name).is_some());
    // Started by a loader or under another name, the program may need what is not known here.
    if is_set || program.file_name() != Path::new(&name).file_name() {
        return;
    }
    let arenas = thread::available_parallelism().map_or(2, |number| number.get().max(2));
    let tunables = format!(
        "glibc.malloc.mmap_threshold=1048576:glibc.malloc.trim_threshold=1048576:\
         glibc.malloc.arena_max={arenas}"
    );
    let mut again = Command::new(program);
    again.arg0(name).args(given).env(TUNABLES, tunables).env(RESTARTED, "1");
    // It returns only if it fails. The process keeps its id and its files.
    let _ = again.exec();
}

/// Other allocators return large blocks.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn tune() {}

/// Makes writes to a closed connection fail instead of ending the process. Rust sees to that at the
/// start of a program, but a failed restart undoes it.
///
/// # Errors
/// The handler cannot be set.
pub fn ignore_broken_pipes() -> std::io::Result<()> {
    #[cfg(unix)]
    drop(tokio::signal::unix::signal(tokio::signal::unix::SignalKind::pipe())?);
    Ok(())
}
