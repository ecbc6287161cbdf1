//! Memory, and the wait of an uninvolved user, while many large requests arrive at once.

use super::Setting;
use crate::{
    random::Random,
    report::{Figure, Number, Report, Target},
    server::{Server, Session},
    statistics::{milliseconds, percentile},
};
use anyhow::{Context as _, Result, bail, ensure};
use izanagi_shared::id::DocumentId;
use serde_json::json;
use std::{
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

const PUTS: usize = 50;
const COMPARISONS: usize = 200;
/// Bytes of each text.
const SIZE: usize = 10 * 1024 * 1024;
/// Documents that the comparisons are spread over.
const COMPARED: usize = 4;
/// Different numbers of context lines. With more of them, the JSON would exceed its limit of lines.
const CONTEXTS: usize = 10;
/// Interval between the requests of the uninvolved user.
const PAUSE: Duration = Duration::from_millis(20);
/// A request is repeated until it succeeds or this time is over.
const PATIENCE: Duration = Duration::from_secs(600);

/// Measures [`PUTS`] parallel replacements and [`COMPARISONS`] parallel comparisons of [`SIZE`].
pub(super) async fn measure(setting: &Setting, report: &mut Report) -> Result<()> {
    let server = Server::start(&setting.build, &setting.folder.join("burst"))?;
    let mut writer = Session::sign_up(server.address(), "writer").await?;
    let mut reader = Session::sign_up(server.address(), "reader").await?;
    let small = reader.create("A few words.\n").await?;
    let mut empty = Vec::new();
    for _ in 0..PUTS {
        empty.push(writer.create("").await?);
    }
    let mut compared = Vec::new();
    for number in 0..COMPARED {
        let id = writer.create("").await?;
        for edited in [false, true] {
            let request = writer.put_request(id, &text(number, edited))?;
            writer.send(&request).await?.ok()?;
            writer.post(&format!("/documents/{id}/versions"), &json!({})).await?;
        }
        compared.push(id);
    }

    let load = Arc::new(Load::default());
    let watching = tokio::spawn(watch(reader, small, Arc::clone(&load)));
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for (number, id) in empty.into_iter().enumerate() {
        let mut session = writer.at(server.address()).await?;
        let load = Arc::clone(&load);
        tasks.spawn(async move {
            let request = session.put_request(id, &text(number, false))?;
            load.until_done(&mut session, &request).await
        });
    }
    for number in 0..COMPARISONS {
        let mut session = writer.at(server.address()).await?;
        let load = Arc::clone(&load);
        // Different questions, so that few answers could be shared.
        let (from, to) = if number % 2 == 0 { (1, 2) } else { (2, 1) };
        let (id, context) = (compared[number % COMPARED], number / COMPARED % CONTEXTS);
        let path = format!("/api/v1/documents/{id}/diff?from={from}&to={to}&context={context}");
        let request = session.get_request(&path);
        tasks.spawn(async move { load.until_done(&mut session, &request).await });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    let seconds = start.elapsed().as_secs_f64();
    load.is_over.store(true, Ordering::Relaxed);
    let waits = watching.await??;
    let peak = server.peak_megabytes()?;
    let refused = load.refused.load(Ordering::Relaxed);
    let what = format!("{PUTS} PUTs and {COMPARISONS} comparisons of 10 MiB at once");
    report.add(Figure {
        what: format!("{what}: peak memory"),
        measured: format!("{} MB", Number(peak)),
        peer: String::new(),
        value: peak,
        unit: "MB",
        target: Target::AtMost(600.0),
    });
    let p95 = percentile(&waits, 0.95);
    report.add(Figure {
        what: format!("{what}: GET of another user, p95"),
        measured: format!("{} ms of {} requests", Number(p95), waits.len()),
        peer: String::new(),
        value: p95,
        unit: "ms",
        target: Target::AtMost(100.0),
    });
    report.note(format!(
        "{what}: all succeeded within {} s; {refused} were refused with 503 and repeated",
        Number(seconds)
    ));
    Ok(())
}

/// State shared by the requests of the burst.
#[derive(Default)]
struct Load {
    is_over: AtomicBool,
    refused: AtomicUsize,
}

impl Load {
    /// Repeats a request as long as it is refused with 503 and `Retry-After`.
    async fn until_done(&self, session: &mut Session, request: &[u8]) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            let response = session.send(request).await?;
            if response.status != 503 {
                response.ok()?;
                return Ok(());
            }
            self.refused.fetch_add(1, Ordering::Relaxed);
            let seconds = response.header("retry-after").context("503 without Retry-After")?;
            tokio::time::sleep(Duration::from_secs(seconds.parse()?)).await;
        }
        bail!("still refused after {} s", PATIENCE.as_secs())
    }
}

/// Reads a small document until the burst is over; returns the wait for each answer in
/// milliseconds.
async fn watch(mut session: Session, id: DocumentId, load: Arc<Load>) -> Result<Vec<f64>> {
    let mut waits = Vec::new();
    while !load.is_over.load(Ordering::Relaxed) {
        let start = Instant::now();
        ensure!(session.text(id).await? == "A few words.\n", "another text was returned");
        waits.push(milliseconds(start.elapsed()));
        tokio::time::sleep(PAUSE).await;
    }
    Ok(waits)
}

/// Returns lines of words. In the edited text every hundredth line differs.
fn text(seed: usize, edited: bool) -> String {
    let mut random = Random::new(seed as u64 + 1);
    let mut text = String::with_capacity(SIZE + 100);
    let mut line = 0;
    while text.len() < SIZE {
        line += 1;
        for _ in 0..12 {
            // Writing to a `String` cannot fail.
            let _ = write!(text, "{:x} ", random.below(100_000));
        }
        text.push_str(if edited && line % 100 == 0 { "edited\n" } else { "\n" });
    }
    text.truncate(SIZE);
    text
}
