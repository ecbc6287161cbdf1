//! One document that many edit or watch: how long an update takes to the others.

use super::{
    Live,
    contender::{Contender, Kind},
    crew::{Crew, Stage},
    outcome::{Load, Outcome, Plan, Row, rounds},
    pace::Pace,
    script::Script,
};
use crate::{
    random::Random,
    report::{Report, Target},
    statistics::percentile,
};
use anyhow::{Context as _, Result};
use std::{path::Path, rc::Rc, time::Duration};

/// Bytes of the text that is edited.
const TEXT: usize = 20_000;
/// Updates of a writer in a second.
const RATE: u32 = 10;
/// Seconds of writing before the measurement, in which a peer's code is compiled.
const WARM_UP: u32 = 2;

// What is measured, by index.
const P50: usize = 0;
const P95: usize = 1;
const ACKNOWLEDGED: usize = 2;
const PROCESSOR: usize = 3;
const LOAD: usize = 4;
const LATE: usize = 5;

/// Who takes part.
struct Scene {
    clients: usize,
    /// Clients who write too.
    writers: usize,
    /// Users to whom the clients belong.
    users: usize,
    seconds: u32,
}

/// Measures ten editors of one document.
pub(super) async fn editors(live: &Live<'_>, report: &mut Report) -> Result<()> {
    let seconds = u32::try_from(live.writing(30).as_secs())?;
    let scene = Scene { clients: 10, writers: 10, users: 10, seconds };
    let outcome = measure(live, report, "live-editors", &scene).await?;
    let what = format!("10 editors × {RATE} updates/s, one document: ");
    for (of, figure, limit) in [
        ("broadcast, p50", P50, 5.0),
        ("broadcast, p95", P95, 20.0),
        ("durable acknowledgement, p95", ACKNOWLEDGED, 25.0),
    ] {
        let target = Target::AtMost(limit);
        outcome.add(report, Row { what: format!("{what}{of}"), figure, unit: "ms", target });
    }
    outcome.note_generator(report, LOAD, LATE);
    Ok(())
}

/// Measures 200 clients of one document, of whom twenty write.
pub(super) async fn crowd(live: &Live<'_>, report: &mut Report) -> Result<()> {
    let seconds = u32::try_from(live.writing(5).as_secs())?;
    let scene = Scene { clients: 200, writers: 20, users: 20, seconds };
    let outcome = measure(live, report, "live-crowd", &scene).await?;
    let what = format!("200 clients, 20 of them writing {RATE}/s, one document: ");
    for (of, figure, unit, limit) in
        [("broadcast, p95", P95, "ms", 30.0), ("processor", PROCESSOR, "%", 50.0)]
    {
        let target = Target::AtMost(limit);
        outcome.add(report, Row { what: format!("{what}{of}"), figure, unit, target });
    }
    outcome.note_generator(report, LOAD, LATE);
    Ok(())
}

async fn measure(
    live: &Live<'_>,
    report: &mut Report,
    name: &str,
    scene: &Scene,
) -> Result<Outcome> {
    let updates = RATE * (WARM_UP + scene.seconds);
    let script = Rc::new(Script::new(&live.text(TEXT)?, scene.writers, updates as usize)?);
    let play = async |kind: Kind, folder: &Path| play(live, kind, folder, scene, &script).await;
    rounds(live, report, Plan::of(name), play).await
}

async fn play(
    live: &Live<'_>,
    kind: Kind,
    folder: &Path,
    scene: &Scene,
    script: &Rc<Script>,
) -> Result<Vec<f64>> {
    let contender = Contender::start(live, kind, folder, scene.users).await?;
    let documents = contender.documents(1, scene.users).await?;
    let document = documents.first().context("there is no document")?;
    let stage = Stage::new(RATE * WARM_UP);
    let crew = Crew::gather(&contender, document, script, scene.clients, &stage).await?;

    let mut random = Random::new(1);
    let interval = Duration::from_secs(1) / RATE;
    let mut pace = |seconds: u32| Pace::new(&mut random, scene.writers, interval, RATE * seconds);
    let (warm_up, measured) = (pace(WARM_UP), pace(scene.seconds));
    warm_up.run(|writer| crew.write(writer)).await?;

    let (before, load) = (contender.processor_seconds()?, Load::begin());
    let late = measured.run(|writer| crew.write(writer)).await?;
    stage.settle().await?;
    let processor = 100.0 * (contender.processor_seconds()? - before) / load.seconds();
    let load = load.percent();
    let acknowledged = if kind.is_peer() {
        f64::NAN
    } else {
        let sent = scene.writers * (RATE * scene.seconds) as usize;
        stage.settle_acknowledgements(sent).await?;
        percentile(&stage.acknowledged(), 0.95)
    };
    let waits = stage.waits();
    let (p50, p95) = (percentile(&waits, 0.5), percentile(&waits, 0.95));
    Ok(vec![p50, p95, acknowledged, processor, load, late])
}
