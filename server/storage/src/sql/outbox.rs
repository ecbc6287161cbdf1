//! The outbox.

use super::{
    database::{Database, Transaction as _},
    row::Row,
    statement::{KEEP, SKIP_LOCKED, Statement, args},
};
use async_trait::async_trait;
use izanagi_domain::storage::{
    Claim, Freshness::Fresh, Ids, Outbox, OutboxItem, Settlement, StoreError, StoreResult, Topic,
};
use izanagi_shared::time::Timestamp;
use std::sync::Arc;
use uuid::Uuid;

pub(crate) struct SqlOutbox<D> {
    pub(crate) db: Arc<D>,
    pub(crate) ids: Arc<dyn Ids>,
}

const COLUMNS: &str = "id, topic, key, payload, attempts, run_at, parked, queued_at";

/// Enqueues an item; call it in the transaction that makes the work necessary. An unclaimed item
/// with this topic and key will do the work, so that repetition does not add rows without a bound.
pub(super) fn insert(ids: &dyn Ids, topic: Topic, key: &str, at: Timestamp) -> Statement {
    // Kept, so that its run begins after this transaction and sees what it wrote.
    insert_unless(&format!(" AND claimed_by IS NULL{KEEP})"), ids, topic, key, at)
}

/// Returns an INSERT that does nothing if an item with this topic and key fulfils a condition.
fn insert_unless(
    condition: &str,
    ids: &dyn Ids,
    topic: Topic,
    key: &str,
    at: Timestamp,
) -> Statement {
    let mut insert = Statement::with(
        "INSERT INTO outbox (id, topic, key, payload, attempts, run_at, parked, queued_at) \
         SELECT $1, $2, $3, $4, 0, $5, $6, $5 \
         WHERE true AND NOT EXISTS (SELECT 1 FROM outbox WHERE topic = $2 AND key = $3",
        args![ids.uuid(), topic.as_str(), key, Vec::<u8>::new(), at, false],
    );
    insert.push(condition);
    insert
}

fn attempts(row: &Row) -> StoreResult<u32> {
    Ok(row.get::<u64>("attempts")?.try_into().unwrap_or(u32::MAX))
}

fn item(row: &Row) -> StoreResult<OutboxItem> {
    Ok(OutboxItem {
        id: row.get("id")?,
        topic: row.named("topic", Topic::parse)?,
        key: row.get("key")?,
        payload: row.get("payload")?,
        attempts: attempts(row)?,
        run_at: row.get("run_at")?,
        is_parked: row.get("parked")?,
    })
}

/// Appends the ids of the items that a worker can claim.
fn push_claimable(query: &mut Statement, claim: &Claim) {
    let Claim { topic, worker, limit, now, until, horizon } = *claim;
    // The end of the longest credible lease.
    let credible = until.plus(until.since(now));
    query.push("SELECT o.id FROM outbox o WHERE o.topic = ").push_arg(topic.as_str());
    query.push(" AND (o.run_at <= ").push_arg(now);
    query.push(" OR o.run_at > ").push_arg(horizon);
    query.push(") AND (o.claimed_until IS NULL OR o.claimed_until <= ").push_arg(now);
    query.push(" OR o.claimed_until > ").push_arg(credible);
    query.push(" OR o.claimed_by = ").push_arg(worker);
    query.push(
        ") AND NOT EXISTS (SELECT 1 FROM outbox e WHERE e.topic = o.topic AND e.key = o.key \
         AND e.id <> o.id AND ((e.queued_at, e.id) < (o.queued_at, o.id) \
         OR (e.claimed_until > ",
    );
    query.push_arg(now).push(" AND e.claimed_until <= ").push_arg(credible);
    query.push("))) ORDER BY o.run_at, o.id LIMIT ").push_arg(limit);
}

/// Lists items that fulfil a condition. Skips topics unknown to this version rather than failing on
/// them.
fn list(condition: &str, limit: u32) -> Statement {
    let mut query = Statement::new("SELECT ");
    query.push(COLUMNS).push(" FROM outbox WHERE topic IN ");
    query.push_list(Topic::ALL.map(Topic::as_str)).push(condition);
    query.push(" ORDER BY queued_at, id LIMIT ").push_arg(limit);
    query
}

/// The statement for the end of a lease.
fn settling(id: Uuid, worker: Uuid, settlement: Settlement) -> Statement {
    let mut statement = match settlement {
        Settlement::Done => Statement::new("DELETE FROM outbox WHERE id = "),
        Settlement::Again(run_at) => Statement::with(
            "UPDATE outbox SET claimed_by = NULL, claimed_until = NULL, attempts = 0, \
             parked = $1, run_at = $2, queued_at = $2 WHERE id = ",
            args![false, run_at],
        ),
        Settlement::Retry(run_at) => Statement::with(
            "UPDATE outbox SET claimed_by = NULL, claimed_until = NULL, run_at = $1 WHERE id = ",
            args![run_at],
        ),
        Settlement::Park(run_at) => Statement::with(
            "UPDATE outbox SET claimed_by = NULL, claimed_until = NULL, parked = $1, \
             run_at = $2, queued_at = $2 WHERE id = ",
            args![true, run_at],
        ),
        Settlement::Release => {
            Statement::new("UPDATE outbox SET claimed_by = NULL, claimed_until = NULL WHERE id = ")
        }
        Settlement::Interrupt => Statement::new(
            "UPDATE outbox SET claimed_by = NULL, claimed_until = NULL, \
             attempts = attempts - 1 WHERE id = ",
        ),
    };
    statement.push_arg(id).push(" AND claimed_by = ").push_arg(worker);
    statement
}

#[async_trait]
impl<D: Database> Outbox for SqlOutbox<D> {
    async fn ensure(&self, topic: Topic, key: &str, run_at: Timestamp) -> StoreResult<()> {
        let found = Statement::with(
            "SELECT 1 FROM outbox WHERE topic = $1 AND key = $2 LIMIT 1",
            args![topic.as_str(), key],
        );
        // Usually it exists; finding that out should not occupy the writer.
        if !self.db.fetch(Fresh, found).await?.is_empty() {
            return Ok(());
        }
        let insert = insert_unless(")", &*self.ids, topic, key, run_at);
        let name = format!("outbox {} {key}", topic.as_str());
        let write = self.db.write(move |transaction| {
            let insert = insert.clone();
            // Otherwise two servers that start together would both insert it.
            transaction.exclude(&name);
            transaction.later(insert);
            Box::pin(std::future::ready(Ok(())))
        });
        write.await
    }

    async fn claim(&self, claim: &Claim) -> StoreResult<Vec<OutboxItem>> {
        // Most polls find nothing and should not occupy the writer.
        let mut candidates = Statement::new("");
        push_claimable(&mut candidates, claim);
        if self.db.fetch(Fresh, candidates).await?.is_empty() {
            return Ok(Vec::new());
        }
        // Chosen once: a subquery might be evaluated again for each row.
        let mut update = Statement::new("WITH chosen AS MATERIALIZED (");
        push_claimable(&mut update, claim);
        update.push(SKIP_LOCKED).push(") UPDATE outbox SET claimed_by = ").push_arg(claim.worker);
        update.push(", claimed_until = ").push_arg(claim.until);
        update.push(" WHERE id IN (SELECT id FROM chosen) RETURNING ").push(COLUMNS);
        let name = format!("outbox {}", claim.topic.as_str());
        let write = self.db.write(move |transaction| {
            let update = update.clone();
            // Of two workers, the second must see the leases of the first: one item of a key runs at
            // a time.
            transaction.exclude(&name);
            Box::pin(transaction.fetch(update))
        });
        let mut rows = write.await?;
        let order = |row: &Row| (row.get::<i64>("queued_at").ok(), row.get::<Uuid>("id").ok());
        rows.sort_by_cached_key(order);
        let mut items = Vec::with_capacity(rows.len());
        for row in &rows {
            match item(row) {
                Ok(item) => items.push(item),
                Err(StoreError::Corrupt(why)) => {
                    let id = row.get("id")?;
                    tracing::error!(topic = claim.topic.as_str(), %id, why, "unreadable job: parked");
                    // Otherwise unreadable items could fill every claim.
                    let park = Settlement::Park(claim.horizon);
                    self.db.execute(settling(id, claim.worker, park)).await?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(items)
    }

    async fn begin(&self, id: Uuid, worker: Uuid) -> StoreResult<Option<u32>> {
        let update = Statement::with(
            "UPDATE outbox SET attempts = attempts + 1 WHERE id = $1 AND claimed_by = $2 \
             RETURNING attempts",
            args![id, worker],
        );
        let rows = self.db.execute_returning(update).await?;
        rows.first().map(attempts).transpose()
    }

    async fn extend(&self, worker: Uuid, until: Timestamp) -> StoreResult<Vec<Uuid>> {
        let update = Statement::with(
            "UPDATE outbox SET claimed_until = $2 WHERE claimed_by = $1 RETURNING id",
            args![worker, until],
        );
        self.db.execute_returning(update).await?.iter().map(|row| row.get("id")).collect()
    }

    async fn settle(&self, id: Uuid, worker: Uuid, settlement: Settlement) -> StoreResult<bool> {
        Ok(self.db.execute(settling(id, worker, settlement)).await? > 0)
    }

    async fn make_due(&self, topic: Topic, now: Timestamp) -> StoreResult<u64> {
        let update = Statement::with(
            "UPDATE outbox SET run_at = $2 WHERE topic = $1 AND claimed_by IS NULL",
            args![topic.as_str(), now],
        );
        self.db.execute(update).await
    }

    async fn is_pending(&self, topic: Topic, key: &str) -> StoreResult<bool> {
        let query = Statement::with(
            "SELECT 1 FROM outbox WHERE topic = $1 AND key = $2 \
             AND (NOT parked OR claimed_by IS NOT NULL) LIMIT 1",
            args![topic.as_str(), key],
        );
        Ok(!self.db.fetch(Fresh, query).await?.is_empty())
    }

    async fn pending(&self, limit: u32) -> StoreResult<Vec<OutboxItem>> {
        self.db.fetch(Fresh, list("", limit)).await?.iter().map(item).collect()
    }

    async fn parked(&self, limit: u32) -> StoreResult<Vec<OutboxItem>> {
        self.db.fetch(Fresh, list(" AND parked", limit)).await?.iter().map(item).collect()
    }
}
