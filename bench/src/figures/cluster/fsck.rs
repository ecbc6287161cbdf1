//! How fast `fsck` checks versions in two stores.

use super::{Scratch, Setting};
use crate::{
    report::{Figure, Number, Report, Target, progress},
    world::World,
};
use anyhow::{Result, ensure};
use izanagi_domain::fsck::Repair;
use std::time::Instant;

/// Documents, and versions of each.
const DOCUMENTS: usize = 20;
const VERSIONS: usize = 100;

pub(super) async fn measure(
    setting: &Setting,
    scratch: &Scratch,
    report: &mut Report,
) -> Result<()> {
    let world = World::over(scratch.config()?).await?;
    for number in 0..DOCUMENTS {
        let document = world.create("").await?;
        for text in setting.trace.texts(VERSIONS) {
            world.write(document, text).await?;
            world.commit(document).await?;
        }
        world.services.jobs.work_off().await?;
        progress(format_args!("{} documents of {DOCUMENTS}", number + 1));
    }
    let start = Instant::now();
    let found = world.services.fsck.run(Repair::No).await?;
    let minutes = start.elapsed().as_secs_f64() / 60.0;
    ensure!(found.faults.is_empty(), "fsck: {:?}", found.faults);
    let versions = found.versions as f64;
    report.add(Figure {
        what: "fsck over PostgreSQL and MongoDB: every version read and hashed".to_owned(),
        measured: format!("{} versions in {} s", Number(versions), Number(minutes * 60.0)),
        peer: String::new(),
        value: versions / minutes,
        unit: "/min",
        target: Target::AtLeast(20_000.0),
    });
    world.close().await;
    Ok(())
}
