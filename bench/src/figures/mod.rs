//! The measurements: one module per row of the table, or per group of rows that share work.

mod at_rest;
mod burst;
pub(crate) mod cluster;
mod commits;
mod comparison;
mod edits;
mod first_load;
mod history;
pub(crate) mod live;
mod mongo;
mod node;
mod people;
mod render;
mod rooms;
mod sign_ins;
mod timeline;
mod worst_cases;

use crate::{report::Report, trace::Trace};
use anyhow::Result;
use std::path::PathBuf;

/// Environment of a measurement.
pub(crate) struct Setting {
    /// Trace of a blog post, one keystroke per edit.
    pub(crate) trace: Trace,
    /// Empty directory on the measured disk, deleted at the end.
    pub(crate) folder: PathBuf,
    /// Build directory, with the binaries of this program and of the server.
    pub(crate) build: PathBuf,
}

/// Names of all measurements but those of live editing, in order.
pub(crate) const ALL: [&str; 13] = [
    "history",
    "commits",
    "edits",
    "comparison",
    "worst-cases",
    "render",
    "at-rest",
    "rooms",
    "sign-ins",
    "burst",
    "people",
    "first-load",
    "timeline",
];

/// Runs the named measurement.
pub(crate) async fn measure(name: &str, setting: &Setting, report: &mut Report) -> Result<()> {
    match name {
        "history" => history::measure(setting, report).await,
        "commits" => commits::measure(setting, report).await,
        "edits" => edits::measure(setting, report).await,
        "comparison" => comparison::measure(setting, report),
        "worst-cases" => worst_cases::measure(setting, report),
        "render" => render::measure(setting, report).await,
        "at-rest" => at_rest::measure(setting, report).await,
        "rooms" => rooms::measure(setting, report).await,
        "sign-ins" => sign_ins::measure(setting, report).await,
        "burst" => burst::measure(setting, report).await,
        "people" => people::measure(setting, report).await,
        "first-load" => first_load::measure(setting, report).await,
        "timeline" => timeline::measure(setting, report).await,
        // Not part of the table: it needs a server.
        "mongo" => mongo::measure(setting, report).await,
        cluster if cluster::ALL.contains(&cluster) => {
            cluster::measure(cluster, setting, report).await
        }
        live if live::ALL.contains(&live) => live::measure(live, setting, report),
        _ => {
            let all: Vec<&str> = ALL.into_iter().chain(live::ALL).chain(cluster::ALL).collect();
            anyhow::bail!("unknown measurement; available: {}", all.join(", "))
        }
    }
}
