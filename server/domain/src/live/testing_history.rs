//! In-memory edit history for tests of rooms.

use crate::storage::{
    Constraint, Data, DocumentStore, EditSegments, NewRecord, NewestSegments, Record, RecordIndex,
    RecordPatch, RecordPath, RecordWatch, ResumeToken, SegmentFilter, SegmentRow, StoreError,
    StoreResult,
};
use async_trait::async_trait;
use izanagi_shared::{id::DocumentId, time::Timestamp};
use parking_lot::Mutex;
use std::collections::HashMap;

/// Records and segments of one document.
#[derive(Default)]
pub(super) struct MemoryHistory {
    records: Mutex<HashMap<RecordPath, Record>>,
    pub(super) segments: Mutex<Vec<SegmentRow>>,
}

impl MemoryHistory {
    /// How many records there are.
    pub(super) fn records(&self) -> usize {
        self.records.lock().len()
    }

    /// Removes all records.
    pub(super) fn lose_records(&self) {
        self.records.lock().clear();
    }
}

/// The answer to calls that rooms never make.
fn unused<T>() -> StoreResult<T> {
    Err(StoreError::Unavailable("not part of this test".to_owned()))
}

#[async_trait]
impl DocumentStore for MemoryHistory {
    async fn get(&self, path: &RecordPath) -> StoreResult<Record> {
        self.records.lock().get(path).cloned().ok_or(StoreError::NotFound)
    }

    async fn get_many(&self, _: &[RecordPath]) -> StoreResult<Vec<Record>> {
        unused()
    }

    async fn get_stored(&self, _: &[RecordPath]) -> StoreResult<Vec<Record>> {
        unused()
    }

    async fn collections(&self, _: Option<&str>, _: u32) -> StoreResult<Vec<String>> {
        unused()
    }

    async fn replicate(&self, _: &Record) -> StoreResult<()> {
        unused()
    }

    async fn create(&self, new: &NewRecord, at: Timestamp) -> StoreResult<()> {
        let (path, data) = (new.path.clone(), new.data.clone());
        let record = Record {
            path: path.clone(),
            version: 1,
            created_at: at,
            updated_at: at,
            deleted: false,
            data,
        };
        match self.records.lock().insert(path, record) {
            None => Ok(()),
            Some(_) => Err(StoreError::Conflict(Constraint::RecordExists)),
        }
    }

    async fn update(&self, _: &RecordPath, _: u64, _: &Data, _: Timestamp) -> StoreResult<u64> {
        unused()
    }

    async fn patch(
        &self,
        _: &RecordPath,
        _: u64,
        _: &RecordPatch,
        _: Timestamp,
    ) -> StoreResult<u64> {
        unused()
    }

    async fn delete(&self, _: &RecordPath, _: Timestamp) -> StoreResult<()> {
        unused()
    }

    async fn purge(&self, path: &RecordPath) -> StoreResult<()> {
        self.records.lock().remove(path);
        Ok(())
    }

    async fn query(
        &self,
        _: RecordIndex,
        _: &str,
        _: Option<&str>,
        _: u32,
        _: bool,
    ) -> StoreResult<Vec<Record>> {
        unused()
    }

    async fn paths(
        &self,
        _: RecordIndex,
        _: &str,
        _: Option<&str>,
        _: u32,
        _: bool,
    ) -> StoreResult<Vec<RecordPath>> {
        unused()
    }

    async fn watch(
        &self,
        _: Option<&str>,
        _: Option<&ResumeToken>,
    ) -> StoreResult<Box<dyn RecordWatch>> {
        unused()
    }

    async fn forget(&self, _: Timestamp) -> StoreResult<()> {
        unused()
    }

    async fn close(&self) {}
}

#[async_trait]
impl EditSegments for MemoryHistory {
    async fn list(&self, _: &SegmentFilter) -> StoreResult<Vec<SegmentRow>> {
        Ok(self.segments.lock().clone())
    }

    async fn with_state(&self, _: DocumentId, _: u64) -> StoreResult<SegmentRow> {
        unused()
    }

    async fn newest(&self, _: DocumentId) -> StoreResult<NewestSegments> {
        let segments = self.segments.lock();
        let with_state = segments.iter().filter(|row| row.segment.state_seq.is_some());
        let with_state = with_state.map(|row| row.number).max().unwrap_or(0);
        let since = segments.iter().filter(|row| row.number > with_state);
        let bytes_since = since.map(|row| row.segment.bytes).sum();
        Ok(NewestSegments { number: segments.len() as u64, with_state, bytes_since })
    }

    async fn expired(&self, _: Timestamp, _: u32) -> StoreResult<Vec<SegmentRow>> {
        unused()
    }

    async fn remove(&self, _: DocumentId, _: u64) -> StoreResult<()> {
        unused()
    }

    async fn forgotten(&self, _: DocumentId) -> StoreResult<u64> {
        unused()
    }
}
