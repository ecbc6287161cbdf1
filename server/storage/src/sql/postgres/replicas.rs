//! Read replicas. They answer reads that need not be fresh, as long as they have replayed what this
//! process wrote last.

use super::{PostgresPlace, checks, pool::Pool};
use crate::{
    error::OpenError,
    sql::{row::Row, statement::Statement},
};
use sqlx::PgConnection;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

/// The replicas of a server.
pub(super) struct Replicas {
    replicas: Vec<Replica>,
    next: AtomicUsize,
    /// Where the log ended after the last write of this process.
    written: AtomicI64,
}

struct Replica {
    pool: Pool,
    /// How far it is known to have replayed the log.
    replayed: AtomicI64,
}

impl Replicas {
    /// Creates pools to the replicas.
    pub(super) fn new(places: &[PostgresPlace], size: u32) -> Result<Self, OpenError> {
        let replica =
            |place| Ok(Replica { pool: Pool::new(place, size)?, replayed: AtomicI64::new(0) });
        let replicas = places.iter().map(replica).collect::<Result<_, OpenError>>()?;
        Ok(Self { replicas, next: AtomicUsize::new(0), written: AtomicI64::new(0) })
    }

    /// Notes a write that was committed on this connection. Returns whether that is known.
    pub(super) async fn note_write(&self, connection: &mut PgConnection) {
        if self.replicas.is_empty() {
            return;
        }
        // If the end of the log is unknown, no replica is recent enough.
        let end = checks::position(connection).await.unwrap_or(i64::MAX);
        self.written.fetch_max(end, Ordering::AcqRel);
    }

    /// Notes a write whose end is unknown, until the next one whose end is known.
    pub(super) fn note_unknown_write(&self) {
        if !self.replicas.is_empty() {
            self.written.store(i64::MAX, Ordering::Release);
        }
    }

    /// Returns the rows of a query, if a replica is recent enough and answers.
    pub(super) async fn fetch(&self, query: &Statement) -> Option<Vec<Row>> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let replica = self.replicas.get(turn.checked_rem(self.replicas.len())?)?;
        let written = self.written.load(Ordering::Acquire);
        if replica.replayed.load(Ordering::Acquire) < written {
            let mut connection = replica.pool.acquire().await.ok()?;
            let replayed = checks::position(&mut connection).await.ok()?;
            replica.replayed.fetch_max(replayed, Ordering::AcqRel);
            if replayed < written {
                return None;
            }
        }
        let rows = replica.pool.fetch(query.clone()).await;
        rows.inspect_err(|error| tracing::warn!(%error, "a replica did not answer")).ok()
    }

    pub(super) async fn close(&self) {
        for replica in &self.replicas {
            replica.pool.close().await;
        }
    }
}
