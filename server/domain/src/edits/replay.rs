//! Replays: a run of edits as one text, from which the text after any of them can be read.

mod collected;

use super::{
    Edits,
    read::SEGMENTS,
    segment::{Edit, Segment, State},
    store,
};
use crate::{
    documents::Editor,
    error::{Error, Result},
    storage::{LoadedLog, SegmentFilter, SegmentRow, StoreError},
};
use collected::Collected;
use izanagi_shared::{
    crdt::{TextDoc, replay::Index},
    wire::ReplayView,
};

/// Edits of a replay, by default and at most.
const MAX_EDITS: u32 = 131_072;
/// Memory that every replay may take.
const LEAST_BYTES: usize = 2 * 1024 * 1024;
/// Memory of an edit: its update, its parts and columns, and their JSON.
const EDIT_BYTES: usize = 400;
/// Peak memory in bytes per byte of the document: its state, the replica, the text, and their JSON.
const DOCUMENT_FACTOR: usize = 10;
/// Peak memory in bytes per UTF-16 unit that the edits insert: the unit, the text, and its JSON.
const UNIT_FACTOR: usize = 10;

impl Edits {
    /// Up to `limit` edits from `from` on as one text. A replay ends early where a lineage does, and
    /// when its edits insert very much.
    ///
    /// # Errors
    /// `Invalid` for a limit out of range; `CorruptDocument` when the document's state is damaged. A
    /// damaged part of edit history is named in the replay instead.
    pub async fn replay(
        &self,
        editor: &Editor,
        from: Option<u64>,
        limit: Option<u32>,
    ) -> Result<ReplayView> {
        let limit = crate::documents::in_range("limit", limit, MAX_EDITS, MAX_EDITS)?;
        let length = usize::try_from(editor.row().text.length).unwrap_or(usize::MAX);
        let edits = editor.row().live_seq.min(u64::from(limit));
        let edits = usize::try_from(edits).unwrap_or(usize::MAX).saturating_mul(EDIT_BYTES);
        let expected = length.saturating_mul(DOCUMENT_FACTOR).saturating_add(edits + LEAST_BYTES);
        let reserved = self.core.budget.work(expected).await?;
        let log = self.core.stores.relational.log.load(editor.id()).await;
        let log = log.map_err(Error::missing("document"))?;
        let oldest = self.oldest(editor).await?;
        let first_seq = oldest.as_ref().map_or(log.snapshot.seq, state_seq) + 1;
        let from = from.unwrap_or(first_seq).max(first_seq);
        let collected = self.collect(editor, &log, from, limit).await?;
        // Only now is known how much was inserted and deleted again.
        let inserted = collected.builder.own_units().saturating_mul(UNIT_FACTOR);
        // Given back first: a caller that waits for more while it holds some could wait for ever.
        drop(reserved);
        let _reserved = self.core.budget.work(expected.saturating_add(inserted)).await?;
        let mut view = self.finish(editor, log, collected).await?;
        view.first_seq = first_seq;
        Ok(view)
    }

    /// The oldest segment that a replay can begin with.
    pub(super) async fn oldest(&self, editor: &Editor) -> Result<Option<SegmentRow>> {
        let mut filter = all_from(editor, 0);
        loop {
            let rows = self.store.rows().list(&filter).await?;
            let Some(last) = rows.last() else { return Ok(None) };
            filter.from_number = last.number + 1;
            if let Some(row) = rows.iter().find(|row| row.segment.state_seq.is_some()) {
                return Ok(Some(*row));
            }
        }
    }

    /// Collects the edits from `from` on, first those in segments, then those in the log.
    async fn collect(
        &self,
        editor: &Editor,
        log: &LoadedLog,
        from: u64,
        limit: Index,
    ) -> Result<Collected> {
        let snapshot = self.snapshot(editor, log)?;
        let from_snapshot = |from| Collected::new(&snapshot.state, log.snapshot.seq, from, limit);
        let collected = if from > log.snapshot.seq {
            from_snapshot(from)?
        } else {
            let mut collected = match self.begin(editor, from, limit).await? {
                Some((row, segment, begun)) => {
                    let begun = self.add(begun, segment.edits, log.live_seq).await?;
                    self.collect_segments(editor, log, row.number + 1, begun).await?
                }
                None => from_snapshot(log.snapshot.seq + 1)?.without(from, log.snapshot.seq),
            };
            let is_open = collected.next.is_none() && collected.lineage_end.is_none();
            if is_open && !collected.builder.is_within_state(&snapshot.state) {
                collected.end_lineage(u64::MAX, log.snapshot.seq, log.live_seq);
            }
            collected
        };
        if collected.next.is_some() || collected.lineage_end.is_some() {
            return Ok(collected);
        }
        let edits = log.updates.iter().cloned().map(store::edit);
        let edits: Vec<Edit> = edits.collect::<std::result::Result<_, StoreError>>()?;
        self.add(collected, edits, log.live_seq).await
    }

    /// The segment to begin with, for edits from `from` on: the newest readable one that begins with
    /// a state before them, or else the first one after them.
    async fn begin(
        &self,
        editor: &Editor,
        from: u64,
        limit: Index,
    ) -> Result<Option<(SegmentRow, Segment, Collected)>> {
        let row = self.store.rows().with_state(editor.id(), from - 1).await;
        let row = row.map_err(Error::missing("edit"))?;
        if let Some(segment) = self.readable(&row).await?
            && let Some(state) = &segment.state
        {
            let begun = Collected::new(&state.update, state.seq, from, limit)?;
            return Ok(Some((row, segment, begun)));
        }
        let rows = self.store.all_rows(editor.id()).await?;
        let rows = rows.iter().filter(|row| row.segment.state_seq.is_some());
        let (mut before, after): (Vec<_>, Vec<_>) = rows.partition(|row| state_seq(row) < from);
        before.reverse();
        for row in before.into_iter().chain(after) {
            let Some(segment) = self.readable(row).await? else { continue };
            let Some(state) = &segment.state else { continue };
            let State { seq, update } = state;
            let begun = if *seq < from {
                Collected::new(update, *seq, from, limit)?
            } else {
                Collected::new(update, *seq, seq + 1, limit)?.without(from, *seq)
            };
            return Ok(Some((*row, segment, begun)));
        }
        Ok(None)
    }

    /// Collects the edits of the segments from a number on.
    async fn collect_segments(
        &self,
        editor: &Editor,
        log: &LoadedLog,
        number: u64,
        mut collected: Collected,
    ) -> Result<Collected> {
        let mut filter = all_from(editor, number);
        loop {
            let rows = self.store.rows().list(&filter).await?;
            if rows.is_empty() {
                return Ok(collected);
            }
            for row in rows {
                if collected.next.is_some() {
                    return Ok(collected);
                }
                if row.number != filter.from_number {
                    collected.add_lost(collected.last_seq + 1, row.segment.from_seq - 1);
                }
                filter.from_number = row.number + 1;
                match self.readable(&row).await? {
                    None => collected.add_lost(row.segment.from_seq, row.segment.to_seq),
                    Some(Segment { state: Some(state), .. })
                        if !collected.builder.is_within_state(&state.update) =>
                    {
                        collected.end_lineage(row.number, state.seq, log.live_seq);
                        return Ok(collected);
                    }
                    Some(segment) => {
                        collected = self.add(collected, segment.edits, log.live_seq).await?;
                    }
                }
            }
        }
    }

    /// A segment; `None` if it is damaged.
    pub(super) async fn readable(&self, row: &SegmentRow) -> Result<Option<Segment>> {
        match self.store.read(row).await {
            Ok(segment) => Ok(Some(segment)),
            Err(Error::Internal(cause)) => {
                let (document, number) = (row.document_id, row.number);
                tracing::error!(docId = %document, number, cause = cause.for_log(), "edit history is damaged");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    async fn add(
        &self,
        mut collected: Collected,
        edits: Vec<Edit>,
        live_seq: u64,
    ) -> Result<Collected> {
        let bytes = edits.iter().map(|edit| edit.delta.len()).sum();
        let add = move || {
            for edit in edits {
                collected.add(edit, live_seq);
            }
            collected
        };
        self.core.budget.run_on(bytes, add).await
    }

    /// Orders the text of a replay, by the document as it is now, or as it was at the end of the
    /// replay, if that is another lineage or edits are lost.
    async fn finish(
        &self,
        editor: &Editor,
        log: LoadedLog,
        mut collected: Collected,
    ) -> Result<ReplayView> {
        let live_seq = log.live_seq;
        let (doc, is_at_end) = match collected.lineage_end {
            Some(end) => {
                let doc = self.doc_before(editor, collected.last_seq, end).await;
                let doc = doc.unwrap_or_else(|error| {
                    error.log();
                    collected.lose_all();
                    TextDoc::new(1)
                });
                (doc, true)
            }
            None if collected.next.is_none() => (self.doc_in(editor, log, live_seq).await?, true),
            None if collected.missing.is_empty() => {
                (self.doc_in(editor, log, live_seq).await?, false)
            }
            None => match self.doc_in(editor, log.clone(), collected.last_seq).await {
                Ok(doc) => (doc, true),
                Err(_) => (self.doc_in(editor, log, live_seq).await?, false),
            },
        };
        let people = self.people(collected.actors().copied()).await?;
        let view = move || collected.into_view(&doc, is_at_end, &people, live_seq);
        self.core.budget.run(view).await?
    }

    /// The document after `seq`, from the segments before the one with number `end`.
    async fn doc_before(&self, editor: &Editor, seq: u64, end: u64) -> Result<TextDoc> {
        let rows = self.store.all_rows(editor.id()).await?;
        let begins = |row: &&SegmentRow| {
            row.number < end && row.segment.state_seq.is_some_and(|state| state <= seq)
        };
        let first = rows.iter().rfind(begins).ok_or(Error::NotFound("edit"))?;
        self.replay_from(editor, first, seq, end).await
    }
}

/// The seq of the state that a segment begins with.
pub(super) fn state_seq(row: &SegmentRow) -> u64 {
    row.segment.state_seq.unwrap_or_default()
}

fn all_from(editor: &Editor, from_number: u64) -> SegmentFilter {
    let (from_seq, to_seq) = (0, u64::MAX);
    SegmentFilter { document_id: editor.id(), from_seq, to_seq, from_number, limit: SEGMENTS }
}
