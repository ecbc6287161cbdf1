//! Who uses the database. Servers use it together; commands that need it alone, such as `gc`, wait
//! until no server runs. Both hold a lock of PostgreSQL on a connection of their own, which ends with
//! the process. A pooler in transaction mode cannot keep it: it needs a URL past the pooler.

use super::{
    PostgresPlace,
    connection::{command, connect},
    session::Session,
};
use crate::error::OpenError;
use sqlx::PgConnection;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::task::JoinHandle;

/// How often and how long to wait for a process that is shutting down.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(100);

/// How often to see whether the connection still stands; for a command that needs the database alone,
/// more often.
const LOOK_EVERY: Duration = Duration::from_secs(15);
const LOOK_EVERY_ALONE: Duration = Duration::from_secs(1);

/// Any number will do; this one is ours.
const SHARED: &str = "SELECT pg_try_advisory_lock_shared(7309453014278366)";
const ALONE: &str = "SELECT pg_try_advisory_lock(7309453014278366)";

/// Names the other holders.
const HOLDERS: &str = "SELECT DISTINCT a.application_name || ' (process ' || a.pid || ' of PostgreSQL)' \
     FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid \
     WHERE l.locktype = 'advisory' AND l.granted AND a.pid <> pg_backend_pid() \
     AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
     AND (CAST(l.classid AS bigint) << 32) + CAST(l.objid AS bigint) = 7309453014278366 LIMIT 3";

/// Counts the processes that hold it.
pub(super) const COUNT: &str = "SELECT COUNT(DISTINCT l.pid) AS holders FROM pg_locks l \
     WHERE l.locktype = 'advisory' AND l.granted \
     AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
     AND (CAST(l.classid AS bigint) << 32) + CAST(l.objid AS bigint) = 7309453014278366";

/// A lock. It ends when this is dropped.
pub(crate) struct Presence {
    keeper: JoinHandle<()>,
}

impl Drop for Presence {
    fn drop(&mut self) {
        // Its connection is dropped with it.
        self.keeper.abort();
    }
}

/// Takes the lock for `user`: `serve` together with others, everything else alone. A command that is
/// alone must stop when `lost` becomes true: another process may have begun since.
pub(super) async fn take(
    place: &PostgresPlace,
    session: Session,
    user: &'static str,
    lost: &Arc<AtomicBool>,
) -> Result<Presence, OpenError> {
    let lock = if user == "serve" { SHARED } else { ALONE };
    let mut connection = connect(place, user, session).await?;
    for left in (0..TRIES).rev() {
        let locked = try_lock(&mut connection, session, lock).await;
        if locked.map_err(OpenError::database)? {
            let lost = Arc::clone(lost);
            let keeper = match user {
                "serve" => tokio::spawn(keep(place.clone(), session, connection)),
                _ => tokio::spawn(watch(session, connection, lost)),
            };
            return Ok(Presence { keeper });
        }
        if left > 0 {
            tokio::time::sleep(PAUSE).await;
        }
    }
    let holders = sqlx::query_scalar(HOLDERS).fetch_all(&mut connection);
    let holders: Vec<String> = session.briefly(holders).await.unwrap_or_default();
    let holder = if holders.is_empty() { "another process".into() } else { holders.join(", ") };
    Err(OpenError::InUse { path: place.to_string().into(), holder })
}

async fn try_lock(
    connection: &mut PgConnection,
    session: Session,
    lock: &'static str,
) -> sqlx::Result<bool> {
    let lock = sqlx::query_scalar(lock).persistent(false).fetch_one(connection);
    session.briefly(lock).await
}

/// Returns when the lock of a command that needs the database alone is lost.
async fn watch(session: Session, mut connection: PgConnection, lost: Arc<AtomicBool>) {
    loop {
        tokio::time::sleep(LOOK_EVERY_ALONE).await;
        if let Err(error) = session.briefly(command(&mut connection, "SELECT 1")).await {
            lost.store(true, Ordering::Release);
            tracing::error!(%error, "the lock of the database was lost: nothing more is written");
            return;
        }
    }
}

/// Keeps the lock of a server, and takes it again after the connection broke.
async fn keep(place: PostgresPlace, session: Session, mut connection: PgConnection) {
    let mut is_held = true;
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        if is_held && session.briefly(command(&mut connection, "SELECT 1")).await.is_ok() {
            continue;
        }
        is_held = false;
        // The old connection is closed without ceremony when it is replaced.
        match connect(&place, "serve", session).await {
            Ok(new) => connection = new,
            Err(error) => {
                tracing::warn!(%error, "the lock of the database was lost");
                continue;
            }
        }
        match try_lock(&mut connection, session, SHARED).await {
            Ok(true) => {
                is_held = true;
                tracing::info!("the lock of the database was taken again");
            }
            Ok(false) => tracing::error!("a command that needs the database alone has its lock"),
            Err(error) => tracing::warn!(%error, "the lock of the database was lost"),
        }
    }
}
