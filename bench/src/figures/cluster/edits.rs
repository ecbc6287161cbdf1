//! Durable live edits on PostgreSQL, against one commit an edit on as many connections as the pool has.

use super::Scratch;
use crate::{
    random::Random,
    report::{Figure, Number, Report, Target, progress},
    statistics::median,
    world::World,
};
use anyhow::{Context as _, Result, ensure};
use futures::{StreamExt as _, stream::FuturesUnordered};
use izanagi_shared::crdt::{Change, MAX_CLIENT_ID, TextDoc};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Edits in flight of one client, as a fast typist behind a slow network, or a paste, has.
const WINDOW: usize = 64;
const ROUNDS: usize = 5;
/// Edits and rows of all clients together in a round.
const EDITS: usize = 6_000;
const ROWS: usize = 1_500;
/// Approximate size of an edit in the log.
const ROW: [u8; 100] = [b'x'; 100];
/// Connections of the peer: those of the pool.
const CONNECTIONS: usize = 20;

pub(super) async fn measure(scratch: &Scratch, report: &mut Report) -> Result<()> {
    drop(scratch.rows().await?);
    let world = World::over(scratch.config()?).await?;
    for (documents, target) in [(1, 5.0), (50, 10.0)] {
        let mut typists = Vec::new();
        for index in 0..documents {
            typists.push(Typist::new(&world, index).await?);
        }
        let (mut edits, mut rows) = (Vec::new(), Vec::new());
        for round in 0..=ROUNDS {
            let rate = type_together(&mut typists).await?;
            let peer = insert_together(scratch, documents.min(CONNECTIONS)).await?;
            // The first round opens the rooms and the connections.
            if round > 0 {
                edits.push(rate);
                rows.push(peer);
            }
            progress(format_args!("{documents} documents: {rate:.0} edits/s, {peer:.0} rows/s"));
        }
        let (edits, rows) = (median(&edits), median(&rows));
        report.add(Figure {
            what: format!("live edits on PostgreSQL, durable, {documents} documents, against one commit an edit"),
            measured: format!("{} /s", Number(edits)),
            peer: format!("{} /s on {} connections", Number(rows), documents.min(CONNECTIONS)),
            value: edits / rows,
            unit: "×",
            target: Target::AtLeast(target),
        });
        for typist in &typists {
            typist.compare(&world).await?;
        }
    }
    world.close().await;
    Ok(())
}

/// A client that types into its own document.
struct Typist {
    connection: izanagi_domain::documents::LiveConnection,
    document: izanagi_shared::id::DocumentId,
    replica: TextDoc,
    at: u32,
}

impl Typist {
    async fn new(world: &World, index: usize) -> Result<Self> {
        let document = world.create("The first line.\n").await?;
        let connection = world.connect(document).await?;
        let missing = connection.poster().missing(vec![0]).await?;
        let client = 1 + Random::new(index as u64 + 77).next() % MAX_CLIENT_ID;
        Ok(Self { connection, document, replica: TextDoc::load(client, &missing.delta)?, at: 5 })
    }

    /// Types so many letters; at most [`WINDOW`] of them are not yet acknowledged.
    async fn type_letters(mut self, updates: Vec<Vec<u8>>) -> Result<Self> {
        let mut waiting = FuturesUnordered::new();
        for update in updates {
            if waiting.len() >= WINDOW {
                let posted: Option<Result<_, _>> = waiting.next().await;
                posted.context("nothing waits")??;
            }
            waiting.push(self.connection.poster().post(None, update).await?);
            // What others are told is not of interest here, but must not pile up.
            let mut events = Vec::new();
            let _ = futures::FutureExt::now_or_never(self.connection.events(&mut events));
        }
        while let Some(posted) = waiting.next().await {
            posted?;
        }
        Ok(self)
    }

    fn prepare(&mut self, count: usize) -> Vec<Vec<u8>> {
        let mut updates = Vec::with_capacity(count);
        for _ in 0..count {
            let letter = char::from(b'a' + (self.at % 26) as u8);
            let change = Change { from: self.at, to: self.at, insert: letter.into() };
            updates.push(self.replica.edit(&[change]));
            self.at += 1;
        }
        updates
    }

    async fn compare(&self, world: &World) -> Result<()> {
        let stored = world.text(self.document).await?;
        ensure!(stored == self.replica.text(), "the server's text differs from the client's");
        Ok(())
    }
}

async fn type_together(typists: &mut Vec<Typist>) -> Result<f64> {
    let each = EDITS / typists.len();
    let edits = each * typists.len();
    let prepared: Vec<_> = typists
        .drain(..)
        .map(|mut typist| {
            let updates = typist.prepare(each);
            (typist, updates)
        })
        .collect();
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for (typist, updates) in prepared {
        tasks.spawn(typist.type_letters(updates));
    }
    let finished = tokio::time::timeout(Duration::from_secs(120), tasks.join_all()).await?;
    let took = start.elapsed();
    for typist in finished {
        typists.push(typist?);
    }
    Ok(edits as f64 / took.as_secs_f64())
}

/// Inserts rows on so many connections at the same time, each row in a transaction of its own.
async fn insert_together(scratch: &Scratch, connections: usize) -> Result<f64> {
    let mut open = Vec::new();
    for _ in 0..connections {
        open.push(scratch.connect().await?);
    }
    let each = ROWS / connections;
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for mut connection in open {
        tasks.spawn(async move {
            for _ in 0..each {
                sqlx::query("INSERT INTO bench_rows (body) VALUES ($1)")
                    .bind(ROW.as_slice())
                    .execute(&mut connection)
                    .await?;
            }
            anyhow::Ok(())
        });
    }
    tasks.join_all().await.into_iter().collect::<Result<()>>()?;
    Ok((each * connections) as f64 / start.elapsed().as_secs_f64())
}
