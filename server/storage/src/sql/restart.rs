//! Starting the editing state of a document anew, when the log cannot be loaded.

use super::{
    append, catalog, changes,
    database::{Database, Transaction as _},
    document_row, edits, live_log, mend,
    statement::{Statement, args},
};
use izanagi_domain::storage::{
    ChangeKind, Constraint, DocumentRow, NewLineage, StoreError, StoreResult,
};
use std::{collections::BTreeSet, sync::Arc};

pub(super) async fn restart(db: &impl Database, restart: NewLineage) -> StoreResult<()> {
    let restart = Arc::new(restart);
    db.write(move |transaction| {
        let restart = Arc::clone(&restart);
        Box::pin(async move {
            let document = restart.text.document_id;
            transaction.lock(catalog::lock(document));
            let row = transaction.fetch_optional(catalog::select(document)).await?;
            let row = document_row::document(&row.ok_or(StoreError::NotFound)?)?;
            if row.lineage == restart.lineage {
                // The driver repeated the call, and the first one took effect.
                return Ok(());
            }
            if row.live_seq != restart.after {
                return Err(StoreError::Conflict(Constraint::LogChanged));
            }
            for statement in statements(&row, &restart) {
                transaction.later(statement);
            }
            Ok(())
        })
    })
    .await
}

fn statements(row: &DocumentRow, restart: &NewLineage) -> Vec<Statement> {
    let NewLineage { text, lineage, state, client_id, at, .. } = restart;
    let (document, seq, at) = (text.document_id, text.facts.seq, *at);
    let absorbed: BTreeSet<u64> = restart.absorbed.iter().copied().collect();
    let mut statements = live_log::delete_absorbed(document, &absorbed);
    statements.extend([
        Statement::with(
            "INSERT INTO document_quarantine \
             (document_id, seq, actor_id, delta, restarted, quarantined_at, created_at) \
             SELECT document_id, seq, actor_id, delta, $3, $2, created_at FROM document_updates \
             WHERE document_id = $1 ON CONFLICT DO NOTHING",
            args![document, at, true],
        ),
        Statement::with("DELETE FROM document_updates WHERE document_id = $1", args![document]),
        // Accounts for the number that the restart takes.
        Statement::with(
            "INSERT INTO document_quarantine \
             (document_id, seq, actor_id, delta, restarted, quarantined_at, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT DO NOTHING",
            args![
                document,
                seq,
                append::FORMER,
                restart.replaced.clone().unwrap_or_default().into_bytes(),
                true,
                at
            ],
        ),
    ]);
    for gone in [&restart.lost, &restart.missing] {
        statements.extend(mend::account(document, gone, at));
    }
    statements.extend(mend::mark_ops(document, &restart.lost));
    statements.extend(mend::newest_snapshot(document, [seq, seq + 1], state.clone(), at));
    statements.extend([
        // Updates of the old lineage would add its text once more.
        Statement::with(
            "UPDATE document_clients SET actor_id = $2 WHERE document_id = $1",
            args![document, append::FORMER],
        ),
        Statement::with(
            "INSERT INTO document_clients (document_id, client_id, actor_id) VALUES ($1, $2, NULL)",
            args![document, client_id.cast_signed()],
        ),
    ]);
    let row = DocumentRow { lineage: *lineage, lineage_seq: seq, live_seq: seq, ..row.clone() };
    statements.push(document_row::reset_seqs(document, seq));
    statements.push(document_row::update_live(&row));
    statements.push(if row.damage.details {
        // A new checksum would hide the damage.
        Statement::with(
            "UPDATE documents SET lineage = $2, lineage_seq = $3 WHERE id = $1",
            args![document, *lineage, seq],
        )
    } else {
        document_row::update(&row)
    });
    statements.extend(live_log::store_text(text));
    statements.extend(restart.segments.iter().map(|segment| edits::insert(document, segment)));
    statements.extend([
        changes::note(document, ChangeKind::Content, at),
        changes::note(document, ChangeKind::Lineage, at),
    ]);
    statements
}
