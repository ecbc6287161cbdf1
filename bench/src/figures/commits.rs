//! Commit latency, against the latency of a minimal durable write.

use super::{Setting, history::VERSIONS};
use crate::{
    durable::DurableInserts,
    report::{Figure, Number, Report, Target},
    statistics::{median, milliseconds},
    world::World,
};
use anyhow::Result;
use std::{fs, time::Instant};

/// Number of measured commits, and of warm-up commits before them.
const COMMITS: usize = 300;
const WARM_UP: usize = 20;
/// A minimal row; no commit could store less.
const SMALL: [u8; 100] = [b'x'; 100];

/// Measures row 3. Commits and inserts alternate, and the outbox is emptied between them.
pub(super) async fn measure(setting: &Setting, report: &mut Report) -> Result<()> {
    let folder = setting.folder.join("commits");
    fs::create_dir(&folder)?;
    let world = World::new(&folder).await?;
    let mut inserts = DurableInserts::open(world.file()).await?;
    let document = world.create("").await?;
    let jobs = &world.services.jobs;
    let (mut commits, mut small, mut whole) = (Vec::new(), Vec::new(), Vec::new());
    // From the middle of the history, where the text has its average length.
    let texts = setting.trace.texts(VERSIONS).skip(VERSIONS / 2).take(WARM_UP + COMMITS);
    for (index, text) in texts.enumerate() {
        world.write(document, text.clone()).await?;
        jobs.work_off().await?;
        let start = Instant::now();
        world.commit(document).await?;
        let took = start.elapsed();
        jobs.work_off().await?;
        let small_took = inserts.insert(&SMALL).await?;
        let whole_took = inserts.insert(text.as_bytes()).await?;
        if index >= WARM_UP {
            commits.push(milliseconds(took));
            small.push(milliseconds(small_took));
            whole.push(milliseconds(whole_took));
        }
    }
    inserts.close().await?;
    let (commit, insert) = (median(&commits), median(&small));
    report.add(Figure {
        what: "commit through the services, against one raw durable insert".to_owned(),
        measured: format!("median {} ms", Number(commit)),
        peer: format!("median {} ms", Number(insert)),
        value: commit / insert,
        unit: "×",
        target: Target::AtMost(3.0),
    });
    report.note(format!(
        "the raw insert is a row of {} B; inserting the whole text takes {} ms (median)",
        SMALL.len(),
        Number(median(&whole)),
    ));
    world.close().await;
    Ok(())
}
