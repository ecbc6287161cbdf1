//! The live log (DESIGN §6).

use super::{
    append, catalog, changes,
    database::{Database, Transaction as _},
    document_row::{self, text_facts},
    edits, forget, id_bytes,
    log_rows::{load, loaded, since, tail},
    restart,
    row::Row,
    statement::{Statement, args},
};
use async_trait::async_trait;
use izanagi_domain::storage::{
    Batch, BatchOutcome, ChangeKind, Constraint, CutUpdates, Freshness::Fresh, KnownOp, LiveLog,
    LoadedLog, LogTail, NewLineage, NewSnapshot, SavedText, ShortHash, StoreError, StoreResult,
    StoredSnapshot, TextFacts, text_hash,
};
use izanagi_shared::{
    id::{ActorId, DocumentId},
    time::Timestamp,
};
use std::{collections::BTreeSet, sync::Arc};

pub(crate) struct SqlLiveLog<D> {
    pub(crate) db: Arc<D>,
}

/// Selects the facts of the stored text, and the text.
fn stored_text(document: DocumentId, with_content: bool) -> Statement {
    let content = if with_content { "t.content" } else { "NULL AS content" };
    let mut query = Statement::new("SELECT ");
    query.push(content).push(
        ", t.seq, d.text_seq, d.content_hash, d.content_length, d.word_count, d.text_hash \
         FROM documents d LEFT JOIN document_texts t ON t.document_id = d.id WHERE d.id = ",
    );
    query.push_arg(document);
    query
}

/// Returns the facts of the stored text if they match their checksum and the text's own seq.
fn facts_of_text(document: DocumentId, row: &Row) -> StoreResult<TextFacts> {
    let seq: Option<u64> = row.get("seq")?;
    let seq = seq.ok_or(StoreError::NotFound)?;
    let facts = text_facts(row)?;
    let is_intact = row.get::<ShortHash>("text_hash")? == text_hash(document, &facts);
    if seq == facts.seq && is_intact {
        return Ok(facts);
    }
    Err(StoreError::Corrupt("the seq or the facts of the stored text are damaged".to_owned()))
}

/// Statements that store a text.
pub(super) fn store_text(text: &SavedText) -> [Statement; 2] {
    let SavedText { document_id, content, facts } = text;
    [
        document_row::update_text(*document_id, facts),
        Statement::with(
            "INSERT INTO document_texts (document_id, seq, content) VALUES ($1, $2, $3) \
             ON CONFLICT (document_id) DO UPDATE SET seq = excluded.seq, content = excluded.content",
            args![*document_id, facts.seq, content.as_str()],
        ),
    ]
}

/// Deletes exactly these rows, merging neighbours into ranges.
pub(super) fn delete_absorbed(document: DocumentId, absorbed: &BTreeSet<u64>) -> Vec<Statement> {
    let absorbed = Vec::from_iter(absorbed.iter().copied());
    let runs = absorbed.chunk_by(|a, b| a.saturating_add(1) == *b);
    let delete = |run: &[u64]| {
        let (first, last) = (*run.first()?, *run.last()?);
        Some(Statement::with(
            "DELETE FROM document_updates WHERE document_id = $1 AND seq BETWEEN $2 AND $3",
            args![document, first, last],
        ))
    };
    runs.filter_map(delete).collect()
}

#[async_trait]
impl<D: Database> LiveLog for SqlLiveLog<D> {
    async fn append(&self, batches: &[Batch]) -> StoreResult<Vec<StoreResult<BatchOutcome>>> {
        append::append(&*self.db, batches.to_vec()).await
    }

    async fn since(&self, document: DocumentId, seq: u64) -> StoreResult<LogTail> {
        tail(self.db.fetch(Fresh, since(document, seq)).await?)
    }

    async fn load(&self, document: DocumentId) -> StoreResult<LoadedLog> {
        loaded(document, self.db.fetch(Fresh, load(document)).await?)
    }

    async fn known_op(
        &self,
        document: DocumentId,
        actor: ActorId,
        op_id: &str,
    ) -> StoreResult<KnownOp> {
        let query = Statement::with(
            "SELECT seq, delta_hash, quarantined FROM document_ops \
             WHERE document_id = $1 AND actor_id = $2 AND op_id = $3",
            args![document, actor, id_bytes::to_bytes(op_id)],
        );
        append::known_op(&self.db.fetch_one(Fresh, query).await?)
    }

    async fn snapshot(&self, snapshot: &NewSnapshot) -> StoreResult<()> {
        let snapshot = Arc::new(snapshot.clone());
        self.db
            .write(move |transaction| {
                let snapshot = Arc::clone(&snapshot);
                Box::pin(async move {
                    let NewSnapshot { document_id, seq, ref state, .. } = *snapshot;
                    let NewSnapshot { ref absorbed, ref segments, at, .. } = *snapshot;
                    let NewSnapshot { from_seq, verified, .. } = *snapshot;
                    transaction.lock(catalog::lock(document_id));
                    let newer = Statement::with(
                        "SELECT EXISTS (SELECT 1 FROM document_snapshots \
                         WHERE document_id = d.id AND seq > $2) AS newer \
                         FROM documents d WHERE d.id = $1",
                        args![document_id, seq],
                    );
                    let newer = transaction.fetch_optional(newer).await?;
                    let newer: bool = newer.ok_or(StoreError::NotFound)?.get("newer")?;
                    let last = edits::newest_record(document_id);
                    let last = transaction.fetch_optional(last).await?;
                    let last = last.map(|row| row.get("record")).transpose()?;
                    if last.is_some() && last == segments.last().map(|segment| segment.record) {
                        // The driver repeated the call, and the first one took effect.
                        return Ok(());
                    }
                    if newer {
                        return Err(StoreError::Conflict(Constraint::LogChanged));
                    }
                    let absorbed: BTreeSet<u64> = absorbed.iter().copied().collect();
                    let mut removed = 0;
                    for delete in delete_absorbed(document_id, &absorbed) {
                        removed += transaction.execute(delete).await?;
                    }
                    if removed != absorbed.len() as u64 {
                        return Err(StoreError::Conflict(Constraint::LogChanged));
                    }
                    transaction.later(Statement::with(
                        "INSERT INTO document_snapshots (document_id, seq, from_seq, state, created_at) \
                         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (document_id, seq) \
                         DO UPDATE SET from_seq = excluded.from_seq, state = excluded.state, \
                         created_at = excluded.created_at",
                        args![document_id, seq, from_seq, state.clone(), at],
                    ));
                    transaction.later(Statement::with(
                        "DELETE FROM document_snapshots WHERE document_id = $1 AND seq < $2",
                        // One that is replaced now is not verified.
                        args![document_id, if verified < seq { verified } else { 0 }],
                    ));
                    for segment in segments {
                        transaction.later(edits::insert(document_id, segment));
                    }
                    Ok(())
                })
            })
            .await
    }

    async fn snapshots(&self, document: DocumentId) -> StoreResult<Vec<StoredSnapshot>> {
        let query = Statement::with(
            "SELECT seq, state FROM document_snapshots WHERE document_id = $1 ORDER BY seq DESC",
            args![document],
        );
        let snapshot = |mut row: Row| -> StoreResult<StoredSnapshot> {
            Ok(StoredSnapshot { seq: row.get("seq")?, state: row.take("state")? })
        };
        self.db.fetch(Fresh, query).await?.into_iter().map(snapshot).collect()
    }

    async fn restart(&self, restart: &NewLineage) -> StoreResult<()> {
        restart::restart(&*self.db, restart.clone()).await
    }

    async fn save_text(&self, text: &SavedText) -> StoreResult<()> {
        let text = Arc::new(text.clone());
        self.db
            .write(move |transaction| {
                let text = Arc::clone(&text);
                Box::pin(async move {
                    let document = text.document_id;
                    transaction.lock(catalog::lock(document));
                    let stored = transaction.fetch_optional(stored_text(document, false)).await?;
                    let stored = stored.ok_or(StoreError::NotFound)?;
                    // A seq that is damaged must not keep every later text from being stored.
                    if facts_of_text(document, &stored).is_ok_and(|it| it.seq > text.facts.seq) {
                        return Ok(());
                    }
                    store_text(&text).into_iter().for_each(|it| transaction.later(it));
                    Ok(())
                })
            })
            .await
    }

    async fn former_clients(&self, document: DocumentId, clients: &[u64]) -> StoreResult<Vec<u64>> {
        let mut query = Statement::with(
            "SELECT client_id FROM document_clients WHERE document_id = $1 AND actor_id = $2",
            args![document, append::FORMER],
        );
        query.push(" AND client_id IN ");
        query.push_list(clients.iter().map(|client| client.cast_signed()));
        let rows = self.db.fetch(Fresh, query).await?;
        let client = |row: &Row| row.get::<i64>("client_id").map(i64::cast_unsigned);
        rows.iter().map(client).collect()
    }

    async fn text(&self, document: DocumentId) -> StoreResult<SavedText> {
        let mut row = self.db.fetch_one(Fresh, stored_text(document, true)).await?;
        let facts = facts_of_text(document, &row)?;
        Ok(SavedText { document_id: document, content: row.take("content")?, facts })
    }

    async fn quarantine(&self, document: DocumentId, seq: u64, at: Timestamp) -> StoreResult<()> {
        let copy = Statement::with(
            "INSERT INTO document_quarantine \
             (document_id, seq, actor_id, delta, restarted, quarantined_at, created_at) \
             SELECT document_id, seq, actor_id, delta, $4, $3, created_at FROM document_updates \
             WHERE document_id = $1 AND seq = $2",
            args![document, seq, at, false],
        );
        let remove = Statement::with(
            "DELETE FROM document_updates WHERE document_id = $1 AND seq = $2",
            args![document, seq],
        );
        let known = Statement::with(
            "SELECT seq FROM document_quarantine WHERE document_id = $1 AND seq = $2",
            args![document, seq],
        );
        let note = Statement::with(
            "UPDATE document_ops SET quarantined = $3 WHERE document_id = $1 AND seq = $2",
            args![document, seq, true],
        );
        self.db
            .write(move |transaction| {
                let (copy, remove) = (copy.clone(), remove.clone());
                let (known, note) = (known.clone(), note.clone());
                Box::pin(async move {
                    // Locked, so that no snapshot absorbs the update meanwhile.
                    transaction.lock(catalog::lock(document));
                    if transaction.execute(copy).await? == 0 {
                        // Done before, or there is no such update.
                        let known = transaction.fetch_optional(known).await?;
                        return known.map(|_| ()).ok_or(StoreError::NotFound);
                    }
                    transaction.later(remove);
                    transaction.later(note);
                    // Readers saw what it wrote, and now they no longer do.
                    transaction.later(changes::note(document, ChangeKind::Content, at));
                    Ok(())
                })
            })
            .await
    }

    async fn cut(&self, cut: &CutUpdates) -> StoreResult<()> {
        let cut = Arc::new(cut.clone());
        self.db
            .write(move |transaction| {
                let cut = Arc::clone(&cut);
                Box::pin(async move {
                    let document = cut.document_id;
                    transaction.lock(catalog::lock(document));
                    let end = Statement::with(
                        "SELECT live_seq FROM documents WHERE id = $1",
                        args![document],
                    );
                    let end = transaction.fetch_optional(end).await?;
                    let end: u64 = end.ok_or(StoreError::NotFound)?.get("live_seq")?;
                    if end != cut.live_seq {
                        return Err(StoreError::Conflict(Constraint::LogChanged));
                    }
                    for (seq, delta) in &cut.updates {
                        let replace = Statement::with(
                            "UPDATE document_updates SET delta = $3 \
                             WHERE document_id = $1 AND seq = $2",
                            args![document, *seq, delta.clone()],
                        );
                        if transaction.execute(replace).await? == 0 {
                            return Err(StoreError::Conflict(Constraint::LogChanged));
                        }
                        transaction.later(Statement::with(
                            "UPDATE document_ops SET quarantined = $3 \
                             WHERE document_id = $1 AND seq = $2",
                            args![document, *seq, true],
                        ));
                    }
                    Ok(())
                })
            })
            .await
    }

    async fn forget_ops(&self, before: Timestamp) -> StoreResult<()> {
        forget::forget_ops(&*self.db, before).await
    }
}
