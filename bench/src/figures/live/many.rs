//! Many documents that a few people edit: what an update costs the server.

use super::{
    Live,
    contender::{AT_ONCE, Contender, Kind},
    crew::{Crew, Stage},
    outcome::{Load, Plan, Row, rounds},
    pace::Pace,
    script::Script,
};
use crate::{
    random::Random,
    report::{Report, Target},
    statistics::percentile,
};
use anyhow::Result;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use std::{cell::RefCell, path::Path, rc::Rc, time::Duration};

const DOCUMENTS: usize = 500;
/// Clients of a document, who write in turn.
const CLIENTS: usize = 4;
/// Users, four of whom work on each document.
const USERS: usize = 20;
/// Time between two updates of a document.
const INTERVAL: Duration = Duration::from_millis(500);
/// Bytes of each text.
const TEXT: usize = 2_000;
/// Updates of each client before the measurement.
const WARM_UP: u32 = 1;
/// Time after the last update that is measured too: Hocuspocus stores a document when nobody has
/// written for two seconds.
const STORING: Duration = Duration::from_millis(3_500);

// What is measured, by index.
const COST: usize = 0;
const P95: usize = 1;
const LOAD: usize = 2;
const LATE: usize = 3;

/// Measures the server's processor time for each receipt of an update.
pub(super) async fn measure(live: &Live<'_>, report: &mut Report) -> Result<()> {
    // Everybody writes equally often.
    let turns = u32::try_from(live.writing(6).as_millis() / INTERVAL.as_millis())?;
    let each = turns.div_ceil(CLIENTS as u32);
    let script = Script::new(&live.text(TEXT)?, CLIENTS, (WARM_UP + each) as usize)?;
    let script = Rc::new(script);
    let play = async |kind: Kind, folder: &Path| play(live, kind, folder, each, &script).await;
    let outcome = rounds(live, report, Plan::of("live-many"), play).await?;
    let what = format!("{DOCUMENTS} documents × {CLIENTS} clients, 2 updates/s a document");
    let target = Target::AtMost(0.5);
    let row = Row {
        what: format!("{what}: processor time a delivered update, with persistence"),
        figure: COST,
        unit: "µs",
        target,
    };
    outcome.add_share(report, row);
    outcome.note(report, &format!("{what}: broadcast, p95"), P95, "ms");
    outcome.note_generator(report, LOAD, LATE);
    Ok(())
}

async fn play(
    live: &Live<'_>,
    kind: Kind,
    folder: &Path,
    each: u32,
    script: &Rc<Script>,
) -> Result<Vec<f64>> {
    let contender = Contender::start(live, kind, folder, USERS).await?;
    let documents = contender.documents(DOCUMENTS, CLIENTS).await?;
    let stage = Stage::new(WARM_UP);
    let gather = documents
        .iter()
        .map(|document| Crew::gather(&contender, document, script, CLIENTS, &stage));
    let crews: Vec<Crew> = stream::iter(gather).buffered(AT_ONCE).try_collect().await?;
    contender.rest().await?;

    let turns = RefCell::new(vec![0; crews.len()]);
    let write = |document: usize| {
        let turn = &mut turns.borrow_mut()[document];
        *turn += 1;
        crews[document].write(*turn % CLIENTS)
    };
    let mut random = Random::new(3);
    let mut pace = |each: u32| Pace::new(&mut random, DOCUMENTS, INTERVAL, each * CLIENTS as u32);
    let (warm_up, measured) = (pace(WARM_UP), pace(each));
    warm_up.run(write).await?;
    stage.settle().await?;

    let (before, load) = (contender.processor_seconds()?, Load::begin());
    let late = measured.run(write).await?;
    stage.settle().await?;
    let load = load.percent();
    tokio::time::sleep(STORING).await;
    let processor = contender.processor_seconds()? - before;
    let waits = stage.waits();
    let cost = processor * 1e6 / waits.len() as f64;
    Ok(vec![cost, percentile(&waits, 0.95), load, late])
}
