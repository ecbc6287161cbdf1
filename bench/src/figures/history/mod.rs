//! A blog post with 10,000 versions committed through the services: storage size and read latency.

mod edits;
mod reads;
mod size;

use super::Setting;
use crate::{
    report::{Number, Report, progress},
    statistics::{median, milliseconds},
    trace::Trace,
    world::World,
};
use anyhow::{Result, ensure};
use flate2::{Compression, write::ZlibEncoder};
use izanagi_shared::id::DocumentId;
use std::{fs, io::Write as _, time::Instant};

/// Number of versions.
pub(super) const VERSIONS: usize = 10_000;

/// Measures rows 1 and 2.
pub(super) async fn measure(setting: &Setting, report: &mut Report) -> Result<()> {
    let folder = setting.folder.join("history");
    fs::create_dir(&folder)?;
    let world = World::new(&folder).await?;
    let document = build(&world, &setting.trace, report).await?;
    // Closing the database checkpoints its WAL into the file that is measured.
    let world = world.reopen().await?;
    size::measure(&world, &setting.trace, report).await?;
    reads::measure(&world, document, report).await?;
    edits::measure(&world, &setting.trace, report).await?;
    world.close().await;
    Ok(())
}

/// Commits every text in turn while the job runner demotes old versions in the background.
async fn build(world: &World, trace: &Trace, report: &mut Report) -> Result<DocumentId> {
    world.services.start();
    let document = world.create("").await?;
    let (mut edits, mut commits) = (Vec::new(), Vec::new());
    let start = Instant::now();
    for (index, text) in trace.texts(VERSIONS).enumerate() {
        let begin = Instant::now();
        world.write(document, text).await?;
        let written = Instant::now();
        let version = world.commit(document).await?;
        edits.push(milliseconds(written - begin));
        commits.push(milliseconds(written.elapsed()));
        ensure!(
            version.number == index as u64 + 1,
            "version {} has number {}",
            index + 1,
            version.number
        );
        if version.number.is_multiple_of(1_000) {
            progress(format_args!(
                "{} versions, {:.0} s",
                version.number,
                start.elapsed().as_secs_f64()
            ));
        }
    }
    let committed = start.elapsed();
    world.settle().await?;
    report.note(format!(
        "{VERSIONS} versions through the services: {:.0} s, demotion finished after {:.0} s; \
         median edit {} ms, median commit {} ms, with demotion in the background",
        committed.as_secs_f64(),
        start.elapsed().as_secs_f64(),
        Number(median(&edits)),
        Number(median(&commits)),
    ));
    Ok(document)
}

/// Returns the zlib-compressed size of a text in bytes.
fn zlib_bytes(text: &str) -> Result<usize> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes())?;
    Ok(encoder.finish()?.len())
}
