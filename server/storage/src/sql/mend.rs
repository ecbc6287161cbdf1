//! Repairs by `fsck`.

use super::{
    append::FORMER,
    catalog, changes,
    database::{Database, Transaction as _},
    document_row, edits,
    live_log::store_text,
    row::Row,
    statement::{Statement, args},
    version_row::facts_hash,
};
use async_trait::async_trait;
use izanagi_domain::storage::{
    ChangeKind, DocumentRow, Freshness::Fresh, LogRemains, LoggedUpdate, Mend, NewSegment,
    RebuiltLog, ShortHash, StoreError, StoreResult, StoredSnapshot, VersionRow, head_hash,
};
use izanagi_shared::{
    id::{CommitId, DocumentId},
    time::Timestamp,
};
use std::sync::Arc;

pub(crate) struct SqlMend<D> {
    pub(crate) db: Arc<D>,
}

/// Rows per statement.
const ROWS: usize = 1_000;

fn snapshot(mut row: Row) -> StoreResult<StoredSnapshot> {
    Ok(StoredSnapshot { seq: row.get("seq")?, state: row.take("state")? })
}

fn update(mut row: Row) -> StoreResult<LoggedUpdate> {
    Ok(LoggedUpdate {
        seq: row.get("seq")?,
        actor: row.get("actor_id")?,
        delta: row.take("delta")?,
        at: row.get("created_at")?,
    })
}

/// Statements that account for edits whose bytes are gone: rows without bytes. Those that are there
/// already stay.
pub(super) fn account(document: DocumentId, seqs: &[u64], at: Timestamp) -> Vec<Statement> {
    let insert = |seqs: &[u64]| {
        let mut insert = Statement::new(
            "INSERT INTO document_quarantine \
             (document_id, seq, actor_id, delta, restarted, quarantined_at, created_at) ",
        );
        insert.push_rows(
            seqs.iter().map(|seq| args![document, *seq, FORMER, Vec::<u8>::new(), true, at, at]),
        );
        insert.push(" ON CONFLICT DO NOTHING");
        insert
    };
    seqs.chunks(ROWS).map(insert).collect()
}

/// Statements that mark the ops of edits that the text lacks.
pub(super) fn mark_ops(document: DocumentId, lost: &[u64]) -> Vec<Statement> {
    let mark = |seqs: &[u64]| {
        let mut update = Statement::with(
            "UPDATE document_ops SET quarantined = $1 WHERE document_id = $2 AND seq IN ",
            args![true, document],
        );
        update.push_list(seqs.iter().copied());
        update
    };
    lost.chunks(ROWS).map(mark).collect()
}

/// Inserts the newest snapshot, in the place of those that claim its seq or a later one.
pub(super) fn newest_snapshot(
    document: DocumentId,
    [seq, from_seq]: [u64; 2],
    state: Vec<u8>,
    at: Timestamp,
) -> [Statement; 2] {
    [
        Statement::with(
            "DELETE FROM document_snapshots WHERE document_id = $1 AND (seq >= $2 OR seq < 0)",
            args![document, seq],
        ),
        Statement::with(
            "INSERT INTO document_snapshots (document_id, seq, from_seq, state, created_at) \
             VALUES ($1, $2, $3, $4, $5)",
            args![document, seq, from_seq, state, at],
        ),
    ]
}

#[async_trait]
impl<D: Database> Mend for SqlMend<D> {
    async fn remains(&self, document: DocumentId) -> StoreResult<LogRemains> {
        let query = Statement::with(
            "SELECT seq, state FROM document_snapshots WHERE document_id = $1 ORDER BY seq DESC",
            args![document],
        );
        let snapshots = self.db.fetch(Fresh, query).await?;
        let query = Statement::with(
            "SELECT seq, actor_id, delta, created_at FROM document_updates \
             WHERE document_id = $1 ORDER BY seq",
            args![document],
        );
        let updates = self.db.fetch(Fresh, query).await?;
        let query = Statement::with(
            "SELECT COALESCE(MAX(seq), 0) AS highest FROM document_ops WHERE document_id = $1",
            args![document],
        );
        let highest_op = self.db.fetch_one(Fresh, query).await?.get("highest")?;
        Ok(LogRemains {
            snapshots: snapshots.into_iter().filter_map(|row| snapshot(row).ok()).collect(),
            updates: updates.into_iter().filter_map(|row| update(row).ok()).collect(),
            highest_op,
        })
    }

    async fn rebuild(&self, rebuilt: &RebuiltLog) -> StoreResult<()> {
        let rebuilt = Arc::new(rebuilt.clone());
        self.db
            .write(move |transaction| {
                let rebuilt = Arc::clone(&rebuilt);
                Box::pin(async move {
                    let RebuiltLog { text, state, from_seq, renumbered, at } = &*rebuilt;
                    let (document, seq) = (text.document_id, text.facts.seq);
                    transaction.lock(catalog::lock(document));
                    let row = transaction.fetch_optional(catalog::select(document)).await?;
                    let row = document_row::document(&row.ok_or(StoreError::NotFound)?)?;
                    transaction.later(document_row::reset_seqs(document, seq));
                    transaction
                        .later(document_row::update_live(&DocumentRow { live_seq: seq, ..row }));
                    for (wrong, right) in renumbered {
                        transaction.later(Statement::with(
                            "UPDATE document_updates SET seq = $3 \
                             WHERE document_id = $1 AND seq = $2",
                            args![document, *wrong, *right],
                        ));
                    }
                    let seqs = [seq, *from_seq];
                    for statement in newest_snapshot(document, seqs, state.clone(), *at) {
                        transaction.later(statement);
                    }
                    for statement in store_text(text) {
                        transaction.later(statement);
                    }
                    transaction.later(changes::note(document, ChangeKind::Content, *at));
                    Ok(())
                })
            })
            .await
    }

    async fn relist(&self, document: DocumentId, segments: &[NewSegment]) -> StoreResult<()> {
        let clear =
            Statement::with("DELETE FROM edit_segments WHERE document_id = $1", args![document]);
        let insert = segments.iter().map(|segment| edits::insert(document, segment));
        self.db.execute_all(std::iter::once(clear).chain(insert).collect()).await
    }

    async fn give_up(&self, document: DocumentId, lost: &[u64], at: Timestamp) -> StoreResult<()> {
        self.db.execute_all(account(document, lost, at)).await
    }

    async fn details(&self, row: &DocumentRow) -> StoreResult<()> {
        self.db.execute(document_row::update(row)).await.map(drop)
    }

    async fn details_hash(&self, document: DocumentId) -> StoreResult<Option<ShortHash>> {
        let query = Statement::with(
            "SELECT details_hash FROM documents WHERE id = $1 \
             AND deleted_at IS NOT DISTINCT FROM deleted_at_copy",
            args![document],
        );
        let row = self.db.fetch(Fresh, query).await?.into_iter().next();
        Ok(row.and_then(|row| row.get("details_hash").ok()))
    }

    async fn head(
        &self,
        document: DocumentId,
        number: u64,
        commit: Option<CommitId>,
    ) -> StoreResult<()> {
        let update = Statement::with(
            "UPDATE documents SET head_version = $2, head_commit = $3, head_hash = $4 WHERE id = $1",
            args![document, number, commit, head_hash(document, number, commit)],
        );
        self.db.execute(update).await.map(drop)
    }

    async fn version_hash(&self, version: &VersionRow) -> StoreResult<bool> {
        let query = Statement::with(
            "SELECT facts_hash FROM versions WHERE document_id = $1 AND version_number = $2",
            args![version.document_id, version.number],
        );
        let stored = self.db.fetch_one(Fresh, query).await?.get::<ShortHash>("facts_hash");
        Ok(stored == Ok(facts_hash(version)))
    }

    async fn version(&self, version: &VersionRow) -> StoreResult<()> {
        let VersionRow { document_id, number, length, added, removed, ref name, .. } = *version;
        let update = Statement::with(
            "UPDATE versions SET content_length = $3, added = $4, removed = $5, name = $6, \
             facts_hash = $7 WHERE document_id = $1 AND version_number = $2",
            args![document_id, number, length, added, removed, name.clone(), facts_hash(version)],
        );
        self.db.execute(update).await.map(drop)
    }

    async fn reserve_clients(&self, document: DocumentId, clients: &[u64]) -> StoreResult<()> {
        let insert = |clients: &[u64]| {
            let mut insert =
                Statement::new("INSERT INTO document_clients (document_id, client_id, actor_id) ");
            insert.push_rows(
                clients.iter().map(|client| args![document, client.cast_signed(), FORMER]),
            );
            insert.push(" ON CONFLICT DO NOTHING");
            insert
        };
        self.db.execute_all(clients.chunks(ROWS).map(insert).collect()).await
    }
}
