//! Moves of stores.

use super::{
    database::{Database, Transaction as _},
    outbox,
    row::Row,
    statement::{Statement, args},
};
use async_trait::async_trait;
use izanagi_domain::storage::{
    Freshness::Fresh, Ids, MoveNode, MovePhase, MoveProgress, MovedStore, NewMove, Sealed,
    StoreError, StoreMove, StoreMoves, StoreResult, Topic,
};
use izanagi_shared::time::Timestamp;
use std::sync::Arc;
use uuid::Uuid;

/// The name under which beginnings exclude each other.
const BEGIN: &str = "store moves";

pub(crate) struct SqlMoves<D> {
    pub(crate) db: Arc<D>,
    pub(crate) ids: Arc<dyn Ids>,
}

fn optional(value: Option<Vec<u8>>) -> Option<Sealed> {
    value.map(Sealed)
}

fn read(row: &Row) -> StoreResult<StoreMove> {
    let claim = (row.get::<Option<Uuid>>("claimed_by")?, row.get("claimed_until")?);
    Ok(StoreMove {
        id: row.get("id")?,
        store: row.named("store", MovedStore::parse)?,
        source: optional(row.get("source")?),
        target: Sealed(row.get("target")?),
        phase: row.named("phase", MovePhase::parse)?,
        progress: MoveProgress {
            done: row.get("done")?,
            total: row.get("total")?,
            position: row.get("position")?,
            note: row.get("note")?,
        },
        claim: claim.0.zip(claim.1),
        started_at: row.get("started_at")?,
        updated_at: row.get("updated_at")?,
    })
}

fn node(row: &Row) -> StoreResult<MoveNode> {
    let phase = row.named_or_null("phase", MovePhase::parse)?;
    Ok(MoveNode {
        node: row.get("node")?,
        at: row.get::<Option<Uuid>>("move_id")?.zip(phase),
        beats: row.get("beats")?,
    })
}

#[async_trait]
impl<D: Database> StoreMoves for SqlMoves<D> {
    async fn get(&self, store: MovedStore) -> StoreResult<Option<StoreMove>> {
        let query = Statement::with(
            "SELECT store, id, source, target, phase, position, done, total, note, claimed_by, \
             claimed_until, started_at, updated_at FROM store_moves WHERE store = $1",
            args![store.as_str()],
        );
        self.db.fetch(Fresh, query).await?.first().map(read).transpose()
    }

    async fn begin(&self, new: &NewMove) -> StoreResult<bool> {
        let open = Statement::with(
            "SELECT 1 FROM store_moves WHERE phase <> $1 LIMIT 1",
            args![MovePhase::Moved.as_str()],
        );
        let replaced =
            Statement::with("DELETE FROM store_moves WHERE store = $1", args![new.store.as_str()]);
        let insert = Statement::with(
            "INSERT INTO store_moves (store, id, source, target, phase, position, done, total, \
             note, claimed_by, claimed_until, started_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5, '', 0, 0, '', NULL, NULL, $6, $6)",
            args![
                new.store.as_str(),
                new.id,
                new.source.clone().map(|sealed| sealed.0),
                new.target.0.clone(),
                MovePhase::Asked.as_str(),
                new.at,
            ],
        );
        let job = outbox::insert(&*self.ids, Topic::Move, new.store.as_str(), new.at);
        let write = self.db.write(move |transaction| {
            let (open, rest) = (open.clone(), [replaced.clone(), insert.clone(), job.clone()]);
            Box::pin(async move {
                transaction.exclude(BEGIN);
                if transaction.fetch_optional(open).await?.is_some() {
                    return Ok(false);
                }
                rest.into_iter().for_each(|statement| transaction.later(statement));
                Ok(true)
            })
        });
        write.await
    }

    async fn claim(
        &self,
        id: Uuid,
        worker: Uuid,
        now: Timestamp,
        until: Timestamp,
    ) -> StoreResult<bool> {
        // The end of the longest credible lease: a clock that was ahead may have written a later one.
        let credible = until.plus(until.since(now));
        let update = Statement::with(
            "UPDATE store_moves SET claimed_by = $2, claimed_until = $4 WHERE id = $1 \
             AND (claimed_by IS NULL OR claimed_by = $2 OR claimed_until <= $3 \
             OR claimed_until > $5)",
            args![id, worker, now, until, credible],
        );
        Ok(self.db.execute(update).await? > 0)
    }

    async fn release(&self, id: Uuid) -> StoreResult<()> {
        let update = Statement::with(
            "UPDATE store_moves SET claimed_by = NULL, claimed_until = NULL WHERE id = $1",
            args![id],
        );
        self.db.execute(update).await.map(drop)
    }

    async fn turn(
        &self,
        id: Uuid,
        from: MovePhase,
        to: MovePhase,
        at: Timestamp,
    ) -> StoreResult<bool> {
        let update = Statement::with(
            "UPDATE store_moves SET phase = $3, done = 0, total = 0, note = '', updated_at = $4 \
             WHERE id = $1 AND phase = $2",
            args![id, from.as_str(), to.as_str(), at],
        );
        Ok(self.db.execute(update).await? > 0)
    }

    async fn report(&self, id: Uuid, progress: &MoveProgress, at: Timestamp) -> StoreResult<()> {
        let MoveProgress { done, total, position, note } = progress.clone();
        let update = Statement::with(
            "UPDATE store_moves SET done = $2, total = $3, position = $4, note = $5, \
             updated_at = $6 WHERE id = $1",
            args![id, done, total, position, note, at],
        );
        self.db.execute(update).await.map(drop)
    }

    async fn restore(&self, id: Uuid, target: &Sealed, at: Timestamp) -> StoreResult<()> {
        let update = Statement::with(
            "UPDATE store_moves SET source = NULL, target = $2, phase = $3, position = '', \
             done = 0, total = 0, note = '', claimed_by = NULL, claimed_until = NULL, \
             updated_at = $4 WHERE id = $1",
            args![id, target.0.clone(), MovePhase::Moved.as_str(), at],
        );
        match self.db.execute(update).await? {
            0 => Err(StoreError::NotFound),
            _ => Ok(()),
        }
    }

    async fn reseal(&self, id: Uuid, source: Option<&Sealed>, target: &Sealed) -> StoreResult<()> {
        let update = Statement::with(
            "UPDATE store_moves SET source = $2, target = $3 WHERE id = $1",
            args![id, source.map(|sealed| sealed.0.clone()), target.0.clone()],
        );
        self.db.execute(update).await.map(drop)
    }

    async fn remove(&self, id: Uuid) -> StoreResult<()> {
        let nodes = Statement::with("DELETE FROM move_nodes WHERE move_id = $1", args![id]);
        let row = Statement::with("DELETE FROM store_moves WHERE id = $1", args![id]);
        self.db.execute_all(vec![nodes, row]).await
    }

    async fn confirm(
        &self,
        store: MovedStore,
        node: Uuid,
        at: Option<(Uuid, MovePhase)>,
    ) -> StoreResult<()> {
        let (id, phase) = at.map(|(id, phase)| (id, phase.as_str())).unzip();
        let upsert = Statement::with(
            "INSERT INTO move_nodes (store, node, move_id, phase, beats) \
             VALUES ($1, $2, $3, $4, 1) ON CONFLICT (store, node) DO UPDATE SET \
             move_id = excluded.move_id, phase = excluded.phase, beats = move_nodes.beats + 1",
            args![store.as_str(), node, id, phase],
        );
        self.db.execute(upsert).await.map(drop)
    }

    async fn nodes(&self, store: MovedStore) -> StoreResult<Vec<MoveNode>> {
        let query = Statement::with(
            "SELECT node, move_id, phase, beats FROM move_nodes WHERE store = $1 ORDER BY node",
            args![store.as_str()],
        );
        self.db.fetch(Fresh, query).await?.iter().map(node).collect()
    }

    async fn leave(&self, store: MovedStore, node: Uuid) -> StoreResult<()> {
        let delete = Statement::with(
            "DELETE FROM move_nodes WHERE store = $1 AND node = $2",
            args![store.as_str(), node],
        );
        self.db.execute(delete).await.map(drop)
    }
}
