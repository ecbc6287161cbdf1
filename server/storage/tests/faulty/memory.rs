//! Two minimal stores that record the effects of calls.

#![allow(clippy::significant_drop_tightening, reason = "each method is one transaction")]

use async_trait::async_trait;
use izanagi_domain::storage::{
    Appended, Batch, BatchOutcome, Constraint, CutUpdates, Data, DocumentStore, KnownOp, LiveLog,
    LoadedLog, LogTail, NewLineage, NewRecord, NewSnapshot, Record, RecordIndex, RecordPatch,
    RecordPath, RecordWatch, ResumeToken, SavedText, StoreError, StoreResult, StoredSnapshot,
    TextFacts,
};
use izanagi_shared::{
    id::{ActorId, DocumentId},
    time::Timestamp,
};
use parking_lot::Mutex;
use std::collections::BTreeMap;

/// An in-memory document store.
#[derive(Default)]
pub(crate) struct Records(Mutex<BTreeMap<RecordPath, Record>>);

#[async_trait]
impl DocumentStore for Records {
    async fn get(&self, path: &RecordPath) -> StoreResult<Record> {
        self.0.lock().get(path).cloned().ok_or(StoreError::NotFound)
    }

    async fn get_many(&self, paths: &[RecordPath]) -> StoreResult<Vec<Record>> {
        let records = self.0.lock();
        Ok(paths.iter().filter_map(|path| records.get(path).cloned()).collect())
    }

    async fn get_stored(&self, paths: &[RecordPath]) -> StoreResult<Vec<Record>> {
        self.get_many(paths).await
    }

    async fn collections(&self, after: Option<&str>, limit: u32) -> StoreResult<Vec<String>> {
        let records = self.0.lock();
        let mut names: Vec<&str> = records.keys().map(RecordPath::collection).collect();
        names.dedup();
        names.retain(|name| after.is_none_or(|after| *name > after));
        names.truncate(limit as usize);
        Ok(names.into_iter().map(str::to_owned).collect())
    }

    async fn replicate(&self, record: &Record) -> StoreResult<()> {
        let mut records = self.0.lock();
        let is_known =
            records.get(&record.path).is_some_and(|known| known.version >= record.version);
        if !is_known {
            records.insert(record.path.clone(), record.clone());
        }
        Ok(())
    }

    async fn create(&self, record: &NewRecord, at: Timestamp) -> StoreResult<()> {
        let mut records = self.0.lock();
        if records.contains_key(&record.path) {
            return Err(StoreError::Conflict(Constraint::RecordExists));
        }
        let NewRecord { path, data } = record.clone();
        let stored = Record {
            path: path.clone(),
            version: 1,
            created_at: at,
            updated_at: at,
            deleted: false,
            data,
        };
        records.insert(path, stored);
        Ok(())
    }

    async fn update(
        &self,
        path: &RecordPath,
        expected: u64,
        data: &Data,
        at: Timestamp,
    ) -> StoreResult<u64> {
        let mut records = self.0.lock();
        let record = records.get_mut(path).ok_or(StoreError::NotFound)?;
        if record.version != expected {
            return Err(StoreError::Conflict(Constraint::RecordVersion));
        }
        record.version += 1;
        record.updated_at = at;
        record.data = data.clone();
        Ok(record.version)
    }

    async fn patch(
        &self,
        path: &RecordPath,
        expected: u64,
        patch: &RecordPatch,
        at: Timestamp,
    ) -> StoreResult<u64> {
        let mut data = self.get(path).await?.data;
        patch.apply(&mut data);
        self.update(path, expected, &data, at).await
    }

    async fn delete(&self, path: &RecordPath, at: Timestamp) -> StoreResult<()> {
        if let Some(record) = self.0.lock().get_mut(path) {
            record.deleted = true;
            record.updated_at = at;
        }
        Ok(())
    }

    async fn purge(&self, path: &RecordPath) -> StoreResult<()> {
        self.0.lock().remove(path);
        Ok(())
    }

    async fn query(
        &self,
        _index: RecordIndex,
        collection: &str,
        _after: Option<&str>,
        limit: u32,
        _with_deleted: bool,
    ) -> StoreResult<Vec<Record>> {
        let records = self.0.lock();
        let found = records.values().filter(|record| record.path.collection() == collection);
        Ok(found.take(limit as usize).cloned().collect())
    }

    async fn paths(
        &self,
        index: RecordIndex,
        collection: &str,
        after: Option<&str>,
        limit: u32,
        with_deleted: bool,
    ) -> StoreResult<Vec<RecordPath>> {
        let records = self.query(index, collection, after, limit, with_deleted).await?;
        Ok(records.into_iter().map(|record| record.path).collect())
    }

    async fn watch(
        &self,
        _collection: Option<&str>,
        _after: Option<&ResumeToken>,
    ) -> StoreResult<Box<dyn RecordWatch>> {
        Err(StoreError::Unavailable("not part of these tests".to_owned()))
    }

    async fn forget(&self, _now: Timestamp) -> StoreResult<()> {
        Ok(())
    }

    async fn close(&self) {}
}

/// An in-memory log: the received op ids, and a fixed state and text.
#[derive(Default)]
pub(crate) struct Log {
    /// Documents and op ids, in order of arrival.
    pub(crate) ops: Mutex<Vec<(DocumentId, String)>>,
}

/// The state returned by [`Log`].
pub(crate) const STATE: &[u8] = b"state";
/// The text returned by [`Log`].
pub(crate) const TEXT: &str = "text";

#[async_trait]
impl LiveLog for Log {
    async fn append(&self, batches: &[Batch]) -> StoreResult<Vec<StoreResult<BatchOutcome>>> {
        let mut ops = self.ops.lock();
        let mut answers = Vec::new();
        for Batch { document_id, updates, .. } in batches {
            assert!(!updates.is_empty(), "a batch without updates");
            let mut appended = Vec::new();
            for update in updates {
                ops.push((*document_id, update.op_id.clone()));
                appended.push(Appended::New(ops.len() as u64));
            }
            answers.push(Ok(appended.into()));
        }
        Ok(answers)
    }

    async fn since(&self, _document: DocumentId, _seq: u64) -> StoreResult<LogTail> {
        let live_seq = self.ops.lock().len() as u64;
        Ok(LogTail { live_seq, snapshot_seq: 0, updates: Vec::new(), quarantined: Vec::new() })
    }

    async fn load(&self, _document: DocumentId) -> StoreResult<LoadedLog> {
        let snapshot = StoredSnapshot { seq: 0, state: STATE.to_vec() };
        let (updates, quarantined, full) = (Vec::new(), Vec::new(), Vec::new());
        let lineage = [0; 16];
        Ok(LoadedLog {
            live_seq: 0,
            head_is_damaged: false,
            lineage,
            snapshot,
            updates,
            quarantined,
            full,
        })
    }

    async fn known_op(
        &self,
        document: DocumentId,
        _user: ActorId,
        op_id: &str,
    ) -> StoreResult<KnownOp> {
        let ops = self.ops.lock();
        let place = ops.iter().position(|(d, op)| *d == document && op == op_id);
        let seq = place.ok_or(StoreError::NotFound)? as u64 + 1;
        Ok(KnownOp { seq, hash: [0; 16], quarantined: false })
    }

    async fn snapshot(&self, _snapshot: &NewSnapshot) -> StoreResult<()> {
        Ok(())
    }

    async fn snapshots(&self, _document: DocumentId) -> StoreResult<Vec<StoredSnapshot>> {
        Ok(vec![StoredSnapshot { seq: 0, state: STATE.to_vec() }])
    }

    async fn restart(&self, _restart: &NewLineage) -> StoreResult<()> {
        Ok(())
    }

    async fn former_clients(&self, _: DocumentId, _: &[u64]) -> StoreResult<Vec<u64>> {
        Ok(Vec::new())
    }

    async fn save_text(&self, _text: &SavedText) -> StoreResult<()> {
        Ok(())
    }

    async fn text(&self, document_id: DocumentId) -> StoreResult<SavedText> {
        Ok(SavedText { document_id, content: TEXT.to_owned(), facts: TextFacts::default() })
    }

    async fn quarantine(
        &self,
        _document: DocumentId,
        _seq: u64,
        _at: Timestamp,
    ) -> StoreResult<()> {
        Ok(())
    }

    async fn cut(&self, _cut: &CutUpdates) -> StoreResult<()> {
        Ok(())
    }

    async fn forget_ops(&self, _before: Timestamp) -> StoreResult<()> {
        self.ops.lock().clear();
        Ok(())
    }
}
