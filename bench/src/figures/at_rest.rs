//! Resident memory of an idle server.

use super::Setting;
use crate::{
    report::{Figure, Number, Report, Target},
    server::{Connection, Server, request},
};
use anyhow::Result;
use std::time::Duration;

/// Idle time after the only request.
const REST: Duration = Duration::from_secs(5);

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
    Ok(())
}
