//! A room's copy of the text, and which rows of the log it holds.

use super::{
    command::ClientUpdate,
    lineage::{Lineage, invalid},
    seal::unseal,
    submit::Admitted,
};
use crate::{
    budget::{BudgetSettings, SMALL},
    error::{Error, Result},
    hash::sha256,
    storage::{ClientOwner, Ids, LoadedLog, LoggedUpdate, NewUpdate, TextFacts},
};
use izanagi_shared::{
    crdt::{ApplyError, MAX_CLIENT_ID, Rejected, Trial, UpdateSummary, Validation, inspect_update},
    markdown,
    rules::MAX_CONTENT_BYTES,
    text::delta::TextDelta,
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

/// How many updates of a document may wait for others, and their bytes together: each is read at
/// every load.
pub(super) const MAX_WAITING: usize = 1_000;
const MAX_WAITING_BYTES: usize = 16 * 1024 * 1024;

/// Estimated bytes in memory of an item, in yrs and in the order of items together.
const ITEM_BYTES: usize = 280;
/// Estimated bytes in memory of what is noted about a row of the log.
const ROW_BYTES: usize = 160;

/// The result of reading the log.
pub(super) enum Loaded {
    /// A replica of every row that is not quarantined.
    Whole(Box<Replica>),
    /// A row cannot be applied.
    Invalid(Rejected),
}

pub(super) struct Replica {
    pub(super) lineage: Lineage,
    /// The last update applied.
    pub(super) seq: u64,
    /// Rows of the log that no snapshot holds, with what each brings.
    rows: BTreeMap<u64, UpdateSummary>,
    /// Of those, the ones that waited for others when last looked at, with their bytes.
    waiting: BTreeMap<u64, usize>,
    text: Option<LiveText>,
    /// An upper bound of the bytes of the text: its length when last counted, and all inserted since.
    bytes_at_most: usize,
    /// Whether `bytes_at_most` is the length of the text.
    is_counted: bool,
    /// An upper bound of the bytes of the encoded state.
    state_bytes: usize,
    /// Whether the log knows the client id of this load as the server's.
    pub(super) announced: bool,
    limits: BudgetSettings,
    /// Something failed half-way; the replica must be thrown away.
    pub(super) is_broken: bool,
}

impl Replica {
    /// Builds the replica from the log. The first row that cannot be applied ends it: what later
    /// rows would do to a broken replica says nothing about them.
    pub(super) fn load(log: LoadedLog, ids: &dyn Ids, limits: BudgetSettings) -> Result<Loaded> {
        let damaged =
            |what: String| Error::internal(format!("{what} is damaged; run izanagi fsck"));
        let state = unseal(&log.snapshot.state)
            .ok_or_else(|| damaged(format!("snapshot {}", log.snapshot.seq)))?;
        let lineage = Lineage::load(random_client_id(ids), state)
            .map_err(|cause| Error::internal(format!("snapshot does not load: {cause}")))?;
        let mut replica = Self {
            bytes_at_most: lineage.doc().text().len(),
            lineage,
            seq: log.snapshot.seq,
            rows: BTreeMap::new(),
            waiting: BTreeMap::new(),
            text: None,
            is_counted: true,
            state_bytes: state.len(),
            announced: false,
            limits,
            is_broken: false,
        };
        for LoggedUpdate { seq, delta, .. } in log.updates {
            let delta = unseal(&delta).ok_or_else(|| damaged(format!("update {seq}")))?;
            let applied = match inspect_update(delta) {
                Ok(summary) => replica.apply(seq, delta, summary, Validation::Replayed),
                Err(refusal) => {
                    let cause = izanagi_shared::crdt::InvalidUpdate::from(refusal).into();
                    Err(Rejected { tag: seq, cause })
                }
            };
            if let Err(rejected) = applied {
                return Ok(Loaded::Invalid(rejected));
            }
        }
        replica.seq = log.live_seq;
        Ok(Loaded::Whole(Box::new(replica)))
    }

    /// Applies a durable update, and those that waited for it. After an error the replica must be
    /// thrown away.
    pub(super) fn apply(
        &mut self,
        seq: u64,
        delta: &[u8],
        summary: UpdateSummary,
        validation: Validation,
    ) -> std::result::Result<(), Rejected> {
        self.lineage.apply(seq, delta, validation)?;
        self.note(seq, delta, summary);
        Ok(())
    }

    /// Notes a durable update that was made in this replica. After an error as [`Self::apply`].
    pub(super) fn made_here(
        &mut self,
        seq: u64,
        delta: &[u8],
        summary: UpdateSummary,
    ) -> std::result::Result<(), Rejected> {
        self.lineage.apply_released(seq)?;
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
        self.state_bytes += delta.len();
        self.rows.insert(seq, summary);
        self.text = None;
    }

    /// Whether all of an update is in the text, none of it waiting.
    fn holds(&self, summary: &UpdateSummary) -> bool {
        summary.is_within(|client| self.lineage.doc().clock_of(client))
    }

    /// Checks an update, also against those of the same batch that `trial` has seen. Nothing changes
    /// in the document.
    pub(super) fn admit(
        &mut self,
        update: ClientUpdate,
        trial: Option<&mut Trial>,
    ) -> Result<Admitted> {
        if self.is_broken {
            return Err(Error::internal("a replica that failed is still in use"));
        }
        let refused = |why: &dyn std::fmt::Display| Error::BadUpdate(why.to_string());
        let summary = inspect_update(&update.delta).map_err(|refusal| refused(&refusal))?;
        self.check_size(&update.delta, &summary)?;
        let clients = summary.clients_of_new(|client| self.lineage.doc().clock_of(client));
        let would_wait = match trial {
            Some(trial) => Lineage::check_in(trial, &update.delta),
            None => self.lineage.check(&update.delta),
        };
        let would_wait = would_wait.map_err(|cause| match cause {
            ApplyError::Invalid(cause) => refused(&cause),
            // A panic in the middle of the check may have left the order half changed.
            ApplyError::Broken(cause) => {
                self.is_broken = true;
                Error::internal(cause)
            }
        })?;
        if would_wait && !self.may_wait(update.delta.len()) {
            let message = "it builds on changes that this document does not have, and too many \
                           updates already wait for such changes: send what came before it first";
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

    /// Refuses an update beyond the budgets of a document. Deletions may exceed them by a quarter, so
    /// that a full document can still be emptied.
    fn check_size(&mut self, delta: &[u8], summary: &UpdateSummary) -> Result<()> {
        let BudgetSettings { document_items, document_bytes, .. } = self.limits;
        let allowed = |limit: usize| if summary.items == 0 { limit + limit / 4 } else { limit };
        let items = self.lineage.doc().items() + summary.items + summary.deletes.len();
        if items > allowed(document_items) {
            return Err(Error::TooLarge(format!(
                "This document consists of as many separate edits as a document can have \
                 ({document_items}). Duplicate it and go on in the copy."
            )));
        }
        if self.state_bytes + delta.len() > allowed(document_bytes) {
            self.state_bytes = self.lineage.doc().encode().len();
        }
        if self.state_bytes + delta.len() > allowed(document_bytes) {
            return Err(Error::TooLarge(format!(
                "The editing state of this document has as many bytes as it can have \
                 ({document_bytes}). Duplicate it and go on in the copy."
            )));
        }
        Ok(())
    }

    /// The edit itself, or, if it would exceed the items that a document can have, one that replaces
    /// everything from its first change to its last.
    pub(super) fn within_items(&self, text: &str, delta: TextDelta) -> TextDelta {
        // Each change cuts an item in two and may insert another.
        let items = self.lineage.doc().items() + 3 * delta.edits().count();
        if items <= self.limits.document_items { delta } else { delta.as_one(text) }
    }

    /// Whether a walk over the document takes long.
    pub(super) fn is_long(&self) -> bool {
        const MANY_ITEMS: usize = 10_000;
        self.bytes_at_most > SMALL || self.lineage.doc().items() > MANY_ITEMS
    }

    /// Whether it may take long to place the items of an update of this many bytes, and of those
    /// that wait for it, and to cut the texts that stand there.
    pub(super) fn takes_long(&self, bytes: usize) -> bool {
        const MANY_STEPS: usize = 1_000_000;
        const STEP_BYTES: usize = 64;
        let bytes = bytes + self.lineage.doc().pending_bytes();
        let steps = self.lineage.doc().items() + self.bytes_at_most / STEP_BYTES;
        bytes > SMALL || bytes.saturating_mul(steps) > MANY_STEPS
    }

    /// An estimate of the bytes this replica holds.
    pub(super) fn footprint(&self) -> usize {
        let text = self.text.as_ref().map_or(0, |text| text.content.len());
        let doc = self.lineage.doc();
        self.bytes_at_most.min(MAX_CONTENT_BYTES)
            + text
            + doc.items() * ITEM_BYTES
            + doc.pending_bytes()
            + self.rows.len() * ROW_BYTES
    }

    /// Whether one more update of this many bytes may wait for others.
    fn may_wait(&mut self, bytes: usize) -> bool {
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
        let text = self.text.get_or_insert_with(|| LiveText::new(lineage.doc().text(), seq));
        // Updates that change nothing visible still advance the seq.
        text.facts.seq = seq;
        text.clone()
    }

    /// Drops the copy of the text that reading made.
    pub(super) fn forget_text(&mut self) {
        self.text = None;
    }

    /// Whether the text certainly has room for this many more bytes. Counts only when it must.
    pub(super) fn has_room_for(&mut self, bytes: usize) -> bool {
        if !self.is_counted && self.bytes_at_most.saturating_add(bytes) > MAX_CONTENT_BYTES {
            let text = self.lineage.doc().text().len();
            self.bytes_at_most = text.saturating_add(self.pending_bytes(&self.lineage));
            self.is_counted = true;
        }
        self.bytes_at_most.saturating_add(bytes) <= MAX_CONTENT_BYTES
    }

    /// Whether there is room for an update together with what it deletes: tries it on a copy.
    pub(super) fn has_room_with(&self, delta: &[u8], summary: &UpdateSummary) -> Result<bool> {
        let mut copy = self.lineage.fork().map_err(Error::internal)?;
        if let Err(rejected) = copy.apply(0, delta, Validation::Untrusted) {
            return match invalid(&rejected) {
                Some(cause) => Err(Error::BadUpdate(cause.to_string())),
                // Only a copy is lost; whether the update can be applied is decided elsewhere.
                None => Ok(false),
            };
        }
        // An update that is sent again while it waits is counted already.
        let counted = summary.structs_are_within(|client| copy.doc().clock_of(client))
            || self.rows.values().any(|row| row == summary);
        let waiting = if counted { 0 } else { summary.inserted_bytes };
        let bytes = [copy.doc().text().len(), waiting, self.pending_bytes(&copy)];
        Ok(bytes.into_iter().fold(0, usize::saturating_add) <= MAX_CONTENT_BYTES)
    }

    /// An upper bound of the bytes that waiting updates will bring into the text.
    fn pending_bytes(&self, lineage: &Lineage) -> usize {
        let is_pending = |summary: &&UpdateSummary| {
            !summary.structs_are_within(|client| lineage.doc().clock_of(client))
        };
        let pending = self.rows.values().filter(is_pending);
        pending.map(|summary| summary.inserted_bytes).fold(0, usize::saturating_add)
    }

    /// How many rows no snapshot holds.
    pub(super) fn rows_waiting(&self) -> u64 {
        self.rows.len() as u64
    }

    /// The rows that the document holds whole, none of them waiting.
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
