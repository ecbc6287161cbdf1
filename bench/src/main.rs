//! Prints the table of figures: `cargo run --release -p izanagi-bench [NAME…]`.
//!
//! A missed target is printed and nothing more; what could not be measured, or came out wrong, is
//! a failure.

mod durable;
mod figures;
mod machine;
mod random;
mod report;
mod server;
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
    let binary = std::env::current_exe().context("cannot tell where the binary is")?;
    let build = binary.parent().context("the binary lies in no build")?.to_owned();
    // Beside the build and not in /tmp, which may be no disk at all.
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

/// The measurements that the command line names, or all.
fn chosen() -> Vec<String> {
    let named: Vec<String> = std::env::args().skip(1).collect();
    if named.is_empty() { figures::ALL.map(str::to_owned).into() } else { named }
}
