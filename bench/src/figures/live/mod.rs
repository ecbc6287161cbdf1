//! Live editing over sockets, beside npm's y-websocket and Hocuspocus: the same updates, encoded
//! beforehand, sent by the same generator to each server in turn. The server runs on one core, the
//! generator on one thread on another.

mod broadcast;
mod contender;
mod crew;
mod durable;
mod join;
mod many;
mod memory;
mod outcome;
mod pace;
mod peer;
mod script;

use super::Setting;
use crate::{
    cores::{self, Core},
    report::Report,
};
use anyhow::{Context as _, Result, bail};
use contender::Kind;
pub(super) use script::{Script, writer_of};
use std::{env, str::FromStr, thread, time::Duration};
use tokio::{runtime, task::LocalSet};

/// Names of all measurements, in order.
pub(crate) const ALL: [&str; 6] =
    ["live-editors", "live-crowd", "live-many", "live-durable", "live-join", "live-memory"];

/// Sockets of the largest measurement, and files besides them.
const FILES: u64 = 4_096;

/// Environment of the measurements.
struct Live<'a> {
    setting: &'a Setting,
    /// Core of the servers; none if there is only one.
    core: Option<Core>,
    /// Servers to measure.
    kinds: Vec<Kind>,
    /// Rounds, if the environment says how many.
    rounds: Option<usize>,
    /// Seconds of writing that are measured, if the environment says so.
    seconds: Option<u64>,
}

/// Runs the named measurement.
pub(super) fn measure(name: &str, setting: &Setting, report: &mut Report) -> Result<()> {
    // The generator has a thread of its own, so that it runs on one core and wakes no other thread.
    let generate = || -> Result<()> {
        let available = cores::available()?;
        let core = match available.as_slice() {
            [server, generator, ..] => {
                cores::bind(*generator)?;
                Some(*server)
            }
            _ => {
                report.note(format!("{name}: server and generator share a core"));
                None
            }
        };
        cores::allow_files(FILES)?;
        let live = Live {
            setting,
            core,
            kinds: kinds()?,
            rounds: number("BENCH_ROUNDS")?,
            seconds: number("BENCH_SECONDS")?,
        };
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        LocalSet::new().block_on(&runtime, run(name, &live, report))
    };
    let generated = thread::scope(|scope| scope.spawn(generate).join());
    generated.map_err(|_| anyhow::anyhow!("the generator panicked"))?
}

async fn run(name: &str, live: &Live<'_>, report: &mut Report) -> Result<()> {
    match name {
        "live-editors" => broadcast::editors(live, report).await,
        "live-crowd" => broadcast::crowd(live, report).await,
        "live-many" => many::measure(live, report).await,
        "live-durable" => durable::measure(live, report).await,
        "live-join" => join::measure(live, report).await,
        "live-memory" => memory::measure(live, report).await,
        _ => bail!("unknown measurement; available: {}", ALL.join(", ")),
    }
}

impl Live<'_> {
    /// Returns how long writing is measured, unless the environment says otherwise.
    fn writing(&self, seconds: u64) -> Duration {
        Duration::from_secs(self.seconds.unwrap_or(seconds))
    }

    /// Returns a text of about this many bytes.
    fn text(&self, bytes: usize) -> Result<String> {
        let text = self.setting.trace.texts(1).last().context("the trace is empty")?;
        Ok(text[..text.floor_char_boundary(bytes)].to_owned())
    }
}

/// Returns the servers named by `BENCH_SERVERS`, or all.
fn kinds() -> Result<Vec<Kind>> {
    match env::var("BENCH_SERVERS") {
        Ok(names) => names.split(',').map(Kind::named).collect(),
        Err(_) => Ok(Kind::ALL.into()),
    }
}

/// Returns a number from the environment, for shorter runs.
fn number<T: FromStr>(name: &str) -> Result<Option<T>>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    match env::var(name) {
        Ok(text) => Ok(Some(text.parse().with_context(|| format!("{name} is not a number"))?)),
        Err(_) => Ok(None),
    }
}
