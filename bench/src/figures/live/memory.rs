//! Memory of idle connections, and of documents that are open and quiet.

use super::{
    Live,
    contender::{AT_ONCE, Contender, Document, Kind},
    outcome::{Plan, Row, rounds},
    script::Script,
};
use crate::{
    report::{Report, Target},
    sockets::{Client, Receiver},
};
use anyhow::Result;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use std::path::Path;

const CONNECTIONS: usize = 2_000;
const DOCUMENTS: usize = 2_000;
/// Users, each with as many documents and connections. As many documents have the idle connections.
const USERS: usize = 20;
/// Bytes of each document's text.
const TEXT: usize = 5_000;

// What is measured, by index.
const CONNECTION: usize = 0;
const DOCUMENT: usize = 1;

/// Measures what a server needs for each of them.
pub(super) async fn measure(live: &Live<'_>, report: &mut Report) -> Result<()> {
    let seed = Script::new(&live.text(TEXT)?, 0, 0)?.seed;
    let play = async |kind: Kind, folder: &Path| play(live, kind, folder, &seed).await;
    // Memory does not depend on the moment, and filling the stores takes long.
    let plan = Plan { rounds: 1, ..Plan::of("live-memory") };
    let outcome = rounds(live, report, plan, play).await?;
    for (what, figure, limit) in [
        (format!("{CONNECTIONS} idle connections: resident memory of each"), CONNECTION, 12.0),
        (
            format!("{DOCUMENTS} quiet documents: resident memory of each beyond its encoding"),
            DOCUMENT,
            4.0,
        ),
    ] {
        outcome.add(report, Row { what, figure, unit: "KB", target: Target::AtMost(limit) });
    }
    report.note(format!(
        "a quiet document has a text of {TEXT} bytes and one connection, whose memory is subtracted; \
         the peers' memory is read after a garbage collection"
    ));
    Ok(())
}

async fn play(live: &Live<'_>, kind: Kind, folder: &Path, seed: &[u8]) -> Result<Vec<f64>> {
    let contender = Contender::start(live, kind, folder, USERS).await?;
    let documents = contender.documents(DOCUMENTS, 1).await?;
    let write = async |document| Client::seed(&contender.link(document, 0)?, seed).await.map(drop);
    let writing = stream::iter(documents.iter().map(write)).buffer_unordered(AT_ONCE);
    writing.try_collect::<()>().await?;
    contender.rest().await?;
    let (few, others) = documents.split_at(USERS);

    // A new process has no memory left over from the writing.
    let contender = contender.restart(live).await?;
    let first = join_all(&contender, few.iter(), seed).await?;
    let before = contender.resident_bytes().await?;
    let idle = join_all(&contender, few.iter().cycle().take(CONNECTIONS), seed).await?;
    let connection = (contender.resident_bytes().await? - before) / CONNECTIONS as f64;
    drop((first, idle));

    let contender = contender.restart(live).await?;
    let first = join_all(&contender, few.iter(), seed).await?;
    let before = contender.resident_bytes().await?;
    let quiet = join_all(&contender, others.iter(), seed).await?;
    let each = (contender.resident_bytes().await? - before) / others.len() as f64;
    drop((first, quiet));
    let beyond = each - connection - seed.len() as f64;
    Ok(vec![connection / 1_000.0, beyond / 1_000.0])
}

/// Joins documents, and waits until each is complete.
async fn join_all<'a>(
    contender: &Contender,
    documents: impl Iterator<Item = &'a Document>,
    seed: &[u8],
) -> Result<Vec<Receiver>> {
    let join = async |document| {
        let (_, mut receiver, _) = Client::join(&contender.link(document, 0)?).await?;
        receiver.has(seed).await?;
        anyhow::Ok(receiver)
    };
    stream::iter(documents.map(join)).buffer_unordered(AT_ONCE).try_collect().await
}
