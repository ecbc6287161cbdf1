//! Durable edits over sockets: sixteen clients type into a document each, without waiting for each
//! acknowledgement, beside one durable SQLite insert each.

use super::{
    Live,
    contender::{Contender, Kind},
    outcome::{Plan, rounds},
    script::Script,
};
use crate::{
    durable::DurableInserts,
    figures::edits::insert_together,
    report::{Figure, Number, Report, Target},
    sockets::{Client, Received, Receiver},
};
use anyhow::{Context as _, Result, ensure};
use std::{ops::ControlFlow, path::Path, rc::Rc, sync::Arc, time::Instant};
use tokio::{sync::Mutex, task::JoinSet};

const CLIENTS: usize = 16;
/// Edits of each client before and while the clock runs.
const WARM_UP: usize = 200;
const EDITS: usize = 2_000;
/// Edits that a client has sent and not yet seen acknowledged.
const WINDOW: usize = 64;
/// Bytes of each text.
const TEXT: usize = 20_000;

// What is measured, by index.
const EDITS_A_SECOND: usize = 0;
const INSERTS_A_SECOND: usize = 1;
const COST: usize = 2;

/// Measures acknowledged edits a second.
pub(super) async fn measure(live: &Live<'_>, report: &mut Report) -> Result<()> {
    let script = Rc::new(Script::new(&live.text(TEXT)?, 1, WARM_UP + EDITS)?);
    let play = async |kind: Kind, folder: &Path| play(live, kind, folder, &script).await;
    // The peers acknowledge nothing.
    let plan = Plan { kinds: &[Kind::Izanagi], ..Plan::of("live-durable") };
    let outcome = rounds(live, report, plan, play).await?;
    let of = |figure| outcome.median(Kind::Izanagi, figure);
    let (Some(edits), Some(inserts)) = (of(EDITS_A_SECOND), of(INSERTS_A_SECOND)) else {
        return Ok(());
    };
    report.add(Figure {
        what: format!(
            "edits over sockets, {CLIENTS} clients on {CLIENTS} documents, against durable inserts"
        ),
        measured: format!("{} /s", Number(edits)),
        peer: format!("{} /s", Number(inserts)),
        value: edits / inserts,
        unit: "×",
        target: Target::AtLeast(4.0),
    });
    report.note(format!(
        "an edit over a socket takes {} µs of server CPU time, with {WINDOW} unacknowledged edits a \
         client",
        Number(of(COST).unwrap_or_default())
    ));
    Ok(())
}

async fn play(live: &Live<'_>, kind: Kind, folder: &Path, script: &Rc<Script>) -> Result<Vec<f64>> {
    let contender = Contender::start(live, kind, folder, CLIENTS).await?;
    let documents = contender.documents(CLIENTS, 1).await?;
    let mut typists = Vec::new();
    for document in &documents {
        let link = contender.link(document, 0)?;
        let seeder = Client::seed(&link, &script.seed).await?;
        let (client, receiver, _) = Client::join(&link).await?;
        drop(seeder);
        typists.push(Typist { client, receiver, script: Rc::clone(script), sent: 0 });
    }
    let typists = type_together(typists, WARM_UP).await?;
    let before = contender.processor_seconds()?;
    let start = Instant::now();
    let typists = type_together(typists, WARM_UP + EDITS).await?;
    let seconds = start.elapsed().as_secs_f64();
    let used = contender.processor_seconds()? - before;
    drop(typists);
    for document in &documents {
        let expected = script.text_of(0).context("the script has no writer")?;
        ensure!(contender.text(document).await? == expected, "the server has another text");
    }
    let inserts = Arc::new(Mutex::new(DurableInserts::open(contender.database()?).await?));
    let inserts = insert_together(&inserts).await?;
    let edits = (CLIENTS * EDITS) as f64;
    Ok(vec![edits / seconds, inserts, used * 1e6 / edits])
}

/// A client that types into its own document.
struct Typist {
    client: Client,
    receiver: Receiver,
    script: Rc<Script>,
    sent: usize,
}

impl Typist {
    /// Types until so many edits are acknowledged.
    async fn until(mut self, goal: usize) -> Result<Self> {
        self.send(goal.min(self.sent + WINDOW))?;
        let Self { client, receiver, script, sent } = &mut self;
        let mut post = |until: usize| send(client, script, sent, until);
        receiver
            .listen(|_, received| {
                if let Received::Durable(count) = received {
                    let count = usize::try_from(count)?;
                    post(goal.min(count + WINDOW))?;
                    if count == goal {
                        return Ok(ControlFlow::Break(()));
                    }
                }
                Ok(ControlFlow::Continue(()))
            })
            .await?;
        Ok(self)
    }

    fn send(&mut self, until: usize) -> Result<()> {
        send(&self.client, &self.script, &mut self.sent, until)
    }
}

fn send(client: &Client, script: &Script, sent: &mut usize, until: usize) -> Result<()> {
    while *sent < until {
        client.post(script.update(0, *sent).context("the script is over")?)?;
        *sent += 1;
    }
    Ok(())
}

/// Lets all type at once until each has so many acknowledged edits.
async fn type_together(typists: Vec<Typist>, goal: usize) -> Result<Vec<Typist>> {
    let mut tasks = JoinSet::new();
    for typist in typists {
        tasks.spawn_local(typist.until(goal));
    }
    let mut done = Vec::new();
    while let Some(typist) = tasks.join_next().await {
        done.push(typist??);
    }
    Ok(done)
}
