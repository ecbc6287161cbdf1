//! The rounds of a measurement, and its rows in the report.

use super::{Live, contender::Kind, peer};
use crate::{
    cores,
    report::{Figure, Number, Report, Target, progress},
    statistics::median,
};
use anyhow::Result;
use std::{
    path::Path,
    time::{Duration, Instant},
};

/// What each server achieved in each round.
pub(super) struct Outcome {
    name: String,
    /// For each round the server and its figures, whose order is that of the measurement.
    rounds: Vec<(Kind, Vec<f64>)>,
}

/// What is measured how often.
pub(super) struct Plan<'a> {
    pub(super) name: &'a str,
    /// Rounds, unless the environment says otherwise.
    pub(super) rounds: usize,
    pub(super) kinds: &'a [Kind],
}

impl<'a> Plan<'a> {
    /// Measures all servers in three rounds.
    pub(super) const fn of(name: &'a str) -> Self {
        Self { name, rounds: 3, kinds: &Kind::ALL }
    }
}

/// Measures each server in each round, in turn, each time with a directory of its own. A server that
/// fails is reported and left out.
pub(super) async fn rounds(
    live: &Live<'_>,
    report: &mut Report,
    Plan { name, rounds, kinds }: Plan<'_>,
    measure: impl AsyncFn(Kind, &Path) -> Result<Vec<f64>>,
) -> Result<Outcome> {
    let mut outcome = Outcome { name: name.to_owned(), rounds: Vec::new() };
    let mut failed = Vec::new();
    for round in 0..live.rounds.unwrap_or(rounds) {
        for kind in kinds.iter().copied().filter(|kind| live.kinds.contains(kind)) {
            if failed.contains(&kind) {
                continue;
            }
            let folder = live.setting.folder.join(format!("{name}-{kind}-{round}"));
            match measure(kind, &folder).await {
                Ok(figures) => {
                    let shown: Vec<String> =
                        figures.iter().map(|figure| Number(*figure).to_string()).collect();
                    progress(format_args!("{name}, {kind}: {}", shown.join(", ")));
                    outcome.rounds.push((kind, figures));
                }
                Err(error) => {
                    report.failed(&format!("{name}, {kind}"), &error);
                    failed.push(kind);
                }
            }
            std::fs::remove_dir_all(&folder).ok();
        }
    }
    if kinds.iter().any(|kind| kind.is_peer()) {
        report.note_once(format!("peers: {}", peer::versions()?));
    }
    Ok(outcome)
}

/// A row of the report.
pub(super) struct Row {
    pub(super) what: String,
    /// Index of the figure.
    pub(super) figure: usize,
    pub(super) unit: &'static str,
    pub(super) target: Target,
}

impl Outcome {
    /// Returns the median of a figure over the rounds of a server.
    pub(super) fn median(&self, kind: Kind, figure: usize) -> Option<f64> {
        let of_kind = self.rounds.iter().filter(|(of, _)| *of == kind);
        let values: Vec<f64> = of_kind.filter_map(|(_, all)| all.get(figure).copied()).collect();
        (!values.is_empty()).then(|| median(&values))
    }

    /// Returns a figure of several servers for the report.
    fn list(&self, kinds: impl Iterator<Item = Kind>, figure: usize, unit: &str) -> String {
        let of = |kind: Kind| {
            let value = self.median(kind, figure).filter(|value| value.is_finite())?;
            Some(format!("{kind} {} {unit}", Number(value)))
        };
        kinds.filter_map(of).collect::<Vec<_>>().join(", ")
    }

    fn peers(&self, figure: usize, unit: &str) -> String {
        self.list(Kind::ALL.into_iter().filter(|kind| kind.is_peer()), figure, unit)
    }

    /// Notes a figure of all servers below the table.
    pub(super) fn note(&self, report: &mut Report, what: &str, figure: usize, unit: &str) {
        note(report, what, &self.list(Kind::ALL.into_iter(), figure, unit));
    }

    /// Adds a row with our figure beside the peers'.
    pub(super) fn add(&self, report: &mut Report, row: Row) {
        let Row { what, figure, unit, target } = row;
        let peers = self.peers(figure, unit);
        let Some(value) = self.median(Kind::Izanagi, figure) else {
            note(report, &what, &peers);
            return;
        };
        let peer = if peers.is_empty() { "–".to_owned() } else { peers };
        let measured = format!("{} {unit}", Number(value));
        report.add(Figure { what, measured, peer, value, unit, target });
    }

    /// Adds a row with our figure as a share of the better peer's.
    pub(super) fn add_share(&self, report: &mut Report, row: Row) {
        let Row { what, figure, unit, target } = row;
        let peers = Kind::ALL.iter().filter(|kind| kind.is_peer());
        let best = peers.filter_map(|kind| self.median(*kind, figure)).min_by(f64::total_cmp);
        let peer = self.peers(figure, unit);
        let (Some(ours), Some(best)) = (self.median(Kind::Izanagi, figure), best) else {
            note(report, &what, &peer);
            return;
        };
        let measured = format!("{} {unit}", Number(ours));
        report.add(Figure { what, measured, peer, value: ours / best, unit: "×", target });
    }

    /// Notes how much the generator did, so that it can be seen that it was not what limited the
    /// servers; `load` and `late` are indices of figures.
    pub(super) fn note_generator(&self, report: &mut Report, load: usize, late: usize) {
        if self.rounds.is_empty() {
            return;
        }
        let worst = |figure: usize| {
            let all = self.rounds.iter().filter_map(|(_, all)| all.get(figure).copied());
            all.max_by(f64::total_cmp).unwrap_or_default()
        };
        report.note(format!(
            "{}: the generator used at most {} % of its core, and sent at most {} ms late (p99)",
            self.name,
            Number(worst(load)),
            Number(worst(late))
        ));
    }
}

fn note(report: &mut Report, what: &str, figures: &str) {
    if !figures.is_empty() {
        report.note(format!("{what}: {figures}"));
    }
}

/// How busy the generator's thread is.
pub(super) struct Load {
    start: Instant,
    used: Duration,
}

impl Load {
    pub(super) fn begin() -> Self {
        Self { start: Instant::now(), used: cores::thread_time() }
    }

    /// Returns the share of the core used since the beginning in percent.
    pub(super) fn percent(&self) -> f64 {
        let used = cores::thread_time().saturating_sub(self.used);
        100.0 * used.as_secs_f64() / self.start.elapsed().as_secs_f64()
    }

    /// Returns the time since the beginning in seconds.
    pub(super) fn seconds(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }
}
