//! A room's copy of the text, and which rows of the log it holds.

use super::{
    command::ClientUpdate,
    heavy::MANY_BYTES,
    lineage::{Lineage, Poisoned, Why},
    seal::unseal,
    submit::Admitted,
};
use crate::{
    error::{Error, Result},
    hash::sha256,
    storage::{ClientOwner, Ids, LoadedLog, LoggedUpdate, NewUpdate, TextFacts},
};
use izanagi_shared::{
    crdt::{MAX_CLIENT_ID, Scrutiny, Unfit, UpdateSummary, inspect_update},
    markdown,
    rules::MAX_CONTENT_BYTES,
};
use std::{collections::BTreeMap, sync::Arc};

/// The text at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveText {
    /// The text.
    pub content: Arc<str>,
    /// Its facts; `facts.seq` is the last update in it.
    pub facts: TextFacts,
}

impl LiveText {
    /// A text as it is after update `seq`.
    #[must_use]
    pub fn new(content: impl Into<Arc<str>>, seq: u64) -> Self {
        let content = content.into();
        let facts = TextFacts {
            seq,
            hash: sha256(&*content),
            length: content.len() as u64,
            words: markdown::counts(&content).words as u64,
        };
        Self { content, facts }
    }
}

/// How many updates of a document may wait for what came before them, and their bytes together:
/// each is read at every load.
pub(super) const MAX_WAITING: usize = 1_000;
const MAX_WAITING_BYTES: usize = 16 * 1024 * 1024;

/// What came of reading the log.
pub(super) enum Loaded {
    /// A replica of everything in it that was not set aside.
    Whole(Box<Replica>),
    /// A row cannot be applied.
    Poisoned(Poisoned),
}

pub(super) struct Replica {
    pub(super) lineage: Lineage,
    /// The last update applied.
    pub(super) seq: u64,
    /// Rows of the log that no snapshot holds yet, with what each brings.
    rows: BTreeMap<u64, UpdateSummary>,
    /// Of those, the ones that were not part of the text when last looked at, with their bytes.
    waiting: BTreeMap<u64, usize>,
    text: Option<LiveText>,
    /// At least the bytes of the text: what it had when last counted, and all inserted since.
    bytes_at_most: usize,
    /// Whether that is what it has.
    is_counted: bool,
    /// The client id of this load is known to the log as the server's.
    pub(super) announced: bool,
}

impl Replica {
    /// Builds the replica from what the log holds. The first row that cannot be applied ends it,
    /// and is to be set aside: what later rows would do to a broken replica says nothing of them.
    pub(super) fn load(log: LoadedLog, ids: &dyn Ids) -> Result<Loaded> {
        let damaged =
            |what: String| Error::internal(format!("{what} is damaged; run izanagi fsck"));
        let state = unseal(&log.snapshot.state)
            .ok_or_else(|| damaged(format!("snapshot {}", log.snapshot.seq)))?;
        let lineage = Lineage::load(random_client_id(ids), state)
            .map_err(|why| Error::internal(format!("snapshot does not load: {why}")))?;
        let seq = log.snapshot.seq;
        let bytes_at_most = lineage.text().len();
        let (rows, waiting) = (BTreeMap::new(), BTreeMap::new());
        let mut replica = Self {
            lineage,
            seq,
            rows,
            waiting,
            text: None,
            bytes_at_most,
            is_counted: true,
            announced: false,
        };
        for LoggedUpdate { seq, delta, quarantined, .. } in log.updates {
            if quarantined {
                continue;
            }
            let delta = unseal(&delta).ok_or_else(|| damaged(format!("update {seq}")))?;
            let refused = |refusal| Poisoned { seq, why: Unfit::from(refusal).into() };
            let applied = inspect_update(delta)
                .map_err(refused)
                .and_then(|summary| replica.apply(seq, delta, summary, Scrutiny::Again));
            if let Err(poisoned) = applied {
                return Ok(Loaded::Poisoned(poisoned));
            }
        }
        replica.seq = log.live_seq;
        Ok(Loaded::Whole(Box::new(replica)))
    }

    /// Takes a durable update in, and what was waiting for it. After an error the replica must be
    /// thrown away.
    pub(super) fn apply(
        &mut self,
        seq: u64,
        delta: &[u8],
        summary: UpdateSummary,
        scrutiny: Scrutiny,
    ) -> std::result::Result<(), Poisoned> {
        self.lineage.apply(seq, delta, scrutiny)?;
        self.note(seq, delta, summary);
        Ok(())
    }

    /// A durable update that the document holds already, because it was made in it. Like
    /// [`Self::apply`] after an error.
    pub(super) fn made_here(
        &mut self,
        seq: u64,
        delta: &[u8],
        summary: UpdateSummary,
    ) -> std::result::Result<(), Poisoned> {
        self.lineage.go_on()?;
        self.note(seq, delta, summary);
        Ok(())
    }

    fn note(&mut self, seq: u64, delta: &[u8], summary: UpdateSummary) {
        if !self.holds(&summary) {
            self.waiting.insert(seq, delta.len());
        }
        self.seq = self.seq.max(seq);
        self.bytes_at_most += summary.inserted_bytes;
        self.is_counted = false;
        self.rows.insert(seq, summary);
        self.text = None;
    }

    /// Whether all of an update is in the text, nothing of it waiting.
    fn holds(&self, summary: &UpdateSummary) -> bool {
        summary.is_within(|client| self.lineage.clock_of(client))
    }

    /// Lets an update through, or says why not. Nothing has changed either way.
    pub(super) fn admit(&mut self, update: ClientUpdate) -> Result<Admitted> {
        let refused = |why: &dyn std::fmt::Display| Error::BadUpdate(why.to_string());
        let summary = inspect_update(&update.delta).map_err(|refusal| refused(&refusal))?;
        let clients = summary.clients_of_new(|client| self.lineage.clock_of(client));
        let would_wait = self.lineage.check(&update.delta).map_err(|why| refused(&why))?;
        if would_wait && !self.may_wait(update.delta.len()) {
            let message = "it builds on changes that this document does not have, and as many \
                           updates as may wait for such do so already: send what came before it";
            return Err(Error::BadUpdate(message.to_owned()));
        }
        Ok(Admitted {
            update: NewUpdate {
                actor: update.actor,
                op_id: update.op_id,
                delta_hash: sha256(&update.delta),
                delta: update.delta,
                clients,
                client_owner: ClientOwner::User(update.actor),
            },
            summary,
        })
    }

    /// Whether walking over the document takes long.
    pub(super) fn is_long(&self) -> bool {
        const MANY_ITEMS: usize = 10_000;
        self.bytes_at_most > MANY_BYTES || self.lineage.items() > MANY_ITEMS
    }

    /// Whether it may take long to find the place for each item of an update of this many bytes, and
    /// of what may be waiting for it, and to cut the texts that stand there.
    pub(super) fn takes_long(&self, bytes: usize) -> bool {
        const MANY_STEPS: usize = 1_000_000;
        const STEP_BYTES: usize = 64;
        let bytes = bytes + self.lineage.held_bytes();
        let steps = self.lineage.items() + self.bytes_at_most / STEP_BYTES;
        bytes > MANY_BYTES || bytes.saturating_mul(steps) > MANY_STEPS
    }

    /// Whether one more update of this many bytes may wait for what came before it.
    pub(super) fn may_wait(&mut self, bytes: usize) -> bool {
        if self.has_place_for(bytes) {
            return true;
        }
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.retain(|seq, _| self.rows.get(seq).is_some_and(|row| !self.holds(row)));
        self.waiting = waiting;
        self.has_place_for(bytes)
    }

    fn has_place_for(&self, bytes: usize) -> bool {
        let held: usize = self.waiting.values().sum();
        self.waiting.len() < MAX_WAITING && held + bytes <= MAX_WAITING_BYTES
    }

    pub(super) fn text(&mut self) -> LiveText {
        let (lineage, seq) = (&self.lineage, self.seq);
        let text = self.text.get_or_insert_with(|| LiveText::new(lineage.text(), seq));
        // Updates that change nothing visible still move the number on.
        text.facts.seq = seq;
        text.clone()
    }

    /// Whether the text has surely room for this many more bytes. Counts only when it must.
    pub(super) fn has_room_for(&mut self, bytes: usize) -> bool {
        if !self.is_counted && self.bytes_at_most.saturating_add(bytes) > MAX_CONTENT_BYTES {
            self.bytes_at_most =
                self.lineage.text().len().saturating_add(self.pending_bytes(&self.lineage));
            self.is_counted = true;
        }
        self.bytes_at_most.saturating_add(bytes) <= MAX_CONTENT_BYTES
    }

    /// Whether there is room for an update together with what it deletes: tries it on a copy.
    pub(super) fn has_room_with(&self, delta: &[u8], summary: &UpdateSummary) -> Result<bool> {
        let mut copy = self.lineage.fork().map_err(Error::internal)?;
        match copy.apply(0, delta, Scrutiny::New) {
            Ok(()) => {}
            Err(Poisoned { why: Why::Unfit(unfit), .. }) => {
                return Err(Error::BadUpdate(unfit.to_string()));
            }
            // Whether it can be applied at all is asked elsewhere; here a copy is lost at most.
            Err(_) => return Ok(false),
        }
        // An update that is sent again while it is pending counts among the pending ones.
        let counted = summary.structs_are_within(|client| copy.clock_of(client))
            || self.rows.values().any(|row| row == summary);
        let waiting = if counted { 0 } else { summary.inserted_bytes };
        let bytes = [copy.text().len(), waiting, self.pending_bytes(&copy)];
        Ok(bytes.into_iter().fold(0, usize::saturating_add) <= MAX_CONTENT_BYTES)
    }

    /// At least the bytes that what is still pending will bring into the text.
    fn pending_bytes(&self, lineage: &Lineage) -> usize {
        let is_pending = |summary: &&UpdateSummary| {
            !summary.structs_are_within(|client| lineage.clock_of(client))
        };
        let pending = self.rows.values().filter(is_pending);
        pending.map(|summary| summary.inserted_bytes).fold(0, usize::saturating_add)
    }

    /// Rows that no snapshot holds.
    pub(super) fn rows_waiting(&self) -> u64 {
        self.rows.len() as u64
    }

    /// The rows that the document holds whole, nothing of them pending.
    pub(super) fn absorbed_rows(&self) -> Vec<u64> {
        let held = self.rows.iter().filter(|(_, summary)| self.holds(summary));
        held.map(|(seq, _)| *seq).collect()
    }

    pub(super) fn forget_rows(&mut self, absorbed: &[u64]) {
        for seq in absorbed {
            self.rows.remove(seq);
            self.waiting.remove(seq);
        }
    }
}

/// A client id for one load: random, so that no two loads ever write under the same one.
pub(crate) fn random_client_id(ids: &dyn Ids) -> u64 {
    let mut bytes = [0; 8];
    ids.fill(&mut bytes);
    u64::from_le_bytes(bytes) % MAX_CLIENT_ID + 1
}
