//! Joining a document that is open already: from connecting to having its state.

use super::{
    Live,
    contender::{Contender, Kind},
    outcome::{Load, Plan, Row, rounds},
    script::worked_on,
};
use crate::{
    report::{Report, Target},
    sockets::Client,
    statistics::{milliseconds, percentile},
};
use anyhow::{Context as _, Result, ensure};
use std::{
    path::Path,
    time::{Duration, Instant},
};

/// Bytes of the state.
const STATE: usize = 200_000;
const JOINS: usize = 100;
/// Joins before the measurement, in which a peer's code is compiled.
const WARM_UP: usize = 20;
/// Time for the server to see that the last client has left.
const PAUSE: Duration = Duration::from_millis(5);

/// Measures clients that join one after the other.
pub(super) async fn measure(live: &Live<'_>, report: &mut Report) -> Result<()> {
    let state = worked_on(STATE)?;
    let play = async |kind: Kind, folder: &Path| play(live, kind, folder, &state).await;
    let outcome = rounds(live, report, Plan::of("live-join"), play).await?;
    let row = Row {
        what: "connect and receive a state of 200 KB, p95".to_owned(),
        figure: 0,
        unit: "ms",
        target: Target::AtMost(30.0),
    };
    outcome.add(report, row);
    Ok(())
}

async fn play(live: &Live<'_>, kind: Kind, folder: &Path, state: &[u8]) -> Result<Vec<f64>> {
    let contender = Contender::start(live, kind, folder, 1).await?;
    let documents = contender.documents(1, 1).await?;
    let link = contender.link(documents.first().context("there is no document")?, 0)?;
    // It stays, so that the document stays open.
    let _seeder = Client::seed(&link, state).await?;
    let mut waits = Vec::with_capacity(JOINS);
    let load = Load::begin();
    for number in 0..WARM_UP + JOINS {
        let start = Instant::now();
        let (_, _, received) = Client::join(&link).await?;
        if number >= WARM_UP {
            waits.push(milliseconds(start.elapsed()));
        }
        // Servers may encode the same state differently.
        ensure!(received.len() > state.len() / 2, "{} bytes received", received.len());
        tokio::time::sleep(PAUSE).await;
    }
    Ok(vec![percentile(&waits, 0.95), load.percent()])
}
