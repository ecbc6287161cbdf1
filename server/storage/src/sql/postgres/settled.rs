//! Up to which number changes are complete. A transaction takes the lock before its first number and
//! keeps it until it ends, when its rows are visible. So once the transactions that held the lock
//! *after* a number was the newest have ended, everything up to that number is visible to a query that
//! begins now, or never will be. Other transactions, however long, do not matter.

use super::{connection::rows, pool::Pool, session::Session};
use crate::sql::numbers::Numbers;
use sqlx::{PgConnection, Row as _};
use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use tokio::time::Instant;

/// The lock of a series; each has its own, so that a long transaction of one does not delay the others.
/// Any numbers will do; these are ours.
pub(super) const fn lock(numbers: Numbers) -> i64 {
    match numbers {
        Numbers::Changes => 7_309_453_014_278_367,
        Numbers::Accounts => 7_309_453_014_278_368,
        Numbers::Records => 7_309_453_014_278_369,
    }
}

/// How long to wait for open transactions. Not waiting longer loses nothing: the next reader waits for
/// the same ones.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(2);

/// The numbers that were found to be complete.
#[derive(Default)]
pub(super) struct Settled {
    changes: AtomicU64,
    accounts: AtomicU64,
    records: AtomicU64,
}

impl Settled {
    /// Returns the newest number that is known to be complete.
    pub(super) async fn read(&self, pool: &Pool, numbers: Numbers) -> sqlx::Result<u64> {
        let mut connection = pool.acquire().await?;
        let settled = self.read_on(&mut connection, pool.session, numbers).await;
        if settled.is_err() {
            connection.discard();
        }
        settled
    }

    async fn read_on(
        &self,
        connection: &mut PgConnection,
        session: Session,
        numbers: Numbers,
    ) -> sqlx::Result<u64> {
        let known = match numbers {
            Numbers::Changes => &self.changes,
            Numbers::Accounts => &self.accounts,
            Numbers::Records => &self.records,
        };
        // In this order: what is found after it was known can only be lower on another state of the
        // database, such as a restored backup or a replica that has taken over.
        let before = known.load(Ordering::Acquire);
        let newest = newest(connection, session, numbers).await?;
        if newest == before {
            return Ok(newest);
        }
        let is_complete = wait(connection, session, numbers).await?;
        if newest > before {
            if is_complete {
                known.fetch_max(newest, Ordering::AcqRel);
            }
            return Ok(known.load(Ordering::Acquire));
        }
        tracing::warn!(numbers = numbers.name(), before, newest, "numbers have gone back");
        if !is_complete {
            return Ok(0);
        }
        // If another reader was first, both have found the same.
        let _ = known.compare_exchange(before, newest, Ordering::AcqRel, Ordering::Acquire);
        Ok(newest)
    }
}

async fn newest(
    connection: &mut PgConnection,
    session: Session,
    numbers: Numbers,
) -> sqlx::Result<u64> {
    let name = numbers.name();
    let query = format!("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {name}");
    let rows = rows(connection, session, query).await?;
    let newest: i64 = rows.first().ok_or(sqlx::Error::RowNotFound)?.try_get(0)?;
    Ok(newest.try_into().unwrap_or_default())
}

/// Waits until the present holders have ended; returns whether they have.
async fn wait(
    connection: &mut PgConnection,
    session: Session,
    numbers: Numbers,
) -> sqlx::Result<bool> {
    let give_up = Instant::now() + PATIENCE;
    let mut open = holders(connection, session, numbers).await?;
    while !open.is_empty() {
        if Instant::now() >= give_up {
            return Ok(false);
        }
        tokio::time::sleep(PAUSE).await;
        let still = holders(connection, session, numbers).await?;
        open.retain(|holder| still.contains(holder));
    }
    Ok(true)
}

/// Names the transactions that hold the lock.
async fn holders(
    connection: &mut PgConnection,
    session: Session,
    numbers: Numbers,
) -> sqlx::Result<BTreeSet<String>> {
    let key = lock(numbers);
    let query = format!(
        "SELECT virtualtransaction FROM pg_locks WHERE locktype = 'advisory' AND granted \
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
         AND CAST(classid AS bigint) = {} AND CAST(objid AS bigint) = {} AND objsubid = 1",
        key >> 32,
        key & 0xFFFF_FFFF
    );
    rows(connection, session, query).await?.iter().map(|row| row.try_get(0)).collect()
}
