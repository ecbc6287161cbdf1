//! A room's copy of the text, and which rows of the log it holds.

use super::seal::unseal;
use crate::{
    error::{Error, Result},
    hash::sha256,
    storage::{Ids, LoadedLog, LoggedUpdate, TextFacts},
};
use izanagi_shared::{
    crdt::{MAX_CLIENT_ID, TextDoc, UpdateSummary, inspect_update},
    markdown,
    rules::MAX_CONTENT_BYTES,
};
use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

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

/// Why a replica cannot take an update that the gate let through.
#[derive(Debug)]
pub(super) struct Poisoned(pub(super) String);

pub(super) struct Replica {
    pub(super) doc: TextDoc,
    /// The last update applied.
    pub(super) seq: u64,
    /// Rows of the log that no snapshot holds yet, with what each brings.
    rows: BTreeMap<u64, UpdateSummary>,
    text: Option<LiveText>,
    /// At least the bytes of the text: what it had when last counted, and all inserted since.
    bytes_at_most: usize,
    /// The client id of this load is known to the log as the server's.
    pub(super) announced: bool,
}

impl Replica {
    /// Builds the replica from what the log holds. Gives the numbers of the rows that could not be
    /// applied as well, to be set aside.
    pub(super) fn load(log: LoadedLog, ids: &dyn Ids) -> Result<(Self, Vec<u64>)> {
        let damaged =
            |what: String| Error::internal(format!("{what} is damaged; run izanagi fsck"));
        let state = unseal(&log.snapshot.state)
            .ok_or_else(|| damaged(format!("snapshot {}", log.snapshot.seq)))?;
        let doc = TextDoc::load(random_client_id(ids), state)
            .map_err(|error| Error::internal(format!("snapshot does not load: {error}")))?;
        let seq = log.snapshot.seq;
        let bytes_at_most = doc.text().len();
        let rows = BTreeMap::new();
        let mut replica = Self { doc, seq, rows, text: None, bytes_at_most, announced: false };
        let mut poisoned = Vec::new();
        for LoggedUpdate { seq, delta, quarantined, .. } in log.updates {
            if quarantined {
                continue;
            }
            let delta = unseal(&delta).ok_or_else(|| damaged(format!("update {seq}")))?;
            let summary = inspect_update(delta);
            let applied = summary.map_err(|refusal| Poisoned(refusal.to_string()));
            match applied.and_then(|summary| replica.apply(seq, delta, summary)) {
                Ok(()) => {}
                Err(_) => poisoned.push(seq),
            }
        }
        replica.seq = log.live_seq;
        Ok((replica, poisoned))
    }

    /// Takes a durable update in. After an error the replica must be thrown away: yrs may have
    /// panicked half-way.
    pub(super) fn apply(
        &mut self,
        seq: u64,
        delta: &[u8],
        summary: UpdateSummary,
    ) -> std::result::Result<(), Poisoned> {
        let doc = &mut self.doc;
        match catch_unwind(AssertUnwindSafe(|| doc.apply(delta))) {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(Poisoned(error.to_string())),
            Err(_) => return Err(Poisoned("yrs panicked".to_owned())),
        }
        self.note(seq, summary);
        Ok(())
    }

    /// A durable update that the document holds already, because it was made in it.
    pub(super) fn note(&mut self, seq: u64, summary: UpdateSummary) {
        self.seq = self.seq.max(seq);
        self.bytes_at_most += summary.inserted_bytes;
        self.rows.insert(seq, summary);
        self.text = None;
    }

    pub(super) fn text(&mut self) -> LiveText {
        let (doc, seq) = (&self.doc, self.seq);
        let text = self.text.get_or_insert_with(|| LiveText::new(doc.text(), seq));
        // Updates that change nothing visible still move the number on.
        text.facts.seq = seq;
        text.clone()
    }

    /// Whether the text has surely room for this many more bytes. Counts only when it must.
    pub(super) fn has_room_for(&mut self, bytes: usize) -> bool {
        if self.bytes_at_most.saturating_add(bytes) > MAX_CONTENT_BYTES {
            self.bytes_at_most = self.doc.text().len();
        }
        self.bytes_at_most.saturating_add(bytes) <= MAX_CONTENT_BYTES
    }

    /// Rows that no snapshot holds.
    pub(super) fn rows_waiting(&self) -> u64 {
        self.rows.len() as u64
    }

    /// The rows that the document holds whole, nothing of them pending.
    pub(super) fn absorbed_rows(&self) -> Vec<u64> {
        let held = self.rows.iter().filter(|(_, summary)| self.doc.covers(summary));
        held.map(|(seq, _)| *seq).collect()
    }

    pub(super) fn forget_rows(&mut self, absorbed: &[u64]) {
        for seq in absorbed {
            self.rows.remove(seq);
        }
    }
}

/// A client id for one load: random, so that no two loads ever write under the same one.
pub(crate) fn random_client_id(ids: &dyn Ids) -> u64 {
    let mut bytes = [0; 8];
    ids.fill(&mut bytes);
    u64::from_le_bytes(bytes) % MAX_CLIENT_ID + 1
}
