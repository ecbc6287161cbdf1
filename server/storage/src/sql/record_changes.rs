//! The changes of records, noted in the transaction that makes them, and watches that follow them.

use super::{database::Database, id_bytes, numbers::Numbers, row::Row, statement::Statement};
use async_trait::async_trait;
use izanagi_domain::storage::{
    Freshness::Fresh, RecordChange, RecordChangeKind, RecordPath, RecordWatch, ResumeToken,
    StoreError, StoreResult,
};
use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// Changes read at once, which bounds what a watch holds.
const PAGE: u32 = 256;
/// How often a watch looks for changes.
const PAUSE: Duration = Duration::from_millis(100);

/// The highest number used so far.
pub(super) const USED: &str = "(SELECT MAX(number) FROM \
                               (SELECT MAX(number) AS number FROM record_changes \
                               UNION ALL SELECT highest FROM record_horizon) AS numbers)";

/// The stored form of a kind.
const fn code(kind: RecordChangeKind) -> u32 {
    match kind {
        RecordChangeKind::Created => 0,
        RecordChangeKind::Updated => 1,
        RecordChangeKind::Deleted => 2,
        RecordChangeKind::Purged => 3,
    }
}

const fn kind(code: u64) -> Option<RecordChangeKind> {
    Some(match code {
        0 => RecordChangeKind::Created,
        1 => RecordChangeKind::Updated,
        2 => RecordChangeKind::Deleted,
        3 => RecordChangeKind::Purged,
        _ => return None,
    })
}

fn begin() -> Statement {
    let mut insert = Statement::new(
        "INSERT INTO record_changes (number, collection, id, version, kind) SELECT ",
    );
    Numbers::Records.push_next(&mut insert, "1");
    insert
}

/// Notes a change. The record's collection must exist.
pub(super) fn note(path: &RecordPath, version: u64, kind: RecordChangeKind) -> Statement {
    let mut insert = begin();
    insert.push(", c.id, ").push_arg(id_bytes::to_bytes(path.id()));
    insert.push(", ").push_arg(version).push(", ").push_arg(code(kind));
    insert.push(" FROM record_numbers AS t CROSS JOIN collections AS c WHERE c.name = ");
    insert.push_arg(path.collection());
    insert
}

/// Notes a change of a record that exists, with its stored version.
pub(super) fn note_stored(path: &RecordPath, kind: RecordChangeKind) -> Statement {
    let mut insert = begin();
    insert.push(", r.collection, r.id, r.version, ").push_arg(code(kind));
    insert.push(" FROM record_numbers AS t CROSS JOIN records AS r WHERE r.collection = ");
    insert.push("(SELECT id FROM collections WHERE name = ").push_arg(path.collection());
    insert.push(") AND r.id = ").push_arg(id_bytes::to_bytes(path.id()));
    insert
}

/// Follows the changes.
pub(super) struct SqlWatch<D> {
    db: Arc<D>,
    closed: Arc<AtomicBool>,
    collection: Option<String>,
    /// Identity of the store.
    store: String,
    /// Number of the change returned last.
    returned: u64,
    /// Number up to which changes were read.
    read: u64,
    changes: VecDeque<(u64, RecordChange)>,
}

impl<D: Database> SqlWatch<D> {
    /// Begins after a position or, without one, now.
    pub(super) async fn begin(
        db: Arc<D>,
        closed: Arc<AtomicBool>,
        collection: Option<&str>,
        after: Option<&ResumeToken>,
    ) -> StoreResult<Self> {
        let settled = db.settled(Numbers::Records).await?;
        let mut query = Statement::new("SELECT h.store, h.forgotten, ");
        query.push(USED).push(" AS used FROM record_horizon h");
        let row = db.fetch_one(Fresh, query).await?;
        let store = format!("sql.{}", uuid::Uuid::from_bytes(row.get("store")?).simple());
        let number = match after {
            None => position(&row, settled)?,
            Some(token) => parse(token, &store)?,
        };
        let watch = Self {
            db,
            closed,
            collection: collection.map(str::to_owned),
            store,
            returned: number,
            read: number,
            changes: VecDeque::new(),
        };
        watch.check(&row)?;
        Ok(watch)
    }

    /// Checks that no change after the position is missing.
    fn check(&self, horizon: &Row) -> StoreResult<()> {
        if self.read < horizon.get::<u64>("forgotten")? {
            return Err(StoreError::StartOver("the position is too old".to_owned()));
        }
        if self.read > horizon.get::<u64>("used")? {
            let why = "the position is newer than the database, perhaps restored from a backup";
            return Err(StoreError::StartOver(why.to_owned()));
        }
        Ok(())
    }

    /// Reads the next changes.
    async fn read(&mut self) -> StoreResult<()> {
        if self.closed.load(Ordering::Acquire) {
            return Err(StoreError::Unavailable("the document store is closed".to_owned()));
        }
        let settled = self.db.settled(Numbers::Records).await?;
        let mut query = Statement::new("SELECT h.forgotten, ");
        query.push(USED).push(
            " AS used, c.number, c.name, c.id, c.version, c.kind \
             FROM record_horizon h LEFT JOIN \
             (SELECT r.number, n.name, r.id, r.version, r.kind FROM record_changes r \
             JOIN collections n ON n.id = r.collection WHERE r.number > ",
        );
        query.push_arg(self.read);
        query.push(" AND r.number <= ").push_arg(settled);
        if let Some(collection) = &self.collection {
            query.push(" AND n.name = ").push_arg(collection.as_str());
        }
        query.push(" ORDER BY r.number LIMIT ").push_arg(PAGE);
        query.push(") AS c ON true ORDER BY c.number");
        let rows = self.db.fetch(Fresh, query).await?;
        let Some(first) = rows.first() else { return Ok(()) };
        self.check(first)?;
        let mut changes = VecDeque::with_capacity(rows.len());
        let mut last = None;
        for row in &rows {
            let Some(number) = row.get::<Option<u64>>("number")? else { continue };
            last = Some(number);
            match change(row) {
                Ok(change) => changes.push_back((number, change)),
                // The others would wait for it for ever.
                Err(error) => {
                    tracing::error!(%error, number, "a damaged change of a record was skipped");
                }
            }
        }
        match last {
            Some(last) => self.read = last,
            // What was read over has nothing for this watch.
            None => {
                self.read = self.read.max(position(first, settled)?);
                self.returned = self.read;
            }
        }
        self.changes = changes;
        Ok(())
    }
}

#[async_trait]
impl<D: Database> RecordWatch for SqlWatch<D> {
    async fn next(&mut self) -> StoreResult<RecordChange> {
        loop {
            if let Some((number, change)) = self.changes.pop_front() {
                self.returned = number;
                return Ok(change);
            }
            self.read().await?;
            if self.changes.is_empty() {
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    fn token(&self) -> ResumeToken {
        ResumeToken::new(format!("{}.{}", self.store, self.returned))
    }
}

/// The number up to which all changes are visible.
fn position(horizon: &Row, settled: u64) -> StoreResult<u64> {
    Ok(horizon.get::<u64>("used")?.min(settled))
}

fn parse(token: &ResumeToken, store: &str) -> StoreResult<u64> {
    let number = token.as_str().strip_prefix(store).and_then(|rest| rest.strip_prefix('.'));
    number.and_then(|number| number.parse().ok()).ok_or_else(|| {
        StoreError::StartOver("the position is not one of this document store".to_owned())
    })
}

fn change(row: &Row) -> StoreResult<RecordChange> {
    let id = id_bytes::from_bytes(&row.get::<Vec<u8>>("id")?)?;
    let code = row.get("kind")?;
    let unknown = || StoreError::Corrupt(format!("a change of a record has the kind {code}"));
    Ok(RecordChange {
        path: RecordPath::from_parts(row.get::<String>("name")?, id),
        version: row.get("version")?,
        kind: kind(code).ok_or_else(unknown)?,
    })
}
