//! Read latency of old and new versions.

use super::VERSIONS;
use crate::{
    random::Random,
    report::{Figure, Number, Report, Target},
    statistics::{median, milliseconds, percentile},
    world::World,
};
use anyhow::{Result, ensure};
use izanagi_shared::id::DocumentId;
use std::time::Instant;

/// Number of versions read from each half of the history.
const READS: usize = 2_000;

/// Measures row 2. Each version is read once and in random order, so that caches do not help.
pub(super) async fn measure(
    world: &World,
    document: DocumentId,
    report: &mut Report,
) -> Result<()> {
    let mut random = Random::new(2);
    let half = VERSIONS / 2;
    let mut chosen = Vec::new();
    for numbers in [1..=half, half + 1..=VERSIONS] {
        let mut numbers = Vec::from_iter(numbers);
        random.shuffle(&mut numbers);
        chosen.extend(numbers.into_iter().take(READS));
    }
    random.shuffle(&mut chosen);

    let (mut oldest, mut newest) = (Vec::new(), Vec::new());
    for number in chosen {
        let start = Instant::now();
        let reader = world.reader(document).await?;
        let version = world.services.versions.get(&reader, number as u64).await?;
        let took = milliseconds(start.elapsed());
        let length = version.content.map_or(0, |content| content.len() as u64);
        ensure!(length == version.length, "version {number} was read back with {length} bytes");
        if number <= half { oldest.push(took) } else { newest.push(took) }
    }
    let all = [oldest.as_slice(), newest.as_slice()].concat();
    let p99 = percentile(&all, 0.99);
    let (old, new) = (percentile(&oldest, 0.99), percentile(&newest, 0.99));
    report.add(Figure {
        what: format!("read of {} of them, nothing cached: p99", 2 * READS),
        measured: format!("median {} ms", Number(median(&all))),
        peer: String::new(),
        value: p99,
        unit: "ms",
        target: Target::AtMost(5.0),
    });
    report.add(Figure {
        what: "read: p99 of the oldest half / of the newest".to_owned(),
        measured: format!("{} ms", Number(old)),
        peer: format!("{} ms", Number(new)),
        value: old / new,
        unit: "×",
        target: Target::AtMost(2.0),
    });
    Ok(())
}
