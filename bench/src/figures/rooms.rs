//! Resident memory of documents that are open and quiet.

use super::Setting;
use crate::{
    report::{Figure, Number, Report, Target},
    server::{Connection, Server, Session, request},
};
use anyhow::{Context as _, Result};
use std::time::Duration;

/// Number of documents, and bytes of text of each.
const DOCUMENTS: usize = 1_000;
const BYTES: usize = 50_000;
/// Idle time before memory is read: a room drops its cached text after ten seconds.
const REST: Duration = Duration::from_secs(15);

/// Measures the memory of [`DOCUMENTS`] loaded documents of [`BYTES`], written by one edit each.
pub(super) async fn measure(setting: &Setting, report: &mut Report) -> Result<()> {
    let folder = setting.folder.join("rooms");
    let writing = Server::start(&setting.build, &folder)?;
    let mut session = Session::sign_up(writing.address(), "writer").await?;
    let source = setting.trace.texts(1).last().context("the trace is empty")?;
    let source = &source[..source.floor_char_boundary(BYTES)];
    let mut ids = Vec::new();
    for number in 0..DOCUMENTS {
        // Different texts, so that nothing can be shared.
        let text = format!("{number}\n{source}");
        ids.push(session.create(&text).await?);
    }
    drop(writing);

    // A new process has no memory left over from the writing.
    let server = Server::start(&setting.build, &folder)?;
    let mut session = session.at(server.address()).await?;
    let mut visitor = Connection::open(server.address()).await?;
    visitor.send(&request("GET", "/", "", b"")).await?.ok()?;
    session.state(ids[0]).await?;
    tokio::time::sleep(REST).await;
    let before = server.resident_megabytes()?;
    for id in &ids {
        session.state(*id).await?;
    }
    tokio::time::sleep(REST).await;
    let each = (server.resident_megabytes()? - before) * 1_000.0 / (DOCUMENTS - 1) as f64;
    report.add(Figure {
        what: format!("{DOCUMENTS} loaded quiet documents of 50 KB, resident memory of each"),
        measured: format!("{} KB", Number(each)),
        peer: format!("text {} KB", Number(BYTES as f64 / 1_000.0)),
        value: each,
        unit: "KB",
        target: Target::AtMost(60.0),
    });
    Ok(())
}
