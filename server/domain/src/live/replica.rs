//! A room's in-memory document, and the log rows it contains.

use super::{
    command::ClientUpdate,
    gaps::missing_rows,
    lineage::{Lineage, invalid},
    seal::unseal,
    snapshot::Snapshot,
    submit::Admitted,
};
use crate::{
    budget::{BudgetSettings, SMALL},
    error::{Error, Internal, Result},
    hash::sha256,
    storage::{ClientOwner, Ids, LoadedLog, LoggedUpdate, NewUpdate, StoredSnapshot, TextFacts},
};
use izanagi_shared::{
    crdt::{
        ApplyError, Checker, MAX_CLIENT_ID, Rejected, UpdateSummary, Validation, inspect_update,
        named_clients,
    },
    id::DocumentId,
    markdown,
    rules::MAX_CONTENT_BYTES,
    text::delta::TextDelta,
};
use std::{collections::BTreeMap, sync::Arc};

/// The text at one seq.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveText {
    /// Content.
    pub content: Arc<str>,
    /// Its facts; `facts.seq` is the last update it contains.
    pub facts: TextFacts,
}

impl LiveText {
    /// Creates the text as of update `seq`.
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

/// Maximum number of pending updates of a document, and their total bytes. Each of them is read at
/// every load.
pub(super) const MAX_WAITING: usize = 1_000;
const MAX_WAITING_BYTES: usize = 16 * 1024 * 1024;

/// Number of items whose traversal is slow.
const MANY_ITEMS: usize = 10_000;
/// Estimated memory per item, in yrs and in the item order together.
const ITEM_BYTES: usize = 280;
/// Memory per second half of a surrogate pair, in the item order.
const HALF_BYTES: usize = size_of::<u32>();
/// Estimated memory per log row.
const ROW_BYTES: usize = 160;

/// Result of loading the log.
pub(super) enum Loaded {
    /// A replica with every row that is not quarantined.
    Whole(Box<Replica>),
    /// A row that cannot be applied.
    Invalid(Rejected),
}

pub(super) struct Replica {
    pub(super) lineage: Lineage,
    /// Seq of the last update applied.
    pub(super) seq: u64,
    /// Log rows that are not in a snapshot, with their summaries.
    rows: BTreeMap<u64, UpdateSummary>,
    /// The rows that were pending when last checked, with their bytes.
    waiting: BTreeMap<u64, usize>,
    text: Option<LiveText>,
    /// Upper bound of the text's bytes: the last counted length plus all insertions since.
    bytes_at_most: usize,
    /// Whether `bytes_at_most` is exact.
    is_counted: bool,
    /// Upper bound of the encoded state's bytes.
    state_bytes: usize,
    /// Whether the log has registered this load's client id as the server's.
    pub(super) announced: bool,
    limits: BudgetSettings,
    /// An operation failed half-way; discard the replica.
    pub(super) is_broken: bool,
}

impl Replica {
    /// Builds the replica from the log. Stops at the first row that cannot be applied: the result
    /// of applying later rows to a broken replica would be meaningless.
    ///
    /// # Errors
    /// `CorruptDocument` if stored bytes are damaged or a row is missing.
    pub(super) fn load(
        document: DocumentId,
        log: LoadedLog,
        ids: &dyn Ids,
        limits: BudgetSettings,
    ) -> Result<Loaded> {
        let damaged = |what: String| Error::CorruptDocument(Internal::new(what));
        let StoredSnapshot { seq, state: stored } = &log.snapshot;
        let Snapshot { state, waiting, .. } = Snapshot::decode(document, *seq, stored)
            .ok_or_else(|| damaged(format!("snapshot {seq} is damaged")))?;
        if let Some(missing) = missing_rows(&log, &waiting) {
            return Err(damaged(missing));
        }
        let lineage = Lineage::load(random_client_id(ids), &state)
            .map_err(|cause| damaged(format!("snapshot {seq} does not load: {cause}")))?;
        let mut replica = Self {
            bytes_at_most: lineage.doc().text().len(),
            lineage,
            seq: *seq,
            rows: BTreeMap::new(),
            waiting: BTreeMap::new(),
            text: None,
            is_counted: true,
            state_bytes: state.len(),
            announced: false,
            limits,
            is_broken: false,
        };
        drop(state);
        for LoggedUpdate { seq, delta, .. } in log.updates {
            let delta =
                unseal(&delta).ok_or_else(|| damaged(format!("update {seq} is damaged")))?;
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

    /// Applies a durable update and the pending updates it releases. After an error, discard the
    /// replica.
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

    /// Records a durable update that was made in this replica. After an error, discard the replica.
    pub(super) fn made_here(
        &mut self,
        seq: u64,
        delta: &[u8],
        summary: UpdateSummary,
    ) -> std::result::Result<(), Rejected> {
        self.announced = true;
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

    /// Whether the update is fully applied.
    fn holds(&self, summary: &UpdateSummary) -> bool {
        summary.is_within(|client| self.lineage.doc().clock_of(client))
    }

    /// Checks an update, including against earlier ones of the same batch, which `batch` has
    /// admitted. Does not change the document.
    pub(super) fn admit(
        &mut self,
        update: ClientUpdate,
        batch: Option<&mut Checker>,
    ) -> Result<Admitted> {
        if self.is_broken {
            return Err(Error::internal("a replica that failed is still in use"));
        }
        let refused = |why: &dyn std::fmt::Display| Error::BadUpdate(why.to_string());
        let summary = inspect_update(&update.delta).map_err(|refusal| refused(&refusal))?;
        self.check_size(&update.delta, &summary)?;
        let clients = summary.clients_of_new(|client| self.lineage.doc().clock_of(client));
        let checked = self.lineage.check(&update.delta, batch);
        let would_wait = checked.map_err(|cause| match cause {
            ApplyError::Invalid(cause) => refused(&cause),
            // A panic during the check may have left the item order inconsistent.
            ApplyError::Broken(cause) => {
                self.is_broken = true;
                Error::internal(cause)
            }
        })?;
        let missing_clients = if would_wait {
            let named = named_clients(&update.delta).map_err(|refusal| refused(&refusal))?;
            named.into_iter().filter(|client| self.lineage.doc().clock_of(*client) == 0).collect()
        } else {
            Vec::new()
        };
        if would_wait && !self.may_wait(update.delta.len()) {
            let message = "it depends on changes that this document does not have, and too many \
                           updates are already waiting; send the missing changes first";
            return Err(Error::BadUpdate(message.to_owned()));
        }
        Ok(Admitted {
            update: NewUpdate {
                actor: update.actor,
                op_id: update.op_id,
                delta_hash: sha256(&update.delta),
                delta: update.delta.into(),
                clients,
                client_owner: ClientOwner::Actor(update.actor),
                missing_clients,
            },
            summary,
            made_here: false,
        })
    }

    /// Checks an update against the document's budgets. Pure deletions may exceed them by a
    /// quarter, so that a full document can still be emptied.
    fn check_size(&mut self, delta: &[u8], summary: &UpdateSummary) -> Result<()> {
        let BudgetSettings { document_items, document_bytes, .. } = self.limits;
        let allowed = |limit: usize| if summary.items == 0 { limit + limit / 4 } else { limit };
        let items = self.lineage.doc().items() + summary.items + summary.deletes.len();
        if items > allowed(document_items) {
            return Err(Error::TooLarge(format!(
                "This document has reached the limit of {document_items} separate edits. \
                 Duplicate it and continue in the copy."
            )));
        }
        if self.state_bytes + delta.len() > allowed(document_bytes) {
            self.state_bytes = self.lineage.doc().encode().len();
        }
        if self.state_bytes + delta.len() > allowed(document_bytes) {
            return Err(Error::TooLarge(format!(
                "The editing state of this document has reached the limit of {document_bytes} \
                 bytes. Duplicate it and continue in the copy."
            )));
        }
        Ok(())
    }

    /// Returns the edit, or, if it would exceed the item limit, a single replacement from its first
    /// change to its last.
    pub(super) fn within_items(&self, text: &str, delta: TextDelta) -> TextDelta {
        // Each change splits an item and may insert another.
        let items = self.lineage.doc().items() + 3 * delta.edits().count();
        if items <= self.limits.document_items { delta } else { delta.as_one(text) }
    }

    /// Returns an upper bound of the encoded state's bytes.
    pub(super) const fn state_bytes(&self) -> usize {
        self.state_bytes
    }

    /// Whether traversing the document is slow.
    pub(super) fn is_long(&self) -> bool {
        self.bytes_at_most > SMALL || self.lineage.doc().items() > MANY_ITEMS
    }

    /// Whether copying the checker is slow.
    pub(super) fn takes_long_to_copy(&self) -> bool {
        let doc = self.lineage.doc();
        let bytes = doc.pending_bytes() + doc.second_halves() * HALF_BYTES;
        bytes > SMALL || doc.items() > MANY_ITEMS
    }

    /// Whether integrating an update of this size may be slow, including the pending updates it
    /// releases and the splitting of existing items.
    pub(super) fn takes_long(&self, bytes: usize) -> bool {
        const MANY_STEPS: usize = 1_000_000;
        const STEP_BYTES: usize = 64;
        let bytes = bytes + self.lineage.doc().pending_bytes();
        let steps = self.lineage.doc().items() + self.bytes_at_most / STEP_BYTES;
        bytes > SMALL || bytes.saturating_mul(steps) > MANY_STEPS
    }

    /// Returns the estimated memory use in bytes.
    pub(super) fn footprint(&self) -> usize {
        let text = self.text.as_ref().map_or(0, |text| text.content.len());
        let doc = self.lineage.doc();
        self.bytes_at_most.min(MAX_CONTENT_BYTES)
            + text
            + doc.items() * ITEM_BYTES
            + doc.pending_bytes()
            + doc.second_halves() * HALF_BYTES
            + self.rows.len() * ROW_BYTES
    }

    /// Whether another update of this size may become pending.
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
        // Updates without a visible effect still advance the seq.
        text.facts.seq = seq;
        text.clone()
    }

    /// Whether the text is cached.
    pub(super) const fn has_text(&self) -> bool {
        self.text.is_some()
    }

    /// Drops the cached text.
    pub(super) fn forget_text(&mut self) {
        self.text = None;
    }

    /// Whether the text certainly has room for this many more bytes. Counts only if necessary.
    pub(super) fn has_room_for(&mut self, bytes: usize) -> bool {
        if !self.is_counted && self.bytes_at_most.saturating_add(bytes) > MAX_CONTENT_BYTES {
            let text = self.lineage.doc().text().len();
            self.bytes_at_most = text.saturating_add(self.pending_bytes(&self.lineage));
            self.is_counted = true;
        }
        self.bytes_at_most.saturating_add(bytes) <= MAX_CONTENT_BYTES
    }

    /// Whether the text has room for an update after applying its own deletions. Tries it on a
    /// copy.
    pub(super) fn has_room_with(&self, delta: &[u8], summary: &UpdateSummary) -> Result<bool> {
        let mut copy = self.lineage.fork().map_err(Error::internal)?;
        if let Err(rejected) = copy.apply(0, delta, Validation::Untrusted) {
            return match invalid(&rejected) {
                Some(cause) => Err(Error::BadUpdate(cause.to_string())),
                // Only the copy is lost; whether the update is applicable is decided elsewhere.
                None => Ok(false),
            };
        }
        // A resent update that is still pending is already counted.
        let counted = summary.structs_are_within(|client| copy.doc().clock_of(client))
            || self.rows.values().any(|row| row == summary);
        let waiting = if counted { 0 } else { summary.inserted_bytes };
        let bytes = [copy.doc().text().len(), waiting, self.pending_bytes(&copy)];
        Ok(bytes.into_iter().fold(0, usize::saturating_add) <= MAX_CONTENT_BYTES)
    }

    /// Upper bound of the bytes that pending updates will add to the text.
    fn pending_bytes(&self, lineage: &Lineage) -> usize {
        let is_pending = |summary: &&UpdateSummary| {
            !summary.structs_are_within(|client| lineage.doc().clock_of(client))
        };
        let pending = self.rows.values().filter(is_pending);
        pending.map(|summary| summary.inserted_bytes).fold(0, usize::saturating_add)
    }

    /// Returns the number of rows that are not in a snapshot.
    pub(super) fn rows_waiting(&self) -> u64 {
        self.rows.len() as u64
    }

    /// Returns the rows that are not fully applied.
    pub(super) fn unabsorbed_rows(&self) -> Vec<u64> {
        let held = self.rows.iter().filter(|(_, summary)| !self.holds(summary));
        held.map(|(seq, _)| *seq).collect()
    }

    /// Returns the rows that are fully applied.
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

/// Returns a random client id, so that no two loads ever write under the same one.
pub(crate) fn random_client_id(ids: &dyn Ids) -> u64 {
    let mut bytes = [0; 8];
    ids.fill(&mut bytes);
    u64::from_le_bytes(bytes) % MAX_CLIENT_ID + 1
}
