//! Reading edit history: page by page, and the state at any edit.

use super::{
    Edit, EditStore, first_gap,
    replay::state_seq,
    segment::{Segment, State},
    store,
};
use crate::{
    budget::Reservation,
    core::Core,
    documents::Editor,
    error::{Error, Internal, Result},
    live::Snapshot,
    storage::{
        LoadedLog, LogTail, SegmentFilter, SegmentRow, StoreError, StoreResult, StoredSnapshot,
    },
};
use izanagi_shared::{
    crdt::{TextDoc, Validation},
    id::{ActorId, UserId},
    problem::FieldError,
    wire::Person,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
};

/// Edits a page.
const DEFAULT_LIMIT: u32 = 200;
pub(super) const MAX_LIMIT: u32 = 1_000;
/// A page ends early when its updates have this many bytes.
const PAGE_BYTES: usize = 8 * 1024 * 1024;
/// What a request may hold: a page, a segment, and the log.
pub(super) const WORK_BYTES: usize = 4 * PAGE_BYTES;
/// Rows of segments that are read at once.
pub(super) const SEGMENTS: u32 = 100;

/// An edit with its author.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedEdit {
    /// Its author; `None` when the account is unknown.
    pub author: Option<Person>,
    /// The edit.
    pub edit: Edit,
}

/// A page of edits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditsPage {
    /// By seq. A seq that is missing was quarantined or given up, or is older than history is kept.
    pub items: Vec<LoggedEdit>,
    /// The seq to go on from, if there are more. The page ends before edits that are damaged or
    /// missing; a page that starts with them is an error.
    pub next: Option<u64>,
}

/// The service for edit history.
#[derive(Clone)]
pub struct Edits {
    pub(super) core: Core,
    pub(super) store: EditStore,
}

impl std::fmt::Debug for Edits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Edits").finish_non_exhaustive()
    }
}

impl Edits {
    /// The service over these stores.
    #[must_use]
    pub fn new(core: Core) -> Self {
        let store = EditStore::of(&core);
        Self { core, store }
    }

    /// The edits with seqs from `from` to `to`, both inclusive. A page covers at most `limit` seqs.
    ///
    /// # Errors
    /// `Invalid` for a limit out of range; `CorruptDocument` when the first edits of the page are
    /// damaged or missing.
    pub async fn list(
        &self,
        editor: &Editor,
        from: Option<u64>,
        to: Option<u64>,
        limit: Option<u32>,
    ) -> Result<EditsPage> {
        let limit = crate::documents::in_range("limit", limit, DEFAULT_LIMIT, MAX_LIMIT)?;
        let _reserved = self.core.budget.work(WORK_BYTES).await?;
        let from = from.unwrap_or(1).max(1);
        let log = self.tail(editor, from).await?;
        let to = to.unwrap_or(u64::MAX).min(log.live_seq);
        let end = from.saturating_add(u64::from(limit) - 1).min(to);
        let window = self.window(editor, &log, from..=end, Damaged::Refused).await?;
        let after = window.cut.unwrap_or_else(|| end.saturating_add(1));
        let people = self.people(window.edits.values().map(|edit| edit.actor)).await?;
        let with_author =
            |edit: Edit| LoggedEdit { author: Some(author(&people, edit.actor)), edit };
        let items = window.edits.into_values().map(with_author).collect();
        Ok(EditsPage { items, next: (after <= to).then_some(after) })
    }

    /// The document's state after edit `seq`: every edit up to it that does not wait for a later
    /// one, as a Yjs update (v1).
    ///
    /// # Errors
    /// `Invalid` when there is no such edit; `NotFound` when history is not kept that far back;
    /// `CorruptDocument` when what is stored is damaged.
    pub async fn checkpoint(&self, editor: &Editor, seq: u64) -> Result<Vec<u8>> {
        let _reserved = self.reserve_document().await?;
        let doc = self.doc_at(editor, seq).await?;
        self.core.budget.run(move || doc.encode()).await
    }

    /// The text after edit `seq`.
    ///
    /// # Errors
    /// As [`Self::checkpoint`].
    pub async fn text_at(&self, editor: &Editor, seq: u64) -> Result<String> {
        let _reserved = self.reserve_document().await?;
        let doc = self.doc_at(editor, seq).await?;
        self.core.budget.run(move || doc.text()).await
    }

    /// Reserves what a request that replays edits may hold.
    pub(super) async fn reserve_document(&self) -> Result<Reservation> {
        let settings = self.core.budget.settings();
        self.core.budget.work(settings.document_bytes + WORK_BYTES).await
    }

    /// The document after edit `seq`.
    async fn doc_at(&self, editor: &Editor, seq: u64) -> Result<TextDoc> {
        let log = self.core.stores.relational.log.load(editor.id()).await;
        self.doc_in(editor, log.map_err(Error::missing("document"))?, seq).await
    }

    /// The document after edit `seq`, with this log.
    pub(super) async fn doc_in(
        &self,
        editor: &Editor,
        log: LoadedLog,
        seq: u64,
    ) -> Result<TextDoc> {
        if seq > log.live_seq {
            let message =
                format!("Seq {seq} is out of range. The newest edit is {}.", log.live_seq);
            return Err(FieldError::new("seq", "out_of_range", message).into());
        }
        let doc = if seq >= log.snapshot.seq {
            let (seq, update) = (log.snapshot.seq, self.snapshot(editor, &log)?.state);
            let state = Some(State { seq, update });
            self.replay_segment(None, Segment { edits: Vec::new(), state }).await?
        } else {
            self.replay_segments(editor, seq).await.map_err(|error| match error {
                Error::Internal(cause) => Error::CorruptDocument(cause),
                other => other,
            })?
        };
        let rows = log.updates.into_iter().filter(|row| row.seq <= seq);
        let edits = rows.map(store::edit).collect::<StoreResult<_>>()?;
        self.replay_segment(Some(doc), Segment { edits, state: None }).await
    }

    /// The snapshot of a log.
    pub(super) fn snapshot(&self, editor: &Editor, log: &LoadedLog) -> Result<Snapshot> {
        let StoredSnapshot { seq, state } = &log.snapshot;
        let snapshot = Snapshot::decode(editor.id(), *seq, state);
        snapshot.ok_or_else(|| Error::CorruptDocument(Internal::new("the snapshot is damaged")))
    }

    /// The numbers of the oldest edit that can be replayed and of the newest one.
    ///
    /// # Errors
    /// As the stores.
    pub async fn range(&self, editor: &Editor) -> Result<(u64, u64)> {
        let tail = self.tail(editor, editor.row().live_seq + 1).await?;
        let first = self.oldest(editor).await?.map_or(tail.snapshot_seq, |row| state_seq(&row)) + 1;
        Ok((first, tail.live_seq))
    }

    /// The rows of the log from `from` on. They are read before segments: an edit that moves in
    /// between is found in both.
    pub(super) async fn tail(&self, editor: &Editor, from: u64) -> Result<LogTail> {
        let tail = self.core.stores.relational.log.since(editor.id(), from - 1).await;
        tail.map_err(Error::missing("document"))
    }

    /// The edits with these seqs, from segments and log.
    ///
    /// # Errors
    /// `CorruptDocument` when the first of them are damaged or missing, if these are refused.
    pub(super) async fn window(
        &self,
        editor: &Editor,
        log: &LogTail,
        seqs: RangeInclusive<u64>,
        damaged: Damaged,
    ) -> Result<Window> {
        let mut filter = SegmentFilter {
            document_id: editor.id(),
            from_seq: *seqs.start(),
            to_seq: *seqs.end(),
            from_number: 0,
            limit: SEGMENTS,
        };
        let mut window = Window::default();
        loop {
            let rows = self.store.rows().list(&filter).await?;
            let Some(last) = rows.last() else { break };
            filter.from_number = last.number + 1;
            for row in rows {
                // What is intact can be read.
                let Some(segment) = self.readable(&row).await? else { continue };
                segment.edits.into_iter().filter(|edit| seqs.contains(&edit.seq)).for_each(
                    |edit| {
                        window.add(edit);
                    },
                );
            }
        }
        let rows = log.updates.iter().filter(|row| seqs.contains(&row.seq));
        rows.filter_map(|row| store::edit(row.clone()).ok()).for_each(|edit| window.add(edit));
        if let Damaged::Refused = damaged {
            self.cut_before_a_hole(editor, log, seqs, &mut window).await?;
        }
        Ok(window)
    }

    /// Ends a window before edits that are neither in it nor accounted for.
    async fn cut_before_a_hole(
        &self,
        editor: &Editor,
        log: &LogTail,
        seqs: RangeInclusive<u64>,
        window: &mut Window,
    ) -> Result<()> {
        let (from, to) = seqs.into_inner();
        let to = window.cut.map_or(to, |cut| to.min(cut - 1));
        let known = log.quarantined.iter().chain(&window.seen).copied().collect();
        if first_gap(&known, from - 1, to).is_none() {
            return Ok(());
        }
        let forgotten = self.store.rows().forgotten(editor.id()).await?;
        let Some((first, last)) = first_gap(&known, forgotten.max(from - 1), to) else {
            return Ok(());
        };
        if window.edits.range(..first).next().is_none() {
            let what = format!("edits {first} to {last} are damaged or missing in the history");
            return Err(Error::CorruptDocument(Internal::new(what)));
        }
        window.edits.split_off(&first);
        window.cut = Some(first);
        Ok(())
    }

    /// The state that the segments give for `seq`.
    async fn replay_segments(&self, editor: &Editor, seq: u64) -> Result<TextDoc> {
        let first = match self.store.rows().with_state(editor.id(), seq).await {
            Err(StoreError::NotFound) => {
                let forgotten = self.store.rows().forgotten(editor.id()).await?;
                let is_kept = forgotten == 0 || seq > forgotten;
                let missing = || Error::internal("the segment with the first state is missing");
                return Err(if is_kept { missing() } else { Error::NotFound("edit") });
            }
            first => first?,
        };
        self.replay_from(editor, &first, seq, u64::MAX).await
    }

    /// The state after `seq`, from a segment that begins with a state and those after it with a
    /// number below `end`.
    pub(super) async fn replay_from(
        &self,
        editor: &Editor,
        first: &SegmentRow,
        seq: u64,
        end: u64,
    ) -> Result<TextDoc> {
        let up_to_seq = |mut segment: Segment| {
            segment.edits.retain(|edit| edit.seq <= seq);
            segment
        };
        let mut doc = self.replay_segment(None, up_to_seq(self.store.read(first).await?)).await?;
        // What a later snapshot absorbed came after `seq`, or waited for an edit after it.
        let mut is_reached = first.segment.to_seq >= seq;
        let mut filter = SegmentFilter {
            document_id: editor.id(),
            from_seq: 0,
            to_seq: u64::MAX,
            from_number: first.number + 1,
            limit: SEGMENTS,
        };
        while !is_reached {
            let rows = self.store.rows().list(&filter).await?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                if is_reached || row.number >= end {
                    return Ok(doc);
                }
                // Without a segment in between, edits would silently be missing.
                if row.number != filter.from_number {
                    let missing = filter.from_number;
                    return Err(Error::internal(format!("segment {missing} is missing")));
                }
                filter.from_number += 1;
                is_reached = row.segment.to_seq >= seq;
                let segment = up_to_seq(self.store.read(&row).await?);
                doc = self.replay_segment(Some(doc), segment).await?;
            }
        }
        Ok(doc)
    }

    /// Applies a segment to a document, or to the state that it begins with.
    async fn replay_segment(&self, doc: Option<TextDoc>, segment: Segment) -> Result<TextDoc> {
        let replay = move || {
            let mut doc = match (doc, segment.state) {
                (Some(doc), _) => doc,
                (None, Some(state)) => TextDoc::load(1, &state.update).map_err(Error::internal)?,
                (None, None) => return Err(Error::internal("a segment lacks its state")),
            };
            for edit in &segment.edits {
                if edit.delta.is_empty() {
                    return Err(Error::internal(format!("edit {} is lost", edit.seq)));
                }
                let applied = doc.apply_checked(edit.seq, &edit.delta, Validation::Replayed);
                applied.map_err(|rejected| {
                    Error::internal(format!("edit {}: {}", rejected.tag, rejected.cause))
                })?;
            }
            Ok(doc)
        };
        self.core.budget.run(replay).await?
    }

    pub(super) async fn people(
        &self,
        actors: impl Iterator<Item = ActorId>,
    ) -> Result<BTreeMap<ActorId, Person>> {
        let mut ids: Vec<UserId> = actors.map(|actor| UserId(actor.0)).collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let people = self.core.stores.relational.users.people(&ids).await?;
        Ok(people.into_iter().map(|person| (person.id.into(), person)).collect())
    }
}

/// What is done with edits that are damaged or missing.
#[derive(Debug, Clone, Copy)]
pub(super) enum Damaged {
    /// A window ends before them; one that starts with them is an error.
    Refused,
    LeftOut,
}

/// Edits by seq, at most [`PAGE_BYTES`] of updates, but at least one edit.
#[derive(Default)]
pub(super) struct Window {
    pub(super) edits: BTreeMap<u64, Edit>,
    /// Seqs of all edits that were added, with those whose bytes are lost.
    seen: BTreeSet<u64>,
    bytes: usize,
    /// Edits from this seq on were left out.
    pub(super) cut: Option<u64>,
}

impl Window {
    fn add(&mut self, edit: Edit) {
        self.seen.insert(edit.seq);
        if edit.delta.is_empty() || self.cut.is_some_and(|cut| edit.seq >= cut) {
            return;
        }
        self.bytes += edit.delta.len();
        self.edits.insert(edit.seq, edit);
        while self.bytes > PAGE_BYTES && self.edits.len() > 1 {
            let Some((seq, edit)) = self.edits.pop_last() else { return };
            self.bytes -= edit.delta.len();
            self.cut = Some(seq);
        }
    }
}

/// Returns the author of an edit, which need not be an account.
pub(super) fn author(people: &BTreeMap<ActorId, Person>, actor: ActorId) -> Person {
    people.get(&actor).cloned().unwrap_or_else(|| Person::without_account(actor))
}
