//! Starting the editing state of a document anew, when the log cannot be loaded.

use super::{
    append, catalog, changes,
    database::{Database, Transaction as _},
    statement::{Statement, args},
};
use izanagi_domain::storage::{ChangeKind, Constraint, NewLineage, StoreError, StoreResult};
use std::sync::Arc;

pub(super) async fn restart(db: &impl Database, restart: NewLineage) -> StoreResult<()> {
    let restart = Arc::new(restart);
    db.write(move |transaction| {
        let restart = Arc::clone(&restart);
        Box::pin(async move {
            let document = restart.text.document_id;
            transaction.lock(catalog::lock(document));
            let head = Statement::with(
                "SELECT live_seq, lineage FROM documents WHERE id = $1",
                args![document],
            );
            let head = transaction.fetch_optional(head).await?.ok_or(StoreError::NotFound)?;
            if head.get::<[u8; 16]>("lineage")? == restart.lineage {
                // The driver repeated the call, and the first one took effect.
                return Ok(());
            }
            if head.get::<u64>("live_seq")? != restart.text.facts.seq {
                return Err(StoreError::Conflict(Constraint::LogChanged));
            }
            for statement in statements(&restart) {
                transaction.later(statement);
            }
            Ok(())
        })
    })
    .await
}

fn statements(restart: &NewLineage) -> [Statement; 11] {
    let NewLineage { text, text_seq, lineage, state, client_id, at } = restart;
    let (document, facts, at) = (text.document_id, text.facts, *at);
    [
        Statement::with(
            "INSERT INTO document_quarantine \
             (document_id, seq, actor_id, delta, restarted, quarantined_at, created_at) \
             SELECT document_id, seq, actor_id, delta, $3, $2, created_at FROM document_updates \
             WHERE document_id = $1",
            args![document, at, true],
        ),
        Statement::with(
            "UPDATE document_ops SET quarantined = $2 WHERE document_id = $1 AND seq > $3",
            args![document, true, *text_seq],
        ),
        Statement::with("DELETE FROM document_updates WHERE document_id = $1", args![document]),
        Statement::with("DELETE FROM document_snapshots WHERE document_id = $1", args![document]),
        Statement::with(
            "INSERT INTO document_snapshots (document_id, seq, from_seq, state, created_at) \
             VALUES ($1, $2, $3, $4, $5)",
            args![document, facts.seq, facts.seq + 1, state.clone(), at],
        ),
        // Updates of the old lineage would add its text once more.
        Statement::with(
            "UPDATE document_clients SET actor_id = $2 WHERE document_id = $1",
            args![document, append::FORMER],
        ),
        Statement::with(
            "INSERT INTO document_clients (document_id, client_id, actor_id) VALUES ($1, $2, NULL)",
            args![document, client_id.cast_signed()],
        ),
        Statement::with(
            "UPDATE documents SET lineage = $2, text_seq = $3, content_hash = $4, \
             content_length = $5, word_count = $6 WHERE id = $1",
            args![document, *lineage, facts.seq, facts.hash, facts.length, facts.words],
        ),
        Statement::with(
            "UPDATE document_texts SET seq = $2, content = $3 WHERE document_id = $1",
            args![document, facts.seq, text.content.as_str()],
        ),
        changes::note(document, ChangeKind::Content, at),
        changes::note(document, ChangeKind::Lineage, at),
    ]
}
