//! Commit attempts (DESIGN §5).

use super::{
    commit,
    database::{Database, Transaction as _},
    payload,
    row::Row,
    statement::{Statement, args},
};
use async_trait::async_trait;
use izanagi_domain::storage::{
    AtomicCommit, CommitIntent, CommitIntents, CommitOutcome, Constraint, Fence, Freshness::Fresh,
    Ids, IntentStatus, NewIntent, NewRecord, NewVersion, StoreError, StoreResult,
};
use izanagi_shared::{id::CommitId, time::Timestamp};
use std::sync::Arc;

/// Rows removed per transaction.
const AT_ONCE: u32 = 1_000;

pub(crate) struct SqlIntents<D> {
    pub(crate) db: Arc<D>,
    pub(crate) ids: Arc<dyn Ids>,
}

/// Columns of a [`CommitIntent`].
pub(super) const COLUMNS: &str =
    "commit_id, document_id, status, expires_at, erased_at IS NOT NULL AS erased";

pub(super) fn intent(row: &Row) -> StoreResult<CommitIntent> {
    Ok(CommitIntent {
        commit_id: row.get("commit_id")?,
        document_id: row.get("document_id")?,
        status: row.named("status", status)?,
        expires_at: row.get("expires_at")?,
        erased: row.get("erased")?,
    })
}

/// Skips damaged rows: they identify nothing to collect and must not block the collector. `fsck`
/// reports them.
fn sound(rows: &[Row]) -> Vec<CommitIntent> {
    let read = |row| intent(row).inspect_err(|error| tracing::error!(%error, "a damaged attempt"));
    rows.iter().filter_map(|row| read(row).ok()).collect()
}

pub(super) fn status(name: &str) -> Option<IntentStatus> {
    match name {
        "open" => Some(IntentStatus::Open),
        "committed" => Some(IntentStatus::Committed),
        "gc" => Some(IntentStatus::Gc),
        _ => None,
    }
}

/// A commit id that is a version counts as used even if its intent was removed, so that a late copy
/// of this statement cannot reopen it.
fn insert(intent: &NewIntent) -> Statement {
    Statement::with(
        "INSERT INTO commit_intents (commit_id, document_id, base_commit, request_key, status, \
         expires_at, created_at) SELECT $1, $2, $3, $4, 'open', $5, $6 \
         WHERE NOT EXISTS (SELECT 1 FROM versions WHERE commit_id = $1)",
        args![
            intent.commit_id,
            intent.document_id,
            intent.base_commit,
            intent.request_key,
            intent.expires_at,
            intent.at,
        ],
    )
}

#[async_trait]
impl<D: Database> CommitIntents for SqlIntents<D> {
    async fn open(&self, intent: &NewIntent) -> StoreResult<()> {
        match self.db.execute(insert(intent)).await? {
            0 => Err(StoreError::Conflict(Constraint::CommitId)),
            _ => Ok(()),
        }
    }

    async fn commit(&self, version: &NewVersion) -> StoreResult<CommitOutcome> {
        commit::Commit::new(&*self.ids, version).run(&*self.db).await
    }

    async fn fence(&self, commit: CommitId) -> StoreResult<Fence> {
        let update = Statement::with(
            "UPDATE commit_intents SET status = 'gc' WHERE commit_id = $1 AND status = 'open'",
            args![commit],
        );
        let write = self.db.write(move |transaction| {
            let update = update.clone();
            // A commit with its content has no intent to wait for.
            transaction.exclude(&commit::name(commit));
            Box::pin(transaction.execute(update))
        });
        match write.await? {
            0 => Ok(Fence::NotOpen),
            _ => Ok(Fence::Closed),
        }
    }

    async fn fence_request(&self, key: &[u8; 32]) -> StoreResult<()> {
        let update = Statement::with(
            "UPDATE commit_intents SET status = 'gc' WHERE request_key = $1 AND status = 'open'",
            args![key],
        );
        self.db.execute(update).await.map(drop)
    }

    async fn expired(&self, now: Timestamp, limit: u32) -> StoreResult<Vec<CommitIntent>> {
        let mut query = Statement::new("SELECT ");
        query
            .push(COLUMNS)
            .push(" FROM commit_intents WHERE status = 'open' AND expires_at < ")
            .push_arg(now)
            .push(" ORDER BY expires_at, commit_id LIMIT ")
            .push_arg(limit);
        Ok(sound(&self.db.fetch(Fresh, query).await?))
    }

    async fn condemn(&self, commit: CommitId, now: Timestamp) -> StoreResult<bool> {
        let update = Statement::with(
            "UPDATE commit_intents SET status = 'gc' \
             WHERE commit_id = $1 AND status = 'open' AND expires_at < $2",
            args![commit, now],
        );
        Ok(self.db.execute(update).await? > 0)
    }

    async fn condemned(
        &self,
        after: Option<CommitId>,
        limit: u32,
    ) -> StoreResult<Vec<CommitIntent>> {
        let mut query = Statement::new("SELECT ");
        query.push(COLUMNS).push(" FROM commit_intents WHERE status = 'gc' AND erased_at IS NULL");
        if let Some(after) = after {
            query.push(" AND commit_id > ").push_arg(after);
        }
        query.push(" ORDER BY commit_id LIMIT ").push_arg(limit);
        Ok(sound(&self.db.fetch(Fresh, query).await?))
    }

    async fn erased(&self, commit: CommitId, at: Timestamp) -> StoreResult<()> {
        let update = Statement::with(
            "UPDATE commit_intents SET erased_at = COALESCE(erased_at, $2) \
             WHERE commit_id = $1 AND status = 'gc'",
            args![commit, at],
        );
        match self.db.execute(update).await? {
            0 => Err(StoreError::NotFound),
            _ => Ok(()),
        }
    }

    async fn forget(&self, before: Timestamp) -> StoreResult<()> {
        let delete = Statement::with(
            "DELETE FROM commit_intents WHERE commit_id IN (SELECT commit_id FROM commit_intents \
             WHERE status = 'committed' AND created_at < $1 LIMIT $2)",
            args![before, AT_ONCE],
        );
        while self.db.execute(delete.clone()).await? >= u64::from(AT_ONCE) {}
        Ok(())
    }

    async fn get(&self, commit: CommitId) -> StoreResult<CommitIntent> {
        let mut query = Statement::new("SELECT ");
        query.push(COLUMNS).push(" FROM commit_intents WHERE commit_id = ").push_arg(commit);
        intent(&self.db.fetch_one(Fresh, query).await?)
    }
}

#[async_trait]
impl<D: Database> AtomicCommit for SqlIntents<D> {
    async fn commit_with_content(
        &self,
        records: &[NewRecord],
        version: &NewVersion,
    ) -> StoreResult<Option<CommitOutcome>> {
        let mut first = Vec::with_capacity(3 * records.len());
        for record in records {
            first.extend(payload::insert(record, version.at).await?);
        }
        let commit = commit::Commit::with_content(&*self.ids, first, version);
        Ok(match commit.run(&*self.db).await? {
            // There is no intent: a move of the documents is known.
            CommitOutcome::IntentClosed => None,
            outcome => Some(outcome),
        })
    }
}
