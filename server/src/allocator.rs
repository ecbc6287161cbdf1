//! Settings of the allocator.
//!
//! The server holds a few large blocks for a short time: texts, updates, responses. glibc maps such
//! a block by itself and returns it when it is freed, but only until the first one is freed: from
//! then on, blocks up to that size come from one of many arenas, which rarely shrink (mallopt(3),
//! `M_MMAP_THRESHOLD`). In a burst of large requests that was half of the resident memory. Fixed
//! thresholds prevent it. glibc reads them from the environment at the start of a program
//! ("Memory Allocation Tunables" in its manual).

/// Restarts this program with settings for the allocator, unless the environment has some. If that
/// fails, the program goes on without them.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn tune() {
    use std::{env, os::unix::process::CommandExt as _, process::Command, thread};
    const TUNABLES: &str = "GLIBC_TUNABLES";
    let mut given = env::args_os();
    let (None, Ok(program), Some(name)) = (env::var_os(TUNABLES), env::current_exe(), given.next())
    else {
        return;
    };
    let arenas = thread::available_parallelism().map_or(2, |number| number.get().max(2));
    let tunables = format!(
        "glibc.malloc.mmap_threshold=1048576:glibc.malloc.trim_threshold=1048576:\
         glibc.malloc.arena_max={arenas}"
    );
    // It returns only if it fails. The process keeps its id and its files.
    let _ = Command::new(program).arg0(name).args(given).env(TUNABLES, tunables).exec();
}

/// Other allocators return large blocks.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn tune() {}
