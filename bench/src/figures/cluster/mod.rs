//! Figures of two stores and several nodes, on real servers: PostgreSQL, a server of MongoDB's protocol
//! and Redis, as `scripts/services run` starts them.

mod commits;
mod edits;
mod fsck;
mod nodes;
mod scratch;

use super::Setting;
use crate::report::Report;
use anyhow::{Result, bail};
use scratch::Scratch;

/// Names of all measurements, in order.
pub(crate) const ALL: [&str; 4] =
    ["cluster-commits", "cluster-edits", "cluster-nodes", "cluster-fsck"];

/// Runs the named measurement on databases of its own, which are removed at the end.
pub(super) async fn measure(name: &str, setting: &Setting, report: &mut Report) -> Result<()> {
    let scratch = Scratch::create().await?;
    report.note_once(scratch.versions().await?);
    let result = match name {
        "cluster-commits" => commits::measure(setting, &scratch, report).await,
        "cluster-edits" => edits::measure(&scratch, report).await,
        "cluster-nodes" => nodes::measure(setting, &scratch, report),
        "cluster-fsck" => fsck::measure(setting, &scratch, report).await,
        _ => bail!("unknown measurement; available: {}", ALL.join(", ")),
    };
    scratch.remove().await?;
    result
}
