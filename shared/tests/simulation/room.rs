//! A model of the server's room: a log that survives restarts, and a replica that does not. The order
//! of an update is: durable, applied, acknowledged, broadcast.

use izanagi_shared::{
    crdt::{TextDoc, Validation, inspect_update},
    sync::{
        CloseCode, Presence,
        connection::{Missing, Posted, Refusal},
    },
};
use std::collections::{BTreeMap, HashMap};

pub(crate) const LINEAGE: &str = "lineage";

/// Who waits for the answer to an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Connection { connection: usize, frame: u64 },
    Http { client: usize },
}

#[derive(Debug, Clone)]
pub(crate) struct Update {
    pub(crate) origin: Origin,
    pub(crate) op_id: Option<String>,
    pub(crate) delta: Vec<u8>,
}

/// What survives a restart.
#[derive(Debug, Default)]
struct Log {
    snapshot: Vec<u8>,
    rows: Vec<(u64, Vec<u8>)>,
    seq: u64,
    op_ids: HashMap<String, u64>,
    /// The next clock of each client, counting only what is without gaps.
    clocks: BTreeMap<u64, u32>,
}

pub(crate) struct Room {
    log: Log,
    doc: TextDoc,
    loads: u64,
    queue: Vec<Update>,
    /// Updates that wait for others, with their numbers.
    pending: Vec<(Update, u64)>,
    pub(crate) presences: BTreeMap<u64, (Presence, usize)>,
}

pub(crate) type Answer = (Origin, Result<Posted, Refusal>);

/// What a write gives, in this order.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) answers: Vec<Answer>,
    /// Sender, number and update; no sender for what was integrated later.
    pub(crate) broadcasts: Vec<(Option<Origin>, u64, Vec<u8>)>,
}

impl Room {
    pub(crate) fn new(text: &str) -> Self {
        let (doc, state) = TextDoc::from_text(1, text);
        let log = Log { snapshot: state, clocks: doc.state_vector_map(), ..Log::default() };
        let (queue, pending) = (Vec::new(), Vec::new());
        let mut room = Self { log, doc, loads: 0, queue, pending, presences: BTreeMap::new() };
        room.restart();
        room
    }

    /// Loses everything that is not in the log.
    pub(crate) fn restart(&mut self) {
        self.loads += 1;
        self.queue.clear();
        self.pending.clear();
        self.presences.clear();
        self.doc = TextDoc::load(1_000_000 + self.loads, &self.log.snapshot).unwrap();
        for (seq, delta) in &self.log.rows {
            self.doc.apply_checked(*seq, delta, Validation::Replayed).unwrap();
        }
        assert!(self.doc.is_consistent());
        self.log.clocks = self.doc.state_vector_map();
    }

    /// Writes a snapshot and removes the rows that it absorbs. Rows that wait for others stay.
    pub(crate) fn snapshot(&mut self) {
        self.log.snapshot = self.doc.encode();
        let doc = &self.doc;
        self.log.rows.retain(|(_, delta)| {
            !inspect_update(delta).unwrap().is_within(|client| doc.clock_of(client))
        });
    }

    pub(crate) fn text(&self) -> String {
        self.doc.text()
    }

    pub(crate) fn missing(&self, state_vector: &[u8]) -> Result<Missing, Refusal> {
        let delta = self.doc.missing_from(state_vector).map_err(|error| Refusal {
            close: CloseCode::BadFrame,
            code: "bad_update".to_owned(),
            message: error.to_string(),
        })?;
        Ok(Missing {
            seq: self.log.seq,
            lineage: LINEAGE.to_owned(),
            delta,
            state_vector: self.doc.state_vector(),
        })
    }

    pub(crate) fn post(&mut self, update: Update) {
        self.queue.push(update);
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether an update is durable, deletions by their clocks alone.
    pub(crate) fn has(&self, update: &[u8]) -> bool {
        let clock_of = |client| self.log.clocks.get(&client).copied().unwrap_or(0);
        inspect_update(update).unwrap().is_within(clock_of)
    }

    /// Writes up to `most` updates in one transaction. If it fails, nothing is written. After
    /// `Outcome::Crashed` the log has them, but there are no answers; the room must restart.
    pub(crate) fn write(&mut self, most: usize, outcome: Outcome) -> Written {
        let batch: Vec<Update> = self.queue.drain(..most.min(self.queue.len())).collect();
        let mut written = Written::default();
        if outcome == Outcome::Failed {
            let refusal = |update: Update| (update.origin, Err(unavailable()));
            written.answers = batch.into_iter().map(refusal).collect();
            return written;
        }
        let mut checker = self.doc.checker().clone();
        let (mut admitted, mut repeated) = (Vec::new(), Vec::new());
        for update in batch {
            let known = update.op_id.as_ref().and_then(|id| self.log.op_ids.get(id)).copied();
            if let Some(seq) = known {
                repeated.push((update, seq));
                continue;
            }
            match checker.admit_next(&update.delta) {
                Ok(pending) => {
                    self.log.seq += 1;
                    let seq = self.log.seq;
                    self.log.rows.push((seq, update.delta.clone()));
                    if let Some(id) = &update.op_id {
                        self.log.op_ids.insert(id.clone(), seq);
                    }
                    admitted.push((update, seq, pending));
                }
                Err(error) => {
                    let refusal = Refusal {
                        close: CloseCode::BadFrame,
                        code: "bad_update".to_owned(),
                        message: error.to_string(),
                    };
                    written.answers.push((update.origin, Err(refusal)));
                }
            }
        }
        if outcome == Outcome::Crashed {
            // The log has them; the replica does not.
            return Written::default();
        }
        for (update, seq, pending) in admitted {
            let (before, releases) = (self.doc.state_vector(), self.doc.releases());
            self.doc.apply_checked(seq, &update.delta, Validation::Untrusted).unwrap();
            written.answers.push((update.origin, Ok(Posted { seq, pending })));
            let origin = update.origin;
            if pending || self.doc.releases() != releases {
                // Only what was integrated: a waiting part is not shown to others.
                let integrated = self.doc.missing_from(&before).unwrap();
                written.broadcasts.push((None, seq, integrated));
            } else {
                written.broadcasts.push((Some(origin), seq, update.delta.clone()));
            }
            if pending {
                self.pending.push((update, seq));
            }
        }
        self.log.clocks = self.doc.state_vector_map();
        for (update, seq) in repeated {
            let pending = !self.is_integrated(&update.delta);
            written.answers.push((update.origin, Ok(Posted { seq, pending })));
            if pending {
                self.pending.push((update, seq));
            }
        }
        let doc = &self.doc;
        let is_whole = |(update, _): &mut (Update, u64)| {
            inspect_update(&update.delta).unwrap().is_within(|client| doc.clock_of(client))
        };
        for (update, seq) in self.pending.extract_if(.., is_whole) {
            written.answers.push((update.origin, Ok(Posted { seq, pending: false })));
        }
        written
    }

    fn is_integrated(&self, update: &[u8]) -> bool {
        inspect_update(update).unwrap().is_within(|client| self.doc.clock_of(client))
    }

    /// Takes a presence of a connection; returns whether it is to be told.
    pub(crate) fn present(&mut self, connection: usize, presence: Presence) -> bool {
        let counts =
            self.presences.get(&presence.client).is_none_or(|(known, _)| presence.replaces(known));
        if counts {
            self.presences.insert(presence.client, (presence, connection));
        }
        counts
    }

    /// The clients that were present through a connection that has ended.
    pub(crate) fn absent(&mut self, connection: usize) -> Vec<Presence> {
        let gone = self.presences.extract_if(.., |_, (_, owner)| *owner == connection);
        gone.map(|(_, (presence, _))| Presence { state: None, ..presence }).collect()
    }
}

/// How a write goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    Failed,
    Crashed,
}

fn unavailable() -> Refusal {
    Refusal {
        close: CloseCode::TryLater,
        code: "unavailable".to_owned(),
        message: "The storage is temporarily unavailable. Try again.".to_owned(),
    }
}
