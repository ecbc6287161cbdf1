//! Resident memory after wrong sign-ins, each of which takes 19 MiB while it is checked.

use super::Setting;
use crate::{
    report::{Figure, Number, Report, Target},
    server::{Connection, Server, request},
};
use anyhow::{Result, ensure};
use std::time::Duration;

/// Connections that try to sign in at the same time, and attempts of each.
const CONNECTIONS: usize = 20;
const ATTEMPTS: usize = 10;
/// Idle time before memory is read.
const REST: Duration = Duration::from_secs(60);

/// Measures the memory that remains after 200 wrong sign-ins.
pub(super) async fn measure(setting: &Setting, report: &mut Report) -> Result<()> {
    let server = Server::start(&setting.build, &setting.folder.join("sign-ins"))?;
    let address = server.address();
    let attempts = (0..CONNECTIONS).map(|number| {
        tokio::spawn(async move {
            let mut connection = Connection::open(address).await?;
            for attempt in 0..ATTEMPTS {
                let wrong = serde_json::json!({
                    "login": format!("nobody-{number}-{attempt}"),
                    "password": "not the password",
                });
                let headers = "content-type: application/json\r\n";
                let body = serde_json::to_vec(&wrong)?;
                let wrong = request("POST", "/api/v1/auth/login", headers, &body);
                let status = connection.send(&wrong).await?.status;
                ensure!(status == 401, "a wrong sign-in was answered with {status}");
            }
            Ok(())
        })
    });
    let attempts: Vec<_> = attempts.collect();
    for attempt in attempts {
        attempt.await??;
    }
    let peak = server.peak_megabytes()?;
    tokio::time::sleep(REST).await;
    let megabytes = server.resident_megabytes()?;
    report.add(Figure {
        what: format!(
            "{} wrong sign-ins and {} s of rest, resident memory",
            CONNECTIONS * ATTEMPTS,
            REST.as_secs()
        ),
        measured: format!("{} MB", Number(megabytes)),
        peer: format!("peak {} MB", Number(peak)),
        value: megabytes,
        unit: "MB",
        target: Target::AtMost(80.0),
    });
    Ok(())
}
