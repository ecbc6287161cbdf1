//! The clients of one document, and how long each update takes from the one that sends it to the
//! others.

use super::{
    contender::{Contender, Document},
    script::{Script, writer_of},
};
use crate::{
    sockets::{Client, Received},
    statistics::milliseconds,
};
use anyhow::{Context as _, Result, ensure};
use izanagi_shared::crdt::{ClientRange, inspect_update};
use std::{
    cell::{Cell, RefCell},
    ops::ControlFlow,
    rc::Rc,
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// An update that takes longer than this never arrives.
const PATIENCE: Duration = Duration::from_secs(20);

/// The clients of all documents; they leave when it is dropped.
pub(super) struct Stage {
    board: Rc<Board>,
    listeners: RefCell<JoinSet<Result<()>>>,
}

/// What the clients measure.
#[derive(Default)]
struct Board {
    /// Each writer's updates before this one are not counted.
    from: u32,
    /// Milliseconds from sending an update to its receipt by another client.
    waits: RefCell<Vec<f64>>,
    /// Milliseconds from sending an update to its acknowledgement.
    acknowledged: RefCell<Vec<f64>>,
    /// Receipts that are due and those that have come, also of updates that are not counted.
    due: Cell<usize>,
    received: Cell<usize>,
}

impl Stage {
    /// Counts each writer's updates from number `from`.
    pub(super) fn new(from: u32) -> Self {
        let board = Rc::new(Board { from, ..Board::default() });
        Self { board, listeners: RefCell::default() }
    }

    /// Returns the milliseconds from sending each update to each of its receipts by the others.
    pub(super) fn waits(&self) -> Vec<f64> {
        self.board.waits.take()
    }

    /// Returns the milliseconds from sending each update to its acknowledgement.
    pub(super) fn acknowledged(&self) -> Vec<f64> {
        self.board.acknowledged.take()
    }

    /// Waits until every update has arrived everywhere.
    pub(super) async fn settle(&self) -> Result<()> {
        let start = Instant::now();
        while self.board.received.get() < self.board.due.get() {
            self.check()?;
            let (received, due) = (self.board.received.get(), self.board.due.get());
            ensure!(start.elapsed() < PATIENCE, "{received} of {due} receipts came");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.check()
    }

    /// Waits until so many updates are acknowledged.
    pub(super) async fn settle_acknowledgements(&self, due: usize) -> Result<()> {
        let start = Instant::now();
        while self.board.acknowledged.borrow().len() < due {
            self.check()?;
            let came = self.board.acknowledged.borrow().len();
            ensure!(start.elapsed() < PATIENCE, "{came} of {due} updates were acknowledged");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.check()
    }

    /// Fails if a client does not listen any more.
    pub(super) fn check(&self) -> Result<()> {
        match self.listeners.borrow_mut().try_join_next() {
            Some(ended) => ended?.context("a client"),
            None => Ok(()),
        }
    }
}

/// The clients of one document. The first of them write.
pub(super) struct Crew {
    clients: Vec<Client>,
    script: Rc<Script>,
    timing: Rc<Timing>,
}

/// What the clients of a document know of its updates.
struct Timing {
    board: Rc<Board>,
    /// When each writer sent each update.
    sent: RefCell<Vec<Vec<Instant>>>,
    /// The last update received by any client, and what is in it: all of them receive the same bytes.
    last: RefCell<(Vec<u8>, Vec<ClientRange>)>,
}

impl Crew {
    /// Writes the script's text into an empty document and lets `clients` join.
    pub(super) async fn gather(
        contender: &Contender,
        document: &Document,
        script: &Rc<Script>,
        clients: usize,
        stage: &Stage,
    ) -> Result<Self> {
        let seeder = Client::seed(&contender.link(document, 0)?, &script.seed).await?;
        let timing = Rc::new(Timing {
            board: Rc::clone(&stage.board),
            sent: RefCell::new(vec![Vec::new(); script.writers()]),
            last: RefCell::default(),
        });
        let mut joined = Vec::with_capacity(clients);
        for index in 0..clients {
            let (client, mut receiver, _) = Client::join(&contender.link(document, index)?).await?;
            let mut ear = Ear::new(index, Rc::clone(&timing));
            stage.listeners.borrow_mut().spawn_local(async move {
                let take = |at, received: Received<'_>| {
                    ear.take(at, received)?;
                    Ok(ControlFlow::Continue(()))
                };
                receiver.listen(take).await
            });
            joined.push(client);
        }
        drop(seeder);
        Ok(Self { clients: joined, script: Rc::clone(script), timing })
    }

    /// Sends the next update of a writer.
    pub(super) fn write(&self, writer: usize) -> Result<()> {
        let mut sent = self.timing.sent.borrow_mut();
        let sent = sent.get_mut(writer).context("no such writer")?;
        let update = self.script.update(writer, sent.len()).context("the script is over")?;
        let board = &self.timing.board;
        board.due.set(board.due.get() + self.clients.len() - 1);
        sent.push(Instant::now());
        self.clients[writer].post(update)
    }
}

/// What one client has received.
struct Ear {
    index: usize,
    timing: Rc<Timing>,
    /// For each writer, the number of the next update.
    next: Vec<u32>,
    acknowledged: usize,
}

impl Ear {
    fn new(index: usize, timing: Rc<Timing>) -> Self {
        let next = vec![0; timing.sent.borrow().len()];
        Self { index, timing, next, acknowledged: 0 }
    }

    fn take(&mut self, at: Instant, received: Received<'_>) -> Result<()> {
        match received {
            Received::State(update) | Received::Update(update) => self.take_update(at, update),
            Received::Durable(count) => self.take_acknowledgement(at, usize::try_from(count)?),
            Received::Other => Ok(()),
        }
    }

    fn take_update(&mut self, at: Instant, update: &[u8]) -> Result<()> {
        let mut last = self.timing.last.borrow_mut();
        if last.0 != update {
            last.1 = inspect_update(update)?.structs;
            last.0.clear();
            last.0.extend(update);
        }
        let (sent, board) = (self.timing.sent.borrow(), &self.timing.board);
        let mut waits = board.waits.borrow_mut();
        for range in &last.1 {
            let Some(writer) = writer_of(range.client) else { continue };
            let next = self.next.get_mut(writer).context("an unknown writer")?;
            // Some servers also send updates back to their writer.
            if writer != self.index {
                for number in (*next).max(range.start)..range.end {
                    let sent = sent[writer].get(number as usize).context("an unknown update")?;
                    board.received.set(board.received.get() + 1);
                    if number >= board.from {
                        waits.push(milliseconds(at - *sent));
                    }
                }
            }
            *next = (*next).max(range.end);
        }
        Ok(())
    }

    fn take_acknowledgement(&mut self, at: Instant, count: usize) -> Result<()> {
        let (sent, board) = (self.timing.sent.borrow(), &self.timing.board);
        let sent = sent.get(self.index).map(Vec::as_slice).unwrap_or_default();
        ensure!(count <= sent.len(), "{count} of {} updates acknowledged", sent.len());
        let first = self.acknowledged.max(board.from as usize);
        let waited = sent.get(first..count).unwrap_or_default();
        board.acknowledged.borrow_mut().extend(waited.iter().map(|sent| milliseconds(at - *sent)));
        self.acknowledged = count;
        Ok(())
    }
}
