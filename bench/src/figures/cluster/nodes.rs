//! Two server processes over the same stores: how long an edit on one takes to be visible on the other.

use super::{Scratch, Setting};
use crate::{
    figures::live::{Script, writer_of},
    report::{Figure, Number, Report, Target},
    server::{Server, Session},
    sockets::{Client, Dialect, Link, Received, Receiver},
    statistics::{milliseconds, percentile},
};
use anyhow::{Context as _, Result, ensure};
use izanagi_shared::{crdt::inspect_update, id::DocumentId};
use std::{
    net::{Ipv4Addr, SocketAddr},
    ops::ControlFlow,
    thread,
    time::{Duration, Instant},
};
use tokio::{runtime, task::LocalSet};

/// Edits that are measured with Redis, and without it, and the time between two of them.
const EDITS: usize = 400;
const EDITS_WITHOUT: usize = 60;
const WARM_UP: usize = 20;
const PAUSE: Duration = Duration::from_millis(10);
const PAUSE_WITHOUT: Duration = Duration::from_millis(333);
/// An edit that takes longer never arrives.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) fn measure(setting: &Setting, scratch: &Scratch, report: &mut Report) -> Result<()> {
    let with = scratch.environment()?;
    // Nothing listens there: the bus of each node is dead from the start.
    let mut without = with.clone();
    for (name, value) in &mut without {
        if *name == "REDIS_URL" {
            "redis://127.0.0.1:9".clone_into(value);
        }
    }
    let plan = [
        ("", with, EDITS, PAUSE, 40.0),
        (", with Redis dead", without, EDITS_WITHOUT, PAUSE_WITHOUT, 5_000.0),
    ];
    for (number, (what, environment, edits, pause, target)) in plan.into_iter().enumerate() {
        let folder = setting.folder.join(format!("nodes-{number}"));
        let start =
            |name: &str| Server::start_with(None, &setting.build, &folder.join(name), &environment);
        let (here, there) = (start("a")?, start("b")?);
        let addresses = (here.address(), there.address());
        // The clients are on one thread, which is none of the runtime's.
        let waits =
            thread::scope(|scope| scope.spawn(|| watch(addresses, number, edits, pause)).join());
        let waits = waits.map_err(|_| anyhow::anyhow!("the clients panicked"))??;
        let p95 = percentile(&waits, 0.95);
        report.add(Figure {
            what: format!("an edit on node A, visible on node B{what}, p95"),
            measured: format!(
                "median {} ms, p95 {} ms",
                Number(percentile(&waits, 0.5)),
                Number(p95)
            ),
            peer: String::new(),
            value: p95,
            unit: "ms",
            target: Target::AtMost(target),
        });
    }
    Ok(())
}

fn watch(
    addresses: (SocketAddr, SocketAddr),
    number: usize,
    edits: usize,
    pause: Duration,
) -> Result<Vec<f64>> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        let watching = watch_edits(addresses, number, edits, pause);
        let limit = PATIENCE + pause * u32::try_from(edits + WARM_UP)? * 2;
        tokio::time::timeout(limit, watching).await.context("not every edit came")?
    })
}

async fn watch_edits(
    (here, there): (SocketAddr, SocketAddr),
    number: usize,
    edits: usize,
    pause: Duration,
) -> Result<Vec<f64>> {
    let mut user = Session::sign_up(here, &format!("writer{number}")).await?;
    let document = user.create("").await?;
    let script = Script::new("The first line.\n", 1, WARM_UP + edits)?;
    let (writer, _inbox) = join(&user, here, document, &script).await?;
    let (_reader, mut receiver) = join(&user, there, document, &script).await?;
    let start = Instant::now();
    let writing = async {
        let mut sent = Vec::new();
        for number in 0..WARM_UP + edits {
            sent.push(start.elapsed());
            writer.post(script.update(0, number).context("the script is over")?)?;
            tokio::time::sleep(pause).await;
        }
        anyhow::Ok(sent)
    };
    let mut came = vec![None; WARM_UP + edits];
    let reading = receiver.listen(|at, received| {
        if let Received::Update(update) = received {
            for range in inspect_update(update)?.structs {
                if writer_of(range.client) == Some(0) {
                    for number in range.start..range.end {
                        let came = came.get_mut(number as usize).context("an unknown edit")?;
                        came.get_or_insert(at - start);
                    }
                }
            }
        }
        let is_over = came.iter().all(Option::is_some);
        Ok(if is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    });
    let (sent, read) = tokio::join!(writing, reading);
    read?;
    let both = sent?.into_iter().zip(came).skip(WARM_UP);
    let waits: Vec<f64> =
        both.filter_map(|(sent, came)| Some(milliseconds(came?.saturating_sub(sent)))).collect();
    let expected = script.text_of(0).context("no writer")?;
    let text = user.at(there).await?.text(document).await?;
    ensure!(text == expected, "node B has another text");
    Ok(waits)
}

async fn join(
    user: &Session,
    address: SocketAddr,
    document: DocumentId,
    script: &Script,
) -> Result<(Client, Receiver)> {
    let path = format!("/ws/yjs/{document}?token={}&acks=1", user.token());
    let link = Link { from: Ipv4Addr::LOCALHOST, address, path, dialect: Dialect::Yjs };
    drop(Client::seed(&link, &script.seed).await?);
    let (client, receiver, _) = Client::join(&link).await?;
    Ok((client, receiver))
}
