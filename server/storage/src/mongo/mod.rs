//! The MongoDB provider of the document store.

mod connect;
mod data;
mod doctor;
mod errors;
mod record;
mod retention;
mod store;
mod watch;
mod whole;

pub(crate) use connect::open;
pub(crate) use doctor::examine;

use crate::registry::Backend;
use async_trait::async_trait;
use izanagi_domain::storage::{StoreError, StoreResult};
use mongodb::{Client, Collection, bson::RawDocumentBuf};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::{RwLock, RwLockReadGuard};

/// Names of the indexes.
const RECORD_INDEX: &str = "collection_id";
const PARENT_INDEX: &str = "parent";
const PURGE_INDEX: &str = "deleted_updatedAt";
const INDEXES: [&str; 3] = [RECORD_INDEX, PARENT_INDEX, PURGE_INDEX];

/// An open connection, and the document store over it.
pub(crate) struct MongoDb {
    client: Client,
    records: Collection<RawDocumentBuf>,
    description: String,
    /// Identity of the store, in the positions of watches.
    store: String,
    /// Time limit of a call. The driver itself waits for a reply for ever.
    limit: Duration,
    /// How long soft-deleted records are kept.
    retention: Duration,
    /// Whether copies may be read from replicas.
    reads_replicas: bool,
    closed: Arc<AtomicBool>,
    /// Held for reading by every call; closing waits for it.
    calls: RwLock<()>,
    /// Counts the times that a connection failed while a reply may have been under way.
    interruptions: Arc<AtomicU64>,
}

impl MongoDb {
    /// Where the records are, for the log; without secrets.
    pub(crate) fn description(&self) -> &str {
        &self.description
    }

    /// Begins a call.
    async fn begin(&self) -> StoreResult<RwLockReadGuard<'_, ()>> {
        let call = self.calls.read().await;
        if self.closed.load(Ordering::Acquire) {
            return Err(StoreError::Unavailable("the document store is closed".to_owned()));
        }
        Ok(call)
    }

    /// Runs a call with a time limit.
    async fn call<T: Send>(&self, call: impl Future<Output = T> + Send) -> StoreResult<T> {
        let _call = self.begin().await?;
        let answer = tokio::time::timeout(self.limit, call).await;
        answer.map_err(|_| StoreError::Unavailable(self.no_answer()))
    }

    fn no_answer(&self) -> String {
        format!("MongoDB did not answer within {} ms", self.limit.as_millis())
    }

    async fn shut_down(&self) {
        self.closed.store(true, Ordering::Release);
        let _no_call = self.calls.write().await;
        self.client.clone().shutdown().immediate(true).await;
    }
}

#[async_trait]
impl Backend for MongoDb {
    async fn close(&self) {
        self.shut_down().await;
    }

    /// There are no rows to damage by SQL.
    async fn tamper(&self, _sql: &'static str) -> StoreResult<u64> {
        Ok(0)
    }
}
