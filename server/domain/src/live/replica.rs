//! A room's in-memory document, and the log rows it contains.

use super::{
    command::ClientUpdate,
    gaps::missing_rows,
    lineage::Lineage,
    seal::unseal,
    snapshot::Snapshot,
    submit::Admitted,
    tell::Untold,
    waiting::{Sent, Size, WaitingRows},
};
use crate::{
    budget::{BudgetSettings, SMALL},
    error::{Error, Internal, Result},
    hash::sha256,
    storage::{ClientOwner, Ids, LoadedLog, LoggedUpdate, NewUpdate, StoredSnapshot, TextFacts},
};
use izanagi_shared::{
    crdt::{
        ApplyError, Checker, Integrated, MAX_CLIENT_ID, Rejected, UpdateSummary, Validation,
        inspect_update, named_clients,
    },
    id::{ActorId, DocumentId},
    markdown,
    rules::MAX_CONTENT_BYTES,
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
    /// A replica with every row that is not quarantined, and what the rows after a seq have changed.
    Whole(Box<Replica>, Vec<Untold>),
    /// A row that cannot be applied, and the replica that an earlier row of the log, which waited, was
    /// rejected by. Only what it has integrated can be asked.
    Invalid(Rejected, Option<Box<Replica>>),
}

pub(super) struct Replica {
    pub(super) lineage: Lineage,
    /// Seq of the last update applied.
    pub(super) seq: u64,
    /// Log rows that are not in a snapshot, with their summaries.
    pub(super) rows: BTreeMap<u64, UpdateSummary>,
    /// The rows that wait for others.
    pub(super) waiting: WaitingRows,
    /// How often waiting updates had been tried again when `waiting` was brought up to date.
    releases: u64,
    text: Option<LiveText>,
    /// Upper bound of the text's bytes: the last counted length plus all insertions since.
    pub(super) bytes_at_most: usize,
    /// Whether `bytes_at_most` is exact.
    pub(super) is_counted: bool,
    /// Upper bound of the encoded state's bytes.
    pub(super) state_bytes: usize,
    /// Whether the log has registered this load's client id as the server's.
    pub(super) announced: bool,
    pub(super) limits: BudgetSettings,
    /// An operation failed half-way; discard the replica.
    pub(super) is_broken: bool,
}

impl Replica {
    /// Builds the replica from the log. Stops at the first row that cannot be applied: the result
    /// of applying later rows to a broken replica would be meaningless. `told` is the seq after which
    /// changes are noted.
    ///
    /// # Errors
    /// `CorruptDocument` if stored bytes are damaged or a row is missing.
    pub(super) fn load(
        document: DocumentId,
        log: LoadedLog,
        ids: &dyn Ids,
        limits: BudgetSettings,
        told: Option<u64>,
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
            waiting: WaitingRows::default(),
            releases: 0,
            text: None,
            is_counted: true,
            state_bytes: state.len(),
            announced: false,
            limits,
            is_broken: false,
        };
        drop(state);
        let mut changes = Vec::new();
        if told.is_some_and(|told| told < *seq) {
            // Another room has absorbed rows that seats have not been told of.
            let (actor, change) = (ActorId::SERVER, replica.lineage.doc().encode().into());
            changes.push(Untold { seq: *seq, actor, change, from: None });
        }
        for row in log.updates {
            let (seq, tells) = (row.seq, told.is_some_and(|told| told < row.seq));
            match replica.replay(row, tells)? {
                Ok(change) => changes.extend(change),
                Err(rejected) => {
                    let replica = (rejected.tag != seq).then(|| Box::new(replica));
                    return Ok(Loaded::Invalid(rejected, replica));
                }
            }
        }
        replica.seq = log.live_seq;
        Ok(Loaded::Whole(Box::new(replica), changes))
    }

    /// Applies a row of the log; returns what it has changed, if it `tells`.
    ///
    /// # Errors
    /// `CorruptDocument` if its bytes are damaged.
    pub(super) fn replay(
        &mut self,
        LoggedUpdate { seq, actor, delta, at }: LoggedUpdate,
        tells: bool,
    ) -> Result<std::result::Result<Option<Untold>, Rejected>> {
        let sent = Sent { by: actor, at };
        let Some(delta) = unseal(&delta) else {
            let what = format!("update {seq} is damaged");
            return Err(Error::CorruptDocument(Internal::new(what)));
        };
        let applied = match inspect_update(delta) {
            Ok(summary) => self.apply(seq, sent, delta, summary, Validation::Replayed, tells),
            Err(refusal) => {
                let cause = izanagi_shared::crdt::InvalidUpdate::from(refusal).into();
                Err(Rejected { tag: seq, cause })
            }
        };
        let untold = |change| Untold { seq, actor, change, from: None };
        Ok(applied.map(|change| change.map(untold)))
    }

    /// Applies a durable update and the pending updates it releases; returns what they have changed, if
    /// it `tells`. After an error, discard the replica.
    pub(super) fn apply(
        &mut self,
        seq: u64,
        sent: Sent,
        delta: &[u8],
        summary: UpdateSummary,
        validation: Validation,
        tells: bool,
    ) -> std::result::Result<Option<Integrated>, Rejected> {
        let change = match tells {
            true => Some(self.lineage.apply_and_encode(seq, delta, validation)?),
            false => {
                self.lineage.apply(seq, delta, validation)?;
                None
            }
        };
        let size = Size::of(delta, &summary);
        let waits = !self.holds(&summary);
        self.note(seq, size, summary);
        if waits {
            self.waiting.insert(seq, sent, size);
        }
        Ok(change)
    }

    /// Records a durable update that was made in this replica; returns what the pending updates that it
    /// releases have changed. After an error, discard the replica.
    pub(super) fn made_here(
        &mut self,
        seq: u64,
        delta: &[u8],
        summary: UpdateSummary,
    ) -> std::result::Result<Integrated, Rejected> {
        self.announced = true;
        let released = self.lineage.apply_released(seq)?;
        self.note(seq, Size::of(delta, &summary), summary);
        Ok(released)
    }

    fn note(&mut self, seq: u64, size: Size, summary: UpdateSummary) {
        let releases = self.lineage.doc().releases();
        if self.releases != releases {
            self.releases = releases;
            // Any of them may be in the text now.
            let waited = self.waiting.total();
            self.bytes_at_most += waited.text;
            self.state_bytes += waited.update;
            self.forget_those_that_wait_no_longer();
        }
        self.seq = self.seq.max(seq);
        self.bytes_at_most += size.text;
        self.is_counted = false;
        self.state_bytes += size.update;
        self.rows.insert(seq, summary);
        self.text = None;
    }

    fn forget_those_that_wait_no_longer(&mut self) {
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.retain(|seq| self.is_waiting(seq));
        self.waiting = waiting;
    }

    /// Whether the row with this seq waits for others.
    pub(super) fn is_waiting(&self, seq: u64) -> bool {
        self.rows.get(&seq).is_some_and(|summary| !self.holds(summary))
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
        let waits = checked.map_err(|cause| match cause {
            ApplyError::Invalid(cause) => refused(&cause),
            // A panic during the check may have left the item order inconsistent.
            ApplyError::Broken(cause) => {
                self.is_broken = true;
                Error::internal(cause)
            }
        })?;
        let missing_clients = if waits {
            let named = named_clients(&update.delta).map_err(|refusal| refused(&refusal))?;
            named.into_iter().filter(|client| self.lineage.doc().clock_of(*client) == 0).collect()
        } else {
            Vec::new()
        };
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
            waits,
            made_here: false,
            after: self.seq,
            from: None,
        })
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
        doc.second_halves() * HALF_BYTES > SMALL || doc.items() > MANY_ITEMS
    }

    /// Whether integrating an update of this size may be slow, including the splitting of existing
    /// items, and waiting updates if it `releases` some.
    pub(super) fn takes_long(&self, bytes: usize, releases: bool) -> bool {
        const MANY_STEPS: usize = 1_000_000;
        const STEP_BYTES: usize = 64;
        let bytes = bytes + if releases { self.lineage.doc().pending_bytes() } else { 0 };
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
            self.waiting.remove(*seq);
        }
    }
}

/// Returns a random client id, so that no two loads ever write under the same one.
pub(crate) fn random_client_id(ids: &dyn Ids) -> u64 {
    let mut bytes = [0; 8];
    ids.fill(&mut bytes);
    u64::from_le_bytes(bytes) % MAX_CLIENT_ID + 1
}
