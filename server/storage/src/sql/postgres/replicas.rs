//! Read replicas. They answer reads that need not be fresh, as long as they have replayed what this
//! process wrote last.

use super::{PostgresPlace, checks, pool::Pool};
use crate::{
    error::OpenError,
    sql::{row::Row, statement::Statement},
};
use parking_lot::Mutex;
use sqlx::PgConnection;
use std::{
    sync::atomic::{AtomicI64, AtomicUsize, Ordering},
    time::Duration,
};
use tokio::time::Instant;

/// The replicas of a server.
pub(super) struct Replicas {
    replicas: Vec<Replica>,
    next: AtomicUsize,
    /// Where the log ended after the last write of this process.
    written: AtomicI64,
    /// When a write ended without an answer. It may still be running.
    unknown_since: Mutex<Option<Instant>>,
}

struct Replica {
    pool: Pool,
    /// How far it is known to have replayed the log.
    replayed: AtomicI64,
    /// Until when it is not asked, because it did not answer.
    silent_until: Mutex<Option<Instant>>,
}

/// After this time, a write without an answer has ended: statements have a limit, too.
const LONGEST_WRITE: Duration = Duration::from_secs(60);

/// How long a replica is given to answer, and how long it is left alone if it does not.
const WAIT: Duration = Duration::from_secs(1);
const REST: Duration = Duration::from_secs(10);

impl Replicas {
    /// Creates pools to the replicas.
    pub(super) fn new(places: &[PostgresPlace], size: u32) -> Result<Self, OpenError> {
        let replica = |place| {
            let (replayed, silent_until) = (AtomicI64::new(0), Mutex::new(None));
            Ok(Replica { pool: Pool::new(place, size)?, replayed, silent_until })
        };
        let replicas = places.iter().map(replica).collect::<Result<_, OpenError>>()?;
        Ok(Self {
            replicas,
            next: AtomicUsize::new(0),
            written: AtomicI64::new(0),
            unknown_since: Mutex::new(None),
        })
    }

    /// Notes a write that was committed on this connection.
    pub(super) async fn note_write(&self, connection: &mut PgConnection) {
        if self.replicas.is_empty() {
            return;
        }
        let end = checks::position(connection).await;
        let mut unknown = self.unknown_since.lock();
        match end {
            Ok(end) => {
                self.written.fetch_max(end, Ordering::AcqRel);
                if unknown.is_some_and(|since| since.elapsed() > LONGEST_WRITE) {
                    *unknown = None;
                }
            }
            Err(_) => *unknown = Some(Instant::now()),
        }
    }

    /// Notes a write whose outcome is unknown. No replica answers until it must have ended and the
    /// end of the log is known again.
    pub(super) fn note_unknown_write(&self) {
        *self.unknown_since.lock() = Some(Instant::now());
    }

    /// Returns the rows of a query, if a replica is recent enough and answers.
    pub(super) async fn fetch(&self, query: &Statement) -> Option<Vec<Row>> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let replica = self.replicas.get(turn.checked_rem(self.replicas.len())?)?;
        if replica.silent_until.lock().is_some_and(|until| Instant::now() < until) {
            return None;
        }
        if self.unknown_since.lock().is_some() {
            return None;
        }
        let written = self.written.load(Ordering::Acquire);
        let answer = tokio::time::timeout(WAIT, replica.fetch(query, written)).await;
        let failure = match answer {
            Ok(Ok(rows)) => return rows,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        tracing::warn!(failure, "a replica is left alone for {REST:?}");
        *replica.silent_until.lock() = Some(Instant::now() + REST);
        None
    }

    pub(super) async fn close(&self) {
        for replica in &self.replicas {
            replica.pool.close().await;
        }
    }
}

impl Replica {
    /// Returns the rows of a query, or nothing if it has not replayed the log up to `written`.
    async fn fetch(&self, query: &Statement, written: i64) -> sqlx::Result<Option<Vec<Row>>> {
        if self.replayed.load(Ordering::Acquire) < written {
            let replayed = checks::position(&mut *self.pool.acquire().await?).await?;
            self.replayed.fetch_max(replayed, Ordering::AcqRel);
            if replayed < written {
                return Ok(None);
            }
        }
        self.pool.fetch(query.clone()).await.map(Some)
    }
}
