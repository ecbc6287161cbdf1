//! A document store in which a test can delay calls or make them fail.

use async_trait::async_trait;
use izanagi_domain::storage::{
    Data, DocumentStore, NewRecord, Record, RecordIndex, RecordPatch, RecordPath, StoreError,
    StoreResult,
};
use izanagi_shared::time::Timestamp;
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// What happens to the next matching call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trap {
    /// The first purge waits until the gate is opened.
    HoldPurge,
    /// The first update or patch waits until the gate is opened.
    HoldUpdate,
    /// Every read of this record panics.
    PanicAt(RecordPath),
    /// This record cannot be read.
    CorruptAt(RecordPath),
    /// This record cannot be purged.
    KeepAt(RecordPath),
}

pub(crate) struct Gate {
    inner: Arc<dyn DocumentStore>,
    trap: Mutex<Option<Trap>>,
    arrived: Notify,
    opened: Notify,
}

impl Gate {
    pub(crate) fn new(inner: Arc<dyn DocumentStore>) -> Arc<Self> {
        let (trap, arrived, opened) = Default::default();
        Arc::new(Self { inner, trap, arrived, opened })
    }

    pub(crate) fn set(&self, trap: impl Into<Option<Trap>>) {
        *self.trap.lock().unwrap() = trap.into();
    }

    /// Waits until a call is held.
    pub(crate) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    /// Releases the held call.
    pub(crate) fn open(&self) {
        self.opened.notify_one();
    }

    fn is(&self, trap: &Trap) -> bool {
        self.trap.lock().unwrap().as_ref() == Some(trap)
    }

    async fn hold(&self, trap: &Trap) {
        if self.is(trap) {
            self.set(None);
            self.arrived.notify_one();
            self.opened.notified().await;
        }
    }
}

#[async_trait]
impl DocumentStore for Gate {
    async fn get(&self, path: &RecordPath) -> StoreResult<Record> {
        assert!(!self.is(&Trap::PanicAt(path.clone())), "injected panic");
        if self.is(&Trap::CorruptAt(path.clone())) {
            return Err(StoreError::Corrupt("a record".to_owned()));
        }
        self.inner.get(path).await
    }

    async fn get_many(&self, paths: &[RecordPath]) -> StoreResult<Vec<Record>> {
        if paths.iter().any(|path| self.is(&Trap::CorruptAt(path.clone()))) {
            return Err(StoreError::Corrupt("a record".to_owned()));
        }
        self.inner.get_many(paths).await
    }

    async fn create(&self, record: &NewRecord, at: Timestamp) -> StoreResult<()> {
        self.inner.create(record, at).await
    }

    async fn update(
        &self,
        path: &RecordPath,
        expected: u64,
        data: &Data,
        at: Timestamp,
    ) -> StoreResult<u64> {
        self.hold(&Trap::HoldUpdate).await;
        self.inner.update(path, expected, data, at).await
    }

    async fn patch(
        &self,
        path: &RecordPath,
        expected: u64,
        patch: &RecordPatch,
        at: Timestamp,
    ) -> StoreResult<u64> {
        self.hold(&Trap::HoldUpdate).await;
        self.inner.patch(path, expected, patch, at).await
    }

    async fn delete(&self, path: &RecordPath, at: Timestamp) -> StoreResult<()> {
        self.inner.delete(path, at).await
    }

    async fn purge(&self, path: &RecordPath) -> StoreResult<()> {
        self.hold(&Trap::HoldPurge).await;
        if self.is(&Trap::KeepAt(path.clone())) {
            return Err(StoreError::Unavailable("stuck".to_owned()));
        }
        self.inner.purge(path).await
    }

    async fn query(
        &self,
        index: RecordIndex,
        collection: &str,
        after: Option<&str>,
        limit: u32,
        with_deleted: bool,
    ) -> StoreResult<Vec<Record>> {
        self.inner.query(index, collection, after, limit, with_deleted).await
    }

    async fn paths(
        &self,
        index: RecordIndex,
        collection: &str,
        after: Option<&str>,
        limit: u32,
        with_deleted: bool,
    ) -> StoreResult<Vec<RecordPath>> {
        self.inner.paths(index, collection, after, limit, with_deleted).await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}
