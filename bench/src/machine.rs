//! Description of the machine the figures were measured on.

use std::{fs, thread};

/// Returns cores, processor, memory and operating system in one line.
pub(crate) fn describe() -> String {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let processor = field("/proc/cpuinfo", "model name", ':');
    let memory = field("/proc/meminfo", "MemTotal", ':');
    let kib: u64 = memory.trim_end_matches(" kB").parse().unwrap_or_default();
    let system = field("/etc/os-release", "PRETTY_NAME", '=');
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!(
        "{cores} cores, {processor}; {} GiB; {}, Linux {}",
        kib.div_ceil(1024 * 1024),
        system.trim_matches('"'),
        kernel.trim()
    )
}

/// Returns the value of the first line that starts with `name`.
fn field(file: &str, name: &str, separator: char) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    let value = line.split_once(separator).map_or("unknown", |(_, value)| value);
    value.trim().to_owned()
}
