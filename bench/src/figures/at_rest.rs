//! Resident memory of an idle server, and of quiet documents in memory.

use super::Setting;
use crate::{
    report::{Figure, Number, Report, Target},
    server::{Connection, Server, Session, request},
};
use anyhow::Result;
use std::time::Duration;

/// Idle time after the last request.
const REST: Duration = Duration::from_secs(5);
/// Documents that are opened, and their bytes.
const DOCUMENTS: usize = 1_000;
const SIZE: usize = 50_000;

/// Measures row 7: a server with an empty data directory that has served one page.
pub(super) async fn measure(setting: &Setting, report: &mut Report) -> Result<()> {
    let server = Server::start(&setting.build, &setting.folder.join("at-rest"))?;
    let mut connection = Connection::open(server.address()).await?;
    connection.send(&request("GET", "/", "", b"")).await?.ok()?;
    drop(connection);
    tokio::time::sleep(REST).await;
    let megabytes = server.resident_megabytes()?;
    report.add(Figure {
        what: "idle server, resident memory".to_owned(),
        measured: format!("{} MB", Number(megabytes)),
        peer: String::new(),
        value: megabytes,
        unit: "MB",
        target: Target::AtMost(60.0),
    });
    measure_documents(&server, report).await
}

/// Measures what each of many quiet documents adds: the difference between half of them and all, so
/// that what the server allocates once is not counted.
async fn measure_documents(server: &Server, report: &mut Report) -> Result<()> {
    let mut session = Session::sign_up(server.address(), "quiet").await?;
    let text = "Fifty. ".repeat(SIZE / 7);
    let mut documents = Vec::new();
    for _ in 0..DOCUMENTS {
        documents.push(session.create(&text).await?);
    }
    let mut resident = Vec::new();
    for half in documents.chunks(DOCUMENTS / 2) {
        for document in half {
            session.state(*document).await?;
        }
        tokio::time::sleep(REST).await;
        resident.push(server.resident_megabytes()?);
    }
    let kilobytes = (resident[1] - resident[0]) * 1_000.0 / (DOCUMENTS / 2) as f64;
    report.add(Figure {
        what: format!("a loaded quiet document of 50 KB, one of {DOCUMENTS}"),
        measured: format!("{} KB", Number(kilobytes)),
        peer: String::new(),
        value: kilobytes,
        unit: "KB",
        target: Target::AtMost(60.0),
    });
    Ok(())
}
