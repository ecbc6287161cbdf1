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
        turn: row.get("turn")?,
        replaced: row.get("replaced")?,
        progress: MoveProgress {
            done: row.get("done")?,
            total: row.get("total")?,
            position: row.get("position")?,
            note: row.get("note")?,
        },
        claim: claim.0.zip(claim.1),
    })
}

fn node(row: &Row) -> StoreResult<MoveNode> {
    Ok(MoveNode {
        node: row.get("node")?,
        at: row.get::<Option<Uuid>>("move_id")?.zip(row.get("turn")?),
        beats: row.get("beats")?,
    })
}

#[async_trait]
impl<D: Database> StoreMoves for SqlMoves<D> {
    async fn get(&self, store: MovedStore) -> StoreResult<Option<StoreMove>> {
        let query = Statement::with(
            "SELECT store, id, source, target, phase, turn, replaced, position, done, total, note, \
             claimed_by, claimed_until FROM store_moves WHERE store = $1",
            args![store.as_str()],
        );
        self.db.fetch(Fresh, query).await?.first().map(read).transpose()
    }

    async fn begin(&self, new: &NewMove) -> StoreResult<bool> {
        let rows = Statement::with(
            "SELECT id FROM store_moves WHERE phase <> $1 OR store = $2",
            args![MovePhase::Moved.as_str(), new.store.as_str()],
        );
        let done = Statement::with(
            "SELECT id FROM store_moves WHERE phase = $1 AND store = $2",
            args![MovePhase::Moved.as_str(), new.store.as_str()],
        );
        let expected = new.replaces;
        let replaced =
            Statement::with("DELETE FROM store_moves WHERE store = $1", args![new.store.as_str()]);
        let insert = Statement::with(
            "INSERT INTO store_moves (store, id, source, target, phase, turn, replaced, position, done, \
             total, note, claimed_by, claimed_until) \
             VALUES ($1, $2, $3, $4, $5, 1, $6, '', 0, 0, '', NULL, NULL)",
            args![
                new.store.as_str(),
                new.id,
                new.source.clone().map(|sealed| sealed.0),
                new.target.0.clone(),
                MovePhase::Asked.as_str(),
                new.replaces,
            ],
        );
        let job = outbox::insert(&*self.ids, Topic::Move, new.store.as_str(), new.at);
        let write = self.db.write(move |transaction| {
            let (rows, done) = (rows.clone(), done.clone());
            let rest = [replaced.clone(), insert.clone(), job.clone()];
            Box::pin(async move {
                transaction.exclude(BEGIN);
                let done = transaction.fetch_optional(done).await?;
                let done: Option<Uuid> = done.map(|row| row.get("id")).transpose()?;
                if done != expected {
                    return Ok(false);
                }
                if done.is_none() && transaction.fetch_optional(rows).await?.is_some() {
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
        (id, turn): (Uuid, u64),
        worker: Option<Uuid>,
        to: MovePhase,
    ) -> StoreResult<bool> {
        let mut update = Statement::with(
            "UPDATE store_moves SET phase = $3, turn = turn + 1, done = 0, total = 0, note = '' \
             WHERE id = $1 AND turn = $2",
            args![id, turn, to.as_str()],
        );
        if let Some(worker) = worker {
            update.push(" AND claimed_by = ").push_arg(worker);
        }
        Ok(self.db.execute(update).await? > 0)
    }

    async fn report(&self, (id, turn): (Uuid, u64), progress: &MoveProgress) -> StoreResult<()> {
        let MoveProgress { done, total, position, note } = progress.clone();
        let update = Statement::with(
            "UPDATE store_moves SET done = $3, total = $4, position = $5, note = $6 \
             WHERE id = $1 AND turn = $2",
            args![id, turn, done, total, position, note],
        );
        self.db.execute(update).await.map(drop)
    }

    async fn restore(&self, id: Uuid, target: &Sealed) -> StoreResult<()> {
        let update = Statement::with(
            "UPDATE store_moves SET source = NULL, target = $2, phase = $3, turn = turn + 1, \
             replaced = NULL, position = '', done = 0, total = 0, note = '', claimed_by = NULL, \
             claimed_until = NULL WHERE id = $1",
            args![id, target.0.clone(), MovePhase::Moved.as_str()],
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
        at: Option<(Uuid, u64)>,
    ) -> StoreResult<()> {
        let (id, turn) = at.unzip();
        // A confirmation that arrives late must not hide a later one.
        let upsert = Statement::with(
            "INSERT INTO move_nodes (store, node, move_id, turn, beats) \
             VALUES ($1, $2, $3, $4, 1) ON CONFLICT (store, node) DO UPDATE SET \
             turn = CASE WHEN move_nodes.move_id = excluded.move_id \
             AND move_nodes.turn > excluded.turn THEN move_nodes.turn ELSE excluded.turn END, \
             move_id = excluded.move_id, beats = move_nodes.beats + 1",
            args![store.as_str(), node, id, turn],
        );
        self.db.execute(upsert).await.map(drop)
    }

    async fn nodes(&self, store: MovedStore) -> StoreResult<Vec<MoveNode>> {
        let query = Statement::with(
            "SELECT node, move_id, turn, beats FROM move_nodes WHERE store = $1 ORDER BY node",
            args![store.as_str()],
        );
        self.db.fetch(Fresh, query).await?.iter().map(node).collect()
    }

    async fn leave(&self, store: MovedStore, node: Uuid, beats: Option<u64>) -> StoreResult<()> {
        let mut delete = Statement::with(
            "DELETE FROM move_nodes WHERE store = $1 AND node = $2",
            args![store.as_str(), node],
        );
        if let Some(beats) = beats {
            delete.push(" AND beats = ").push_arg(beats);
        }
        self.db.execute(delete).await.map(drop)
    }
}
