//! The timeline of a document with 100,000 edits, in a real browser.

use super::Setting;
use crate::{
    report::{Figure, Number, Report, Target, progress},
    server::{Server, Session},
    statistics::{median, milliseconds, percentile},
    world::World,
};
use anyhow::{Context as _, Result, ensure};
use futures::future::join_all;
use izanagi_shared::{crdt::TextDoc, id::DocumentId};
use serde::Deserialize;
use std::{
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

/// Number of edits.
const EDITS: usize = 100_000;
/// Edits in flight, so that the log writer can write them together.
const AT_ONCE: usize = 100;
/// Any client id that the server does not use.
const CLIENT: u64 = 7;

/// What the browser measured, in milliseconds.
#[derive(Debug, Deserialize)]
struct Times {
    opened: Vec<f64>,
    applied: Vec<f64>,
    painted: Vec<f64>,
}

/// Measures opening and seeking.
pub(super) async fn measure(setting: &Setting, report: &mut Report) -> Result<()> {
    let folder = setting.folder.join("timeline");
    let server = Server::start(&setting.build, &folder)?;
    let reader = Session::sign_up(server.address(), "reader").await?;
    let (file, user) = (server.database(), reader.user().parse()?);
    drop(server);

    let world = World::at(file, user).await?;
    let document = write(&world, setting, report).await?;
    world.close().await;

    let server = Server::start(&setting.build, &folder)?;
    let mut session = reader.at(server.address()).await?;
    let path = format!("/api/v1/documents/{document}/edits/replay");
    let mut answers = Vec::new();
    let mut bytes = (0, 0);
    for _ in 0..5 {
        let start = Instant::now();
        bytes.0 = session.get(&path, "").await?.ok()?.len();
        answers.push(milliseconds(start.elapsed()));
        bytes.1 = session.get(&path, "accept-encoding: br\r\n").await?.ok()?.len();
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("timeline.mjs");
    let output = Command::new("node")
        .arg(script)
        .args([format!("http://{}", server.address()), document.to_string(), EDITS.to_string()])
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start node")?;
    ensure!(output.status.success(), "node: {}", output.status);
    let Times { opened, applied, painted } = serde_json::from_slice(&output.stdout)?;
    let figure = |what: &str, measured, value, limit| Figure {
        what: format!("timeline of {EDITS} edits: {what}"),
        measured,
        peer: String::new(),
        value,
        unit: "ms",
        target: Target::AtMost(limit),
    };
    let slowest = opened.iter().copied().fold(0.0, f64::max);
    report.add(figure(
        "opened with an empty cache, until it can be played",
        format!("slowest {} ms", Number(slowest)),
        median(&opened),
        1_000.0,
    ));
    report.add(figure(
        "seek to a random edit, until painted: p95",
        format!("laid out {} ms", Number(percentile(&applied, 0.95))),
        percentile(&painted, 0.95),
        50.0,
    ));
    report.note(format!(
        "timeline: the server sends {EDITS} edits in {} ms (median), {} KB, {} KB with brotli",
        Number(median(&answers)),
        Number(bytes.0 as f64 / 1_000.0),
        Number(bytes.1 as f64 / 1_000.0),
    ));
    Ok(())
}

/// Types the trace, one edit a keystroke.
async fn write(world: &World, setting: &Setting, report: &mut Report) -> Result<DocumentId> {
    let documents = &world.services.documents;
    let id = world.create("").await?;
    let reader = world.reader(id).await?;
    let state = documents.missing(&reader, vec![0]).await?.delta;
    let mut replica = TextDoc::load(CLIENT, &state)?;
    let editor = world.editor(id).await?;
    let start = Instant::now();
    let texts = setting.trace.texts(setting.trace.transactions());
    let (mut sent, mut waiting) = (0, Vec::new());
    for text in texts {
        if sent + waiting.len() == EDITS {
            break;
        }
        let Some(delta) = replica.replace_with(&text) else { continue };
        waiting.push(((sent + waiting.len()).to_string(), delta));
        if waiting.len() == AT_ONCE {
            sent += waiting.len();
            let submitted = waiting.drain(..).map(|(op_id, delta)| {
                let editor = &editor;
                async move { documents.submit(editor, &op_id, delta).await }
            });
            join_all(submitted).await.into_iter().collect::<std::result::Result<Vec<_>, _>>()?;
            if sent % 10_000 == 0 {
                progress(format_args!("{sent} edits, {:.0} s", start.elapsed().as_secs_f64()));
            }
        }
    }
    ensure!(sent == EDITS, "the trace has only {sent} edits");
    report.note(format!("{EDITS} edits of the trace took {:.0} s", start.elapsed().as_secs_f64()));
    Ok(id)
}
