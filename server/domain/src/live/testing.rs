//! In-memory log with fault injection, for tests of rooms.

#![allow(clippy::significant_drop_tightening, reason = "each method is one transaction")]

use super::{
    LiveSettings,
    rooms::{RoomContext, SeenNumbers},
    seal::seal,
    snapshot::Snapshot,
    testing_history::MemoryHistory,
    writer::LogWriter,
};
use crate::budget::{Budget, BudgetSettings};
use crate::edits::EditStore;
use crate::storage::{
    Appended, Batch, BatchOutcome, Clock, Constraint, CutUpdates, Ids as _, KnownOp, LiveLog,
    LoadedLog, LocalBus, LogTail, LoggedUpdate, NewLineage, NewSnapshot, NewUpdate, NodeId,
    SavedText, SegmentRow, StoreError, StoreResult, StoredSnapshot, SystemClock, SystemIds,
    short_hash,
};
use async_trait::async_trait;
use izanagi_shared::{
    crdt::TextDoc,
    id::{ActorId, DocumentId},
    time::Timestamp,
};
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The document of a [`MemoryLog`].
pub(super) const DOCUMENT: DocumentId = DocumentId(Uuid::from_u128(1));

/// The log of one document.
pub(super) struct MemoryLog {
    pub(super) kept: Mutex<Kept>,
    pub(super) trouble: Mutex<Trouble>,
    pub(super) history: Arc<MemoryHistory>,
    /// How often it was loaded.
    pub(super) loads: AtomicU32,
    /// The state that the document was created with.
    pub(super) first: Vec<u8>,
}

/// Contents of the log.
pub(super) struct Kept {
    /// Newest first.
    pub(super) snapshots: Vec<StoredSnapshot>,
    /// [`NewSnapshot::from_seq`] of the newest.
    pub(super) from_seq: u64,
    pub(super) rows: Vec<LoggedUpdate>,
    pub(super) quarantined: Vec<u64>,
    pub(super) full: Vec<ActorId>,
    pub(super) ops: HashMap<(ActorId, String), KnownOp>,
    pub(super) live_seq: u64,
    pub(super) lineage: [u8; 16],
    pub(super) text: String,
}

/// A clock that stands still when tokio's does.
struct RoomClock(Timestamp, Instant);

impl Default for RoomClock {
    fn default() -> Self {
        Self(SystemClock.now(), Instant::now())
    }
}

impl Clock for RoomClock {
    fn now(&self) -> Timestamp {
        let elapsed = i64::try_from(self.uptime().as_micros()).unwrap();
        Timestamp::from_micros(self.0.as_micros() + elapsed)
    }

    fn uptime(&self) -> Duration {
        self.1.elapsed()
    }
}

/// Injected faults.
#[derive(Default)]
pub(super) struct Trouble {
    /// The next append panics.
    pub(super) panics: bool,
    /// The next append takes effect, but its reply is lost.
    pub(super) loses_a_reply: bool,
    /// Rows are stored in a form that cannot be applied.
    pub(super) spoils_rows: bool,
    /// Texts are rejected.
    pub(super) refuses_texts: bool,
    /// Number of rejected texts.
    pub(super) refused_texts: u32,
    /// Nothing is cut.
    pub(super) refuses_cuts: bool,
    /// Number of cuts that come too late: another room has changed the log.
    pub(super) late_cuts: u32,
    /// How the next snapshot fails, if it does.
    pub(super) snapshot: Option<BadSnapshot>,
}

/// How a snapshot fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadSnapshot {
    /// It is not stored.
    Refused,
    /// It is stored, and the reply is lost.
    ReplyLost,
    /// The document has been permanently deleted.
    Deleted,
}

impl MemoryLog {
    /// Creates the log of a document that starts with `text`.
    pub(super) fn of(text: &str) -> Arc<Self> {
        let (_, first) = TextDoc::from_text(1, text);
        let kept = Kept {
            snapshots: vec![StoredSnapshot {
                seq: 0,
                state: Snapshot::first(first.clone()).encode(DOCUMENT, 0),
            }],
            from_seq: 1,
            rows: Vec::new(),
            quarantined: Vec::new(),
            full: Vec::new(),
            ops: HashMap::new(),
            live_seq: 0,
            lineage: [7; 16],
            text: text.to_owned(),
        };
        Arc::new(Self {
            first,
            kept: Mutex::new(kept),
            trouble: Mutex::default(),
            history: Arc::default(),
            loads: AtomicU32::default(),
        })
    }

    /// Creates a room context over this log.
    pub(super) fn context(
        self: &Arc<Self>,
        settings: LiveSettings,
        budget: BudgetSettings,
    ) -> RoomContext {
        let log: Arc<dyn LiveLog> = Arc::clone(self) as _;
        let (ids, budget) = (Arc::new(SystemIds), Budget::new(budget).unwrap());
        let (records, segments) = (Arc::clone(&self.history), Arc::clone(&self.history));
        RoomContext {
            writer: LogWriter::start(Arc::clone(&log), settings.append_timeout),
            log,
            clock: Arc::new(RoomClock::default()),
            edits: EditStore::new(records, segments, Arc::clone(&ids) as _, budget.clone()),
            bus: Arc::new(LocalBus::default()),
            node: NodeId(ids.uuid()),
            ids,
            settings,
            stop: CancellationToken::new(),
            seen: SeenNumbers::new(),
            budget,
        }
    }
}

impl Kept {
    pub(super) fn newest(&self) -> &StoredSnapshot {
        &self.snapshots[0]
    }

    fn append(&mut self, batch: &Batch, spoil: bool) -> BatchOutcome {
        let is_known =
            |update: &NewUpdate| self.ops.contains_key(&(update.actor, update.op_id.clone()));
        if let Some(after) = batch.after
            && after != self.live_seq
            && !batch.updates.iter().all(is_known)
        {
            return BatchOutcome::Moved(self.since(after));
        }
        let mut answers = Vec::new();
        for update in &batch.updates {
            let key = (update.actor, update.op_id.clone());
            answers.push(match self.ops.get(&key) {
                Some(known) if known.hash != short_hash(&update.delta_hash) => Appended::OtherBytes,
                Some(KnownOp { quarantined: true, seq, .. }) => Appended::Quarantined(*seq),
                Some(KnownOp { seq, .. }) => Appended::Known(*seq),
                None => {
                    self.live_seq += 1;
                    let (seq, hash) = (self.live_seq, short_hash(&update.delta_hash));
                    self.ops.insert(key, KnownOp { seq, hash, quarantined: false });
                    let delta = if spoil { seal(b"no update") } else { update.delta.to_vec() };
                    let (actor, at) = (update.actor, batch.at);
                    self.rows.push(LoggedUpdate { seq, actor, delta, at });
                    Appended::New(seq)
                }
            });
        }
        answers.into()
    }

    fn since(&self, seq: u64) -> LogTail {
        let (live_seq, snapshot_seq) = (self.live_seq, self.newest().seq);
        let updates = self.rows.iter().filter(|row| row.seq > seq).cloned().collect();
        let quarantined = self.quarantined.iter().copied().filter(|of| *of > seq).collect();
        LogTail { live_seq, snapshot_seq, updates, quarantined }
    }
}

#[async_trait]
impl LiveLog for MemoryLog {
    async fn append(&self, batches: &[Batch]) -> StoreResult<Vec<StoreResult<BatchOutcome>>> {
        let (panics, lost, spoil) = {
            let mut trouble = self.trouble.lock();
            let Trouble { panics, loses_a_reply, spoils_rows, .. } = &mut *trouble;
            (std::mem::take(panics), std::mem::take(loses_a_reply), *spoils_rows)
        };
        assert!(!panics, "a bug in the log");
        let mut kept = self.kept.lock();
        let answers = batches.iter().map(|batch| Ok(kept.append(batch, spoil))).collect();
        if lost { Err(StoreError::Unknown("lost".to_owned())) } else { Ok(answers) }
    }

    async fn since(&self, _: DocumentId, seq: u64) -> StoreResult<LogTail> {
        Ok(self.kept.lock().since(seq))
    }

    async fn load(&self, document: DocumentId) -> StoreResult<LoadedLog> {
        self.loads.fetch_add(1, Ordering::Relaxed);
        let kept = self.kept.lock();
        let (mut snapshot, updates) = (kept.newest().clone(), kept.rows.clone());
        if document != DOCUMENT {
            // Every other document has the same log.
            let state = Snapshot::decode(DOCUMENT, snapshot.seq, &snapshot.state);
            snapshot.state = state.unwrap().encode(document, snapshot.seq);
        }
        let after = |seq: &&u64| **seq >= kept.from_seq;
        let quarantined = kept.quarantined.iter().filter(after).copied().collect();
        let (live_seq, lineage, full) = (kept.live_seq, kept.lineage, kept.full.clone());
        Ok(LoadedLog {
            live_seq,
            head_is_damaged: false,
            lineage,
            snapshot,
            updates,
            quarantined,
            full,
        })
    }

    async fn known_op(&self, _: DocumentId, actor: ActorId, op_id: &str) -> StoreResult<KnownOp> {
        let key = (actor, op_id.to_owned());
        self.kept.lock().ops.get(&key).copied().ok_or(StoreError::NotFound)
    }

    async fn snapshot(&self, new: &NewSnapshot) -> StoreResult<()> {
        let trouble = self.trouble.lock().snapshot.take();
        match trouble {
            Some(BadSnapshot::Refused) => return Err(StoreError::Unavailable("full".to_owned())),
            Some(BadSnapshot::Deleted) => return Err(StoreError::NotFound),
            Some(BadSnapshot::ReplyLost) | None => {}
        }
        let mut kept = self.kept.lock();
        let mut segments = self.history.segments.lock();
        let newest = segments.last().map(|row| row.segment.record);
        if newest.is_some() && newest == new.segments.last().map(|segment| segment.record) {
            return Ok(());
        }
        let is_there = |seq: &u64| kept.rows.iter().any(|row| row.seq == *seq);
        if !new.absorbed.iter().all(is_there) {
            return Err(StoreError::Conflict(Constraint::LogChanged));
        }
        kept.snapshots.retain(|kept| kept.seq != new.seq);
        if new.verified < new.seq {
            kept.snapshots.retain(|kept| kept.seq >= new.verified);
        }
        kept.snapshots.insert(0, StoredSnapshot { seq: new.seq, state: new.state.clone() });
        kept.from_seq = new.from_seq;
        for segment in new.segments.iter().copied() {
            let number = segments.len() as u64 + 1;
            segments.push(SegmentRow { document_id: new.document_id, number, segment });
        }
        kept.rows.retain(|row| !new.absorbed.contains(&row.seq));
        match trouble {
            Some(_) => Err(StoreError::Unknown("lost".to_owned())),
            None => Ok(()),
        }
    }

    async fn snapshots(&self, _: DocumentId) -> StoreResult<Vec<StoredSnapshot>> {
        Ok(self.kept.lock().snapshots.clone())
    }

    async fn restart(&self, _: &NewLineage) -> StoreResult<()> {
        Err(StoreError::Unavailable("rooms do not restart a document".to_owned()))
    }

    async fn former_clients(&self, _: DocumentId, _: &[u64]) -> StoreResult<Vec<u64>> {
        Ok(Vec::new())
    }

    async fn save_text(&self, text: &SavedText) -> StoreResult<()> {
        let mut trouble = self.trouble.lock();
        if trouble.refuses_texts {
            trouble.refused_texts += 1;
            return Err(StoreError::Unavailable("full".to_owned()));
        }
        self.kept.lock().text.clone_from(&text.content);
        Ok(())
    }

    async fn text(&self, document_id: DocumentId) -> StoreResult<SavedText> {
        let content = self.kept.lock().text.clone();
        let facts = super::LiveText::new(content.as_str(), 0).facts;
        Ok(SavedText { document_id, content, facts })
    }

    async fn quarantine(&self, _: DocumentId, seq: u64, _: Timestamp) -> StoreResult<()> {
        let mut kept = self.kept.lock();
        let Kept { rows, ops, quarantined, .. } = &mut *kept;
        rows.retain(|row| row.seq != seq);
        quarantined.push(seq);
        ops.values_mut().filter(|op| op.seq == seq).for_each(|op| op.quarantined = true);
        Ok(())
    }

    async fn cut(&self, cut: &CutUpdates) -> StoreResult<()> {
        let mut trouble = self.trouble.lock();
        if trouble.refuses_cuts {
            return Err(StoreError::Unavailable("full".to_owned()));
        }
        if trouble.late_cuts > 0 {
            trouble.late_cuts -= 1;
            return Err(StoreError::Conflict(Constraint::LogChanged));
        }
        let mut kept = self.kept.lock();
        let is_there = |(seq, _): &(u64, Vec<u8>)| kept.rows.iter().any(|row| row.seq == *seq);
        if kept.live_seq != cut.live_seq || !cut.updates.iter().all(is_there) {
            return Err(StoreError::Conflict(Constraint::LogChanged));
        }
        let Kept { rows, ops, .. } = &mut *kept;
        for (seq, delta) in &cut.updates {
            let row = rows.iter_mut().filter(|row| row.seq == *seq);
            row.for_each(|row| row.delta.clone_from(delta));
            ops.values_mut().filter(|op| op.seq == *seq).for_each(|op| op.quarantined = true);
        }
        Ok(())
    }

    async fn forget_ops(&self, _: Timestamp) -> StoreResult<()> {
        self.kept.lock().ops.clear();
        Ok(())
    }
}
