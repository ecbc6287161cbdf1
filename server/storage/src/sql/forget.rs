//! Retention. These times are not indexed, because every write would pay for the indexes. A reader
//! scans the table instead, and the writer only deletes what the scan found.

use super::{
    database::Database,
    row::Row,
    statement::{Arg, Statement, args},
};
use async_trait::async_trait;
use izanagi_domain::storage::{Freshness::Fresh, StoreResult, Upkeep};
use izanagi_shared::{
    id::{ActorId, DocumentId, SessionId},
    time::Timestamp,
};
use std::sync::Arc;
use uuid::Uuid;

/// Rows deleted per transaction, so that other writes do not wait long.
const AT_ONCE: u32 = 1_000;

pub(crate) struct SqlUpkeep<D> {
    pub(crate) db: Arc<D>,
}

#[async_trait]
impl<D: Database> Upkeep for SqlUpkeep<D> {
    async fn forget_sessions(&self, before: Timestamp) -> StoreResult<()> {
        // Delete tokens first: a session is deleted when it has none left.
        forget(&*self.db, before, &TOKENS).await?;
        forget(&*self.db, before, &SESSIONS).await
    }

    async fn with_old_updates(
        &self,
        before: Timestamp,
        after: Option<DocumentId>,
        limit: u32,
    ) -> StoreResult<Vec<DocumentId>> {
        let query = Statement::with(
            "SELECT DISTINCT document_id FROM document_updates \
             WHERE created_at < $1 AND document_id > $2 ORDER BY document_id LIMIT $3",
            args![before, after.unwrap_or(DocumentId(Uuid::nil())), limit],
        );
        let rows = self.db.fetch(Fresh, query).await?;
        rows.iter().map(|row| row.get("document_id")).collect()
    }

    async fn forget_audit(&self, before: Timestamp) -> StoreResult<()> {
        forget(&*self.db, before, &AUDIT).await
    }

    async fn probe(&self, at: Timestamp) -> StoreResult<()> {
        let write = Statement::with(
            "INSERT INTO probes (id, written_at) VALUES (1, $1) \
             ON CONFLICT (id) DO UPDATE SET written_at = excluded.written_at",
            args![at],
        );
        self.db.execute(write).await.map(drop)
    }
}

/// Deletes op ids older than `before`.
pub(super) async fn forget_ops(db: &impl Database, before: Timestamp) -> StoreResult<()> {
    forget(db, before, &OPS).await
}

/// A table to clean up: finds old rows by key, and deletes them.
struct Table<K: 'static> {
    select: fn(Timestamp, Option<&K>) -> Statement,
    key: fn(&Row) -> StoreResult<K>,
    delete: fn(&[K], Timestamp) -> Statement,
}

async fn forget<K: Send + Sync>(
    db: &impl Database,
    before: Timestamp,
    table: &'static Table<K>,
) -> StoreResult<()> {
    let mut after: Option<K> = None;
    loop {
        let rows = db.fetch(Fresh, (table.select)(before, after.as_ref())).await?;
        let keys: StoreResult<Vec<K>> = rows.iter().map(table.key).collect();
        let keys = keys?;
        if keys.is_empty() {
            return Ok(());
        }
        db.execute((table.delete)(&keys, before)).await?;
        after = keys.into_iter().next_back();
    }
}

/// The op id in its stored encoding.
type OpKey = (DocumentId, ActorId, Vec<u8>);

static OPS: Table<OpKey> = Table {
    select: select_ops,
    key: |row| Ok((row.get("document_id")?, row.get("actor_id")?, row.get("op_id")?)),
    delete: delete_ops,
};

fn op_row((document, user, op): &OpKey) -> [Arg; 3] {
    args![*document, *user, op.clone()]
}

fn select_ops(before: Timestamp, after: Option<&OpKey>) -> Statement {
    let mut query =
        Statement::new("SELECT document_id, actor_id, op_id FROM document_ops WHERE created_at < ");
    query.push_arg(before);
    if let Some(after) = after {
        let (document, user, op) = after;
        query.push(" AND (document_id, actor_id, op_id) > (").push_arg(*document);
        query.push(", ").push_arg(*user).push(", ").push_arg(op.clone()).push(")");
    }
    query.push(" ORDER BY document_id, actor_id, op_id LIMIT ").push_arg(AT_ONCE);
    query
}

/// Joins a list of keys: with `IN (VALUES …)`, SQLite would scan the whole table.
fn delete_ops(keys: &[OpKey], before: Timestamp) -> Statement {
    let mut statement = Statement::new(
        "DELETE FROM document_ops WHERE (document_id, actor_id, op_id) IN \
         (SELECT k.column1, k.column2, k.column3 FROM (",
    );
    statement.push_rows(keys.iter().map(op_row));
    statement.push(") AS k) AND created_at < ").push_arg(before);
    statement
}

/// An expired token is refused, whether or not it is stored.
static TOKENS: Table<[u8; 32]> = Table {
    select: |before, after| {
        let mut query = Statement::new("SELECT token_hash FROM refresh_tokens WHERE expires_at < ");
        query.push_arg(before);
        if let Some(after) = after {
            query.push(" AND token_hash > ").push_arg(after);
        }
        query.push(" ORDER BY token_hash LIMIT ").push_arg(AT_ONCE);
        query
    },
    key: |row| row.get("token_hash"),
    delete: |keys, before| {
        let mut statement = Statement::new("DELETE FROM refresh_tokens WHERE token_hash IN ");
        statement.push_list(keys).push(" AND expires_at < ").push_arg(before);
        statement
    },
};

static SESSIONS: Table<SessionId> = Table {
    select: |before, after| {
        let mut query = Statement::new("SELECT id FROM sessions WHERE ");
        over(&mut query, before);
        if let Some(after) = after {
            query.push(" AND id > ").push_arg(*after);
        }
        query.push(" ORDER BY id LIMIT ").push_arg(AT_ONCE);
        query
    },
    key: |row| row.get("id"),
    delete: |keys, before| {
        let mut statement = Statement::new("DELETE FROM sessions WHERE id IN ");
        statement.push_list(keys.iter().copied()).push(" AND ");
        over(&mut statement, before);
        statement
    },
};

static AUDIT: Table<Uuid> = Table {
    select: |before, _| {
        let mut query = Statement::new("SELECT id FROM audit_log WHERE created_at < ");
        query.push_arg(before).push(" ORDER BY created_at, id LIMIT ").push_arg(AT_ONCE);
        query
    },
    key: |row| row.get("id"),
    delete: |keys, before| {
        let mut statement = Statement::new("DELETE FROM audit_log WHERE id IN ");
        statement.push_list(keys.iter().copied()).push(" AND created_at < ").push_arg(before);
        statement
    },
};

/// Condition for sessions that ended before `before`.
fn over(statement: &mut Statement, before: Timestamp) {
    statement.push("(revoked_at < ").push_arg(before).push(" OR last_activity_at < ");
    statement.push_arg(before);
    statement
        .push(" AND NOT EXISTS (SELECT 1 FROM refresh_tokens t WHERE t.session_id = sessions.id))");
}
