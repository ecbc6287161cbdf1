//! Prints the table of figures: `cargo run --release -p izanagi-bench [NAME…]`; the name `live` stands
//! for all figures of live editing, `cluster` for those of several nodes.
//!
//! Missed targets are only printed. The exit code is nonzero if a measurement fails or produces a
//! wrong result.

#![allow(
    clippy::significant_drop_tightening,
    reason = "what is measured stays open until the end of its measurement"
)]

mod cores;
mod durable;
mod figures;
mod machine;
mod random;
mod report;
mod server;
mod sockets;
mod statistics;
mod trace;
mod world;

use anyhow::{Context as _, Result};
use figures::Setting;
use report::{Report, progress};
use std::{process::ExitCode, time::Instant};
use trace::Trace;

#[tokio::main]
async fn main() -> Result<ExitCode> {
    // In a task, as request handlers are: the main thread is not one of the runtime's workers, so each
    // step of a service would change threads.
    tokio::spawn(run()).await?
}

async fn run() -> Result<ExitCode> {
    let binary = std::env::current_exe().context("cannot find the path of the binary")?;
    let build = binary.parent().context("the binary is not in a build directory")?.to_owned();
    // Next to the build rather than in /tmp, which may be in memory.
    let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(&build)?;
    progress("reading the trace");
    let trace = Trace::load("seph-blog1")?;
    let setting = Setting { trace, folder: folder.path().to_owned(), build };

    let mut report = Report::default();
    report.note(setting.trace.origin());
    for name in chosen() {
        progress(format_args!("{name} …"));
        let start = Instant::now();
        if let Err(error) = figures::measure(&name, &setting, &mut report).await {
            report.failed(&name, &error);
        }
        progress(format_args!("{name}: {:.1} s", start.elapsed().as_secs_f64()));
    }
    report.print(&machine::describe())?;
    let complete = report.is_complete();
    Ok(if complete { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Returns the measurements named on the command line, or all but those of live editing and of a cluster.
fn chosen() -> Vec<String> {
    let named: Vec<String> = std::env::args().skip(1).collect();
    match named.as_slice() {
        [] => figures::ALL.map(str::to_owned).into(),
        [cluster] if cluster == "cluster" => figures::cluster::ALL.map(str::to_owned).into(),
        [live] if live == "live" => figures::live::ALL.map(str::to_owned).into(),
        _ => named,
    }
}
