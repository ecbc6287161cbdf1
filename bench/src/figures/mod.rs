//! What is measured: one module for each row of the table, or for rows that share their work.

mod at_rest;
mod commits;
mod comparison;
mod edits;
mod first_load;
mod history;
mod node;
mod worst_cases;

use crate::{report::Report, trace::Trace};
use anyhow::Result;
use std::path::PathBuf;

/// What every measurement works with.
pub(crate) struct Setting {
    /// A blog post, keystroke by keystroke.
    pub(crate) trace: Trace,
    /// A folder on the disk that is measured, empty and deleted at the end.
    pub(crate) folder: PathBuf,
    /// The folder of the build, with this program's and the server's binary.
    pub(crate) build: PathBuf,
}

/// The names of all measurements, in order.
pub(crate) const ALL: [&str; 7] =
    ["history", "commits", "edits", "comparison", "worst-cases", "at-rest", "first-load"];

/// Does one measurement.
pub(crate) async fn measure(name: &str, setting: &Setting, report: &mut Report) -> Result<()> {
    match name {
        "history" => history::measure(setting, report).await,
        "commits" => commits::measure(setting, report).await,
        "edits" => edits::measure(setting, report).await,
        "comparison" => comparison::measure(setting, report),
        "worst-cases" => worst_cases::measure(setting, report),
        "at-rest" => at_rest::measure(setting, report).await,
        "first-load" => first_load::measure(setting, report).await,
        _ => anyhow::bail!("there is no such measurement; there are {}", ALL.join(", ")),
    }
}
