//! The database that the stores use. It can be exchanged while they work: writes then wait for a
//! moment, reads do not.

use super::backing::{AnyTransaction, Backing};
use crate::sql::{database::Database, numbers::Numbers, row::Row, statement::Statement};
use futures::future::BoxFuture;
use izanagi_domain::storage::{Freshness, StoreError, StoreResult};
use parking_lot::RwLock;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard};

/// How long a write waits for a switch. Longer than a pause, because its end may take longer than
/// planned.
const WAIT: Duration = Duration::from_secs(5);

/// A database that can be exchanged.
pub(crate) struct Switch {
    current: RwLock<Backing>,
    /// Shared by writes, taken alone by a switch.
    gate: Arc<tokio::sync::RwLock<()>>,
    /// Whether an exchange is prepared.
    is_moving: AtomicBool,
    /// Microseconds by which each write is delayed, so that a copy catches up.
    delay: AtomicU64,
}

/// As long as it exists, no write begins, and none is under way.
pub(super) struct Pause {
    _gate: OwnedRwLockWriteGuard<()>,
}

impl Switch {
    /// Uses a database.
    pub(crate) fn new(database: Backing) -> Arc<Self> {
        Arc::new(Self {
            current: RwLock::new(database),
            gate: Arc::default(),
            is_moving: AtomicBool::new(false),
            delay: AtomicU64::new(0),
        })
    }

    /// The database in use.
    pub(crate) fn current(&self) -> Backing {
        self.current.read().clone()
    }

    /// Says that the database will be exchanged, or no longer.
    pub(crate) fn prepare(&self, is_moving: bool) {
        self.is_moving.store(is_moving, Ordering::Release);
        self.slow_down(Duration::ZERO);
    }

    /// Delays each write from now on.
    pub(super) fn slow_down(&self, delay: Duration) {
        let micros = u64::try_from(delay.as_micros()).unwrap_or(u64::MAX);
        self.delay.store(micros, Ordering::Relaxed);
    }

    /// Lets writes wait, once those under way have ended. `None` if they take longer than `patience`.
    pub(super) async fn pause(&self, patience: Duration) -> Option<Pause> {
        let gate = Arc::clone(&self.gate).write_owned();
        let gate = tokio::time::timeout(patience, gate).await.ok()?;
        Some(Pause { _gate: gate })
    }

    /// Exchanges the database; returns the former one.
    pub(super) fn replace(&self, _: &Pause, database: Backing) -> Backing {
        std::mem::replace(&mut *self.current.write(), database)
    }

    async fn enter(&self) -> StoreResult<OwnedRwLockReadGuard<()>> {
        let delay = self.delay.load(Ordering::Relaxed);
        if delay > 0 {
            tokio::time::sleep(Duration::from_micros(delay)).await;
        }
        let gate = Arc::clone(&self.gate).read_owned();
        let late = |_| StoreError::Unavailable("the database is being exchanged".to_owned());
        tokio::time::timeout(WAIT, gate).await.map_err(late)
    }

    /// Reads. A former database may be closed before the read reaches it.
    async fn read<T, F: Future<Output = StoreResult<T>>>(
        &self,
        read: impl Fn(Backing) -> F,
    ) -> StoreResult<T> {
        loop {
            let database = self.current();
            match read(database.clone()).await {
                Err(StoreError::Unavailable(_)) if !self.current().is(&database) => {}
                result => return result,
            }
        }
    }
}

impl Database for Switch {
    type Transaction = dyn AnyTransaction;

    async fn fetch(&self, freshness: Freshness, query: Statement) -> StoreResult<Vec<Row>> {
        self.read(|database| {
            let query = query.clone();
            async move { database.fetch(freshness, query).await }
        })
        .await
    }

    async fn execute(&self, statement: Statement) -> StoreResult<u64> {
        let _gate = self.enter().await?;
        self.current().execute(statement).await
    }

    /// Its place at the gate is kept by the work, which outlives a caller that goes away.
    async fn write<T, W>(&self, work: W) -> StoreResult<T>
    where
        T: Send + 'static,
        W: for<'t> Fn(&'t mut Self::Transaction) -> BoxFuture<'t, StoreResult<T>>
            + Send
            + Sync
            + 'static,
    {
        let gate = Arc::new(self.enter().await?);
        let of_work = Arc::clone(&gate);
        let database = self.current();
        let done = database.write(move |transaction| {
            let _ = &of_work;
            work(transaction)
        });
        let done = done.await;
        drop(gate);
        done
    }

    /// While an exchange is prepared, a number that is settled in either database: the caller may read
    /// the other one.
    async fn settled(&self, numbers: Numbers) -> StoreResult<u64> {
        if self.is_moving.load(Ordering::Acquire)
            && let database @ Backing::Sqlite(_) = self.current()
        {
            let mut query = Statement::new("SELECT COALESCE(top, 0) AS top FROM ");
            query.push(numbers.name());
            return database.fetch_one(Freshness::Fresh, query).await?.get("top");
        }
        self.read(|database| async move { database.settled(numbers).await }).await
    }

    async fn execute_gated(
        &self,
        gate: Statement,
        statements: Vec<Statement>,
    ) -> StoreResult<Option<bool>> {
        let _gate = self.enter().await?;
        self.current().execute_gated(gate, statements).await
    }

    async fn integrity(&self) -> StoreResult<Vec<String>> {
        self.read(|database| async move { database.integrity().await }).await
    }

    async fn close(&self) {
        self.current().close().await;
    }
}
