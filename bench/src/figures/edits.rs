//! Durable edits over HTTP: sixteen clients edit sixteen documents concurrently.

use super::Setting;
use crate::{
    durable::DurableInserts,
    random::Random,
    report::{Figure, Number, Report, Target},
    server::{Server, Session},
    statistics::{median, milliseconds, percentile},
};
use anyhow::{Context as _, Result, ensure};
use izanagi_shared::{
    crdt::{Change, MAX_CLIENT_ID, TextDoc},
    id::DocumentId,
};
use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::Mutex, task::JoinSet};

const CLIENTS: usize = 16;
const ROUNDS: usize = 9;
/// Edits per client and rows per peer task in a round. Both take about a second if a durable write
/// takes a few milliseconds.
const EDITS: usize = 200;
const ROWS: usize = 12;
/// Approximate size of an edit in the log.
const ROW: [u8; 100] = [b'x'; 100];

/// Measures row 4, alternating between edits and inserts into the server's own file.
pub(super) async fn measure(setting: &Setting, report: &mut Report) -> Result<()> {
    let server = Server::start(&setting.build, &setting.folder.join("edits"))?;
    let text = setting.trace.texts(2).next().context("the trace is empty")?;
    let mut typists = Vec::new();
    for index in 0..CLIENTS {
        typists.push(Typist::new(server.address(), index, &text).await?);
    }
    let inserts = Arc::new(Mutex::new(DurableInserts::open(&server.database()).await?));

    let (mut edits, mut rows, mut waits) = (Vec::new(), Vec::new(), Vec::new());
    let mut busy = Vec::new();
    for round in 0..ROUNDS {
        let before = server.processor_seconds()?;
        let (rate, waited) = type_together(&mut typists).await?;
        let used = server.processor_seconds()? - before;
        // The first round opens the rooms, so it is not counted.
        if round > 0 {
            edits.push(rate);
            busy.push(used * 1e6 / (CLIENTS * EDITS) as f64);
            waits.extend(waited.into_iter().map(milliseconds));
            rows.push(insert_together(&inserts).await?);
        }
    }
    for typist in &mut typists {
        typist.compare_with_server().await?;
    }
    let (edits, rows) = (median(&edits), median(&rows));
    report.add(Figure {
        what: format!(
            "edits over HTTP, {CLIENTS} clients on {CLIENTS} documents, against durable inserts"
        ),
        measured: format!("{} /s", Number(edits)),
        peer: format!("{} /s", Number(rows)),
        value: edits / rows,
        unit: "×",
        target: Target::AtLeast(4.0),
    });
    report.note(format!(
        "an edit over HTTP is acknowledged after {} ms (median), {} ms (p99); it takes {} µs of server \
         CPU time",
        Number(median(&waits)),
        Number(percentile(&waits, 0.99)),
        Number(median(&busy)),
    ));
    Ok(())
}

/// A client that types into its own document.
struct Typist {
    session: Session,
    document: DocumentId,
    replica: TextDoc,
    /// Position of the next character.
    at: u32,
    typed: u64,
}

impl Typist {
    async fn new(address: SocketAddr, index: usize, text: &str) -> Result<Self> {
        let mut session = Session::sign_up(address, &format!("typist-{index}")).await?;
        let document = session.create(text).await?;
        let client = 1 + Random::new(index as u64).next() % MAX_CLIENT_ID;
        let replica = TextDoc::load(client, &session.state(document).await?)?;
        Ok(Self { session, document, replica, at: 1_000, typed: 0 })
    }

    /// Builds the requests that type the next characters, before the clock starts.
    fn prepare(&mut self) -> Result<Vec<Vec<u8>>> {
        let mut requests = Vec::new();
        for _ in 0..EDITS {
            let letter = char::from(b'a' + (self.typed % 26) as u8);
            let change = Change { from: self.at, to: self.at, insert: letter.into() };
            let delta = self.replica.edit(&[change]);
            self.at += 1;
            self.typed += 1;
            let op_id = format!("op-{}", self.typed);
            requests.push(self.session.op_request(self.document, &op_id, &delta)?);
        }
        Ok(requests)
    }

    /// Sends the requests in turn and returns the time each took.
    async fn send(&mut self, requests: Vec<Vec<u8>>) -> Result<Vec<Duration>> {
        let mut waited = Vec::with_capacity(requests.len());
        for request in requests {
            let start = Instant::now();
            self.session.send_op(&request).await?;
            waited.push(start.elapsed());
        }
        Ok(waited)
    }

    async fn compare_with_server(&mut self) -> Result<()> {
        let there = self.session.text(self.document).await?;
        ensure!(there == self.replica.text(), "the server's text differs from the client's");
        Ok(())
    }
}

/// Runs one round and returns edits per second and the latency of each edit.
async fn type_together(typists: &mut Vec<Typist>) -> Result<(f64, Vec<Duration>)> {
    let mut prepared = Vec::new();
    for mut typist in typists.drain(..) {
        let requests = typist.prepare()?;
        prepared.push((typist, requests));
    }
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for (mut typist, requests) in prepared {
        tasks.spawn(async move { typist.send(requests).await.map(|waited| (typist, waited)) });
    }
    let finished = tasks.join_all().await;
    let took = start.elapsed();
    let mut waits = Vec::new();
    for result in finished {
        let (typist, waited) = result?;
        typists.push(typist);
        waits.extend(waited);
    }
    Ok(((CLIENTS * EDITS) as f64 / took.as_secs_f64(), waits))
}

/// Runs the same number of tasks, each inserting its rows in separate transactions. They take turns
/// on the single writer that SQLite allows. Returns rows per second.
pub(super) async fn insert_together(inserts: &Arc<Mutex<DurableInserts>>) -> Result<f64> {
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..CLIENTS {
        let inserts = Arc::clone(inserts);
        tasks.spawn(async move {
            for _ in 0..ROWS {
                inserts.lock().await.insert(&ROW).await?;
            }
            anyhow::Ok(())
        });
    }
    tasks.join_all().await.into_iter().collect::<Result<()>>()?;
    Ok((CLIENTS * ROWS) as f64 / start.elapsed().as_secs_f64())
}
