//! Writing and reading segments: the records first, read back, and only then is the segment listed,
//! in the transaction that removes its edits from the log.

use super::segment::{self, Edit, Segment, State};
use crate::{
    budget::Budget,
    core::Core,
    error::{Error, Result},
    live::{Snapshot, into_unsealed},
    storage::{
        Constraint, Data, DocumentStore, EditSegments, Ids, LoadedLog, LoggedUpdate, NewRecord,
        NewSegment, Record, RecordPath, SegmentFilter, SegmentRow, StoreError, StoreResult,
        StoredSnapshot, Value,
    },
};
use izanagi_shared::{id::DocumentId, time::Timestamp};
use std::{collections::BTreeSet, sync::Arc};
use uuid::Uuid;

/// A segment begins with the whole state after this many without one, if these weigh half as much,
const STATE_EVERY: u64 = 32;
/// and after this many in any case.
const STATE_AFTER: u64 = 1_024;
/// A new segment is begun after this many bytes of updates.
const SEGMENT_BYTES: usize = 8 * 1024 * 1024;
/// Bytes of a segment in one record: document stores limit their size.
const RECORD_BYTES: usize = 4 * 1024 * 1024;

/// Where edit history is kept.
#[derive(Clone)]
pub(crate) struct EditStore {
    pub(super) records: Arc<dyn DocumentStore>,
    segments: Arc<dyn EditSegments>,
    ids: Arc<dyn Ids>,
    pub(super) budget: Budget,
}

impl EditStore {
    /// The history in these stores.
    pub(crate) fn new(
        records: Arc<dyn DocumentStore>,
        segments: Arc<dyn EditSegments>,
        ids: Arc<dyn Ids>,
        budget: Budget,
    ) -> Self {
        Self { records, segments, ids, budget }
    }

    /// The history in the stores of a core.
    pub(crate) fn of(core: &Core) -> Self {
        let (records, segments) = (&core.stores.documents, &core.stores.relational.segments);
        let (records, segments) = (Arc::clone(records), Arc::clone(segments));
        Self::new(records, segments, Arc::clone(&core.ids), core.budget.clone())
    }

    /// The rows of segments.
    pub(crate) fn rows(&self) -> &dyn EditSegments {
        &*self.segments
    }

    /// Writes the edits that a snapshot is about to absorb, and reads them back. Also returns whether
    /// the snapshot before is intact. `None` when the log lacks one of the edits: another room has
    /// changed it. A damaged row must not keep the snapshot from replacing it, so its edit is kept
    /// without its bytes.
    ///
    /// # Errors
    /// As the stores; `Internal` when the data read back differs.
    pub(crate) async fn keep(
        &self,
        document: DocumentId,
        log: LoadedLog,
        absorbed: &BTreeSet<u64>,
        now: Timestamp,
    ) -> Result<Option<(Vec<NewSegment>, bool)>> {
        let LoadedLog { snapshot: StoredSnapshot { seq, state }, mut updates, .. } = log;
        updates.retain(|row| absorbed.contains(&row.seq));
        if updates.len() != absorbed.len() {
            return Ok(None);
        }
        let or_lost = move |row: LoggedUpdate| {
            let (seq, actor, at) = (row.seq, row.actor, row.at);
            edit(row).unwrap_or_else(|error| {
                tracing::error!(docId = %document, %error, "the bytes of an edit are lost");
                Edit { seq, actor, at, delta: Vec::new() }
            })
        };
        let bytes = updates.iter().map(|row| row.delta.len()).sum::<usize>() + state.len();
        let decode = move || {
            let edits: Vec<Edit> = updates.into_iter().map(or_lost).collect();
            (edits, Snapshot::decode(document, seq, &state))
        };
        let (edits, snapshot) = self.budget.run_on(bytes, decode).await?;
        let is_intact = snapshot.is_some();
        let state = self.state_due(document, snapshot).await?;
        let mut state = state.map(|update| State { seq, update });
        let mut kept = Vec::new();
        for edits in divide(edits) {
            match self.write(document, edits, state.take(), now).await {
                Ok(segment) => kept.push(segment),
                Err(error) => {
                    self.discard(document, &kept).await;
                    return Err(error);
                }
            }
        }
        Ok(Some((kept, is_intact)))
    }

    /// The state for the next segment to begin with, if it should begin with one. A replay must not
    /// start far back, and states must not outweigh the edits between them.
    async fn state_due(
        &self,
        document: DocumentId,
        snapshot: Option<Snapshot>,
    ) -> Result<Option<Vec<u8>>> {
        let newest = self.segments.newest(document).await?;
        let since = newest.number - newest.with_state + 1;
        let (bytes, begins_lineage) =
            snapshot.as_ref().map_or((0, false), |of| (of.state.len() as u64, of.begins_lineage));
        let outweigh = newest.bytes_since * 2 >= bytes;
        if !begins_lineage
            && newest.with_state > 0
            && since < STATE_AFTER
            && !(since >= STATE_EVERY && outweigh)
        {
            return Ok(None);
        }
        if snapshot.is_none() {
            tracing::error!(docId = %document, "the old snapshot is damaged: replays begin later");
        }
        Ok(snapshot.map(|snapshot| snapshot.state))
    }

    async fn write(
        &self,
        document_id: DocumentId,
        edits: Vec<Edit>,
        state: Option<State>,
        now: Timestamp,
    ) -> Result<NewSegment> {
        let bytes = edits.iter().map(|edit| edit.delta.len()).sum::<usize>()
            + state.as_ref().map_or(0, |state| state.update.len());
        let written = Segment { edits, state };
        let record = self.ids.uuid();
        let encode = move || {
            let encoded = segment::encode(&written)?;
            std::io::Result::Ok((written.row(record, &encoded), encoded, written))
        };
        let encoded = self.budget.run_on(bytes, encode).await?;
        let (segment, encoded, written) = encoded.map_err(Error::internal)?;
        let segment = segment.ok_or_else(|| Error::internal("a segment has no edits"))?;
        let stored = self.store(document_id, &segment, &encoded, now).await;
        let read = match stored {
            Ok(()) => self.read(&SegmentRow { document_id, number: 0, segment }).await,
            Err(error) => Err(error.into()),
        };
        // The edits leave the log only after their replacement has been read back.
        let what = match read {
            Ok(read) if read == written => return Ok(segment),
            Ok(_) => Error::internal(format!("segment {}: other data was read", segment.record)),
            Err(error) => error,
        };
        self.discard(document_id, &[segment]).await;
        Err(what)
    }

    async fn store(
        &self,
        document: DocumentId,
        segment: &NewSegment,
        encoded: &[u8],
        now: Timestamp,
    ) -> StoreResult<()> {
        for (path, content) in paths(document, segment).zip(encoded.chunks(RECORD_BYTES)) {
            match self.records.create(&NewRecord { path, data: data(content) }, now).await {
                // A driver has sent it twice: no other writer has this id.
                Ok(()) | Err(StoreError::Conflict(Constraint::RecordExists)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads a segment.
    ///
    /// # Errors
    /// `Internal` when it is missing or damaged.
    pub(crate) async fn read(&self, row: &SegmentRow) -> Result<Segment> {
        let SegmentRow { document_id, segment, .. } = *row;
        let mut encoded = Vec::new();
        for path in paths(document_id, &segment) {
            let record = self.records.get(&path).await;
            let mut record = record.map_err(|error| missing(error, &path))?;
            encoded.extend(
                content(&mut record)
                    .ok_or_else(|| StoreError::Corrupt(format!("{path}: no content")))?,
            );
        }
        let corrupt =
            |what: &str| StoreError::Corrupt(format!("segment {}: {what}", segment.record));
        let bytes = encoded.len();
        let decode = move || {
            let decoded = segment::decode(&encoded)?;
            Some((decoded.row(segment.record, &encoded), decoded))
        };
        let decoded = self.budget.run_on(bytes, decode).await?;
        let (row, decoded) = decoded.ok_or_else(|| corrupt("it cannot be decoded"))?;
        if row != Some(segment) {
            return Err(corrupt("it does not match its row").into());
        }
        Ok(decoded)
    }

    /// Whether all these segments can still be read.
    pub(crate) async fn are_readable(&self, document_id: DocumentId, all: &[NewSegment]) -> bool {
        for segment in all.iter().copied() {
            if let Err(error) = self.read(&SegmentRow { document_id, number: 0, segment }).await {
                tracing::warn!(docId = %document_id, ?error, "an unlisted segment is not used");
                return false;
            }
        }
        true
    }

    /// Removes segments that will never be listed. `fsck` finds what could not be removed.
    pub(crate) async fn discard(&self, document: DocumentId, segments: &[NewSegment]) {
        for segment in segments {
            if let Err(error) = self.purge(document, segment).await {
                tracing::warn!(docId = %document, ?error, "an unlisted segment is left behind");
            }
        }
    }

    /// Removes the segments whose last edit is older than `before` for good.
    ///
    /// # Errors
    /// As the stores.
    pub(crate) async fn forget(&self, before: Timestamp) -> StoreResult<()> {
        const BATCH: u32 = 100;
        loop {
            let rows = self.segments.expired(before, BATCH).await?;
            if rows.is_empty() {
                return Ok(());
            }
            for row in rows {
                // The row goes last: as long as it is there, the records can be found.
                self.purge(row.document_id, &row.segment).await?;
                self.segments.remove(row.document_id, row.number).await?;
            }
        }
    }

    /// Returns the rows of all segments of a document.
    ///
    /// # Errors
    /// As the stores.
    pub(crate) async fn all_rows(&self, document_id: DocumentId) -> StoreResult<Vec<SegmentRow>> {
        const BATCH: u32 = 100;
        let (from_seq, to_seq, from_number) = (0, u64::MAX, 0);
        let mut filter = SegmentFilter { document_id, from_seq, to_seq, from_number, limit: BATCH };
        let mut all = Vec::new();
        loop {
            let rows = self.segments.list(&filter).await?;
            let Some(last) = rows.last() else { return Ok(all) };
            filter.from_number = last.number + 1;
            all.extend(rows);
        }
    }

    async fn purge(&self, document: DocumentId, segment: &NewSegment) -> StoreResult<()> {
        for path in paths(document, segment) {
            self.records.purge(&path).await?;
        }
        Ok(())
    }
}

/// An edit from its row in the log.
///
/// # Errors
/// `Corrupt` when the row is damaged.
pub(super) fn edit(row: LoggedUpdate) -> StoreResult<Edit> {
    let LoggedUpdate { seq, actor, delta, at } = row;
    let damaged = || StoreError::Corrupt(format!("update {seq} is damaged"));
    let delta = into_unsealed(delta).ok_or_else(damaged)?;
    Ok(Edit { seq, actor, at, delta })
}

/// The ids of the records that hold a segment.
pub(crate) fn paths(
    document: DocumentId,
    segment: &NewSegment,
) -> impl Iterator<Item = RecordPath> + use<> {
    let (record, bytes): (Uuid, u64) = (segment.record, segment.bytes);
    (0..bytes.div_ceil(RECORD_BYTES as u64))
        .map(move |part| RecordPath::edits(document, record, part))
}

fn divide(edits: Vec<Edit>) -> Vec<Vec<Edit>> {
    let mut divided: Vec<Vec<Edit>> = Vec::new();
    let mut bytes = usize::MAX;
    for edit in edits {
        if bytes >= SEGMENT_BYTES {
            divided.push(Vec::new());
            bytes = 0;
        }
        bytes += edit.delta.len();
        if let Some(last) = divided.last_mut() {
            last.push(edit);
        }
    }
    divided
}

fn data(content: &[u8]) -> Data {
    let mut data = Data::new();
    data.insert("type".to_owned(), "segment".into());
    data.insert("content".to_owned(), content.to_vec().into());
    data
}

/// Takes the content out of a record.
pub(super) fn content(record: &mut Record) -> Option<Vec<u8>> {
    match record.data.remove("content") {
        Some(Value::Bytes(content)) => Some(content),
        _ => None,
    }
}

/// A record that a row names must be there.
fn missing(error: StoreError, path: &RecordPath) -> StoreError {
    match error {
        StoreError::NotFound => StoreError::Corrupt(format!("{path} is missing")),
        error => error,
    }
}
