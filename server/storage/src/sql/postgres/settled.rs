//! Up to which number changes are complete. A transaction takes the lock before its first number and
//! keeps it until it ends, when its rows are visible. So once the transactions that held the lock
//! *after* a number was the newest have ended, everything up to that number is visible to a query that
//! begins now, or never will be. Other transactions, however long, do not matter.

use super::pool::Pool;
use crate::sql::numbers::Numbers;
use sqlx::{AssertSqlSafe, Executor as _, PgConnection, Row as _};
use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use tokio::time::Instant;

/// The lock. Any number will do; this one is ours.
pub(super) const LOCK: i64 = 7_309_453_014_278_367;

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
        let known = match numbers {
            Numbers::Changes => &self.changes,
            Numbers::Accounts => &self.accounts,
            Numbers::Records => &self.records,
        };
        let mut connection = pool.acquire().await?;
        let newest = newest(&mut connection, numbers).await?;
        if newest > known.load(Ordering::Acquire) && wait(&mut connection).await? {
            known.fetch_max(newest, Ordering::AcqRel);
        }
        Ok(known.load(Ordering::Acquire))
    }
}

async fn newest(connection: &mut PgConnection, numbers: Numbers) -> sqlx::Result<u64> {
    let name = numbers.name();
    // The name is a literal of this crate.
    let query = format!("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {name}");
    let row = connection.fetch_one(sqlx::raw_sql(AssertSqlSafe(query))).await?;
    Ok(row.try_get::<i64, _>(0)?.try_into().unwrap_or_default())
}

/// Waits until the present holders have ended; returns whether they have.
async fn wait(connection: &mut PgConnection) -> sqlx::Result<bool> {
    let give_up = Instant::now() + PATIENCE;
    let mut open = holders(connection).await?;
    while !open.is_empty() {
        if Instant::now() >= give_up {
            return Ok(false);
        }
        tokio::time::sleep(PAUSE).await;
        let still = holders(connection).await?;
        open.retain(|holder| still.contains(holder));
    }
    Ok(true)
}

/// Names the transactions that hold the lock.
async fn holders(connection: &mut PgConnection) -> sqlx::Result<BTreeSet<String>> {
    let query = format!(
        "SELECT virtualtransaction FROM pg_locks WHERE locktype = 'advisory' AND granted \
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
         AND CAST(classid AS bigint) = {} AND CAST(objid AS bigint) = {} AND objsubid = 1",
        LOCK >> 32,
        LOCK & 0xFFFF_FFFF
    );
    // Without arguments, one exchange is enough.
    let rows = connection.fetch_all(sqlx::raw_sql(AssertSqlSafe(query))).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}
