//! Rows of the live log: how they are selected and decoded.

use super::{
    row::Row,
    statement::{Statement, args},
};
use izanagi_domain::storage::{
    LoadedLog, LogTail, LoggedUpdate, MAX_QUARANTINED, ShortHash, StoreError, StoreResult,
    StoredSnapshot, live_hash,
};
use izanagi_shared::id::{ActorId, DocumentId};

/// Query for `LiveLog::load`: one statement, so it reads one state of the database.
pub(super) fn load(document: DocumentId) -> Statement {
    Statement::with(
        "SELECT 'head' AS part, live_seq AS seq, CAST(NULL AS UUID) AS actor_id, \
         lineage AS bytes, CAST(NULL AS BIGINT) AS created_at FROM documents WHERE id = $1 \
         UNION ALL SELECT 'checksum', live_seq, last_modified_by, live_hash, updated_at \
         FROM documents WHERE id = $1 \
         UNION ALL SELECT 'snapshot', seq, NULL, state, created_at FROM document_snapshots \
         WHERE document_id = $1 AND seq = \
         (SELECT MAX(seq) FROM document_snapshots WHERE document_id = $1) \
         UNION ALL SELECT 'update', seq, actor_id, delta, created_at FROM document_updates \
         WHERE document_id = $1 \
         UNION ALL SELECT 'quarantined', seq, NULL, NULL, NULL FROM document_quarantine \
         WHERE document_id = $1 AND seq >= (SELECT from_seq FROM document_snapshots \
         WHERE document_id = $1 ORDER BY seq DESC LIMIT 1) \
         UNION ALL SELECT 'full', 0, actor_id, NULL, NULL FROM document_quarantine \
         WHERE document_id = $1 AND restarted = $3 GROUP BY actor_id HAVING COUNT(*) >= $2",
        args![document, MAX_QUARANTINED, false],
    )
}

/// Query for `LiveLog::since`, in one statement.
pub(super) fn since(document: DocumentId, after: u64) -> Statement {
    Statement::with(
        "SELECT 'head' AS part, live_seq AS seq, CAST(NULL AS UUID) AS actor_id, \
         CAST(NULL AS BYTEA) AS bytes, CAST(NULL AS BIGINT) AS created_at \
         FROM documents WHERE id = $1 \
         UNION ALL SELECT 'snapshot', MAX(seq), NULL, NULL, NULL FROM document_snapshots \
         WHERE document_id = $1 HAVING COUNT(*) > 0 \
         UNION ALL SELECT 'update', seq, actor_id, delta, created_at FROM document_updates \
         WHERE document_id = $1 AND seq > $2 \
         UNION ALL SELECT 'quarantined', seq, NULL, NULL, NULL FROM document_quarantine \
         WHERE document_id = $1 AND seq > $2",
        args![document, after],
    )
}

/// Returns the rows of [`since`].
pub(super) fn tail(rows: Vec<Row>) -> StoreResult<LogTail> {
    let Parts { live_seq, snapshot, updates, quarantined, .. } = parts(rows)?;
    let (snapshot_seq, _) = snapshot;
    Ok(LogTail { live_seq, snapshot_seq, updates, quarantined })
}

/// Returns the rows of [`load`].
pub(super) fn loaded(document: DocumentId, rows: Vec<Row>) -> StoreResult<LoadedLog> {
    let matches = |row: &Row| {
        let (by, at) = (row.get("actor_id")?, row.get("created_at")?);
        let stored: ShortHash = row.get("bytes")?;
        StoreResult::Ok(stored == live_hash(document, row.get("seq")?, by, at))
    };
    let (checksums, rows): (Vec<_>, Vec<_>) = rows
        .into_iter()
        .partition(|row| row.get("part").is_ok_and(|part: String| part == "checksum"));
    let head_is_damaged = !checksums.iter().all(|row| matches(row).unwrap_or(false));
    let Parts { live_seq, lineage, snapshot, updates, quarantined, full } = parts(rows)?;
    let lineage = lineage.try_into();
    let lineage = lineage.map_err(|_| StoreError::Corrupt("the lineage is damaged".to_owned()))?;
    let (seq, state) = snapshot;
    let snapshot = StoredSnapshot { seq, state };
    Ok(LoadedLog { live_seq, head_is_damaged, lineage, snapshot, updates, quarantined, full })
}

/// Decodes log rows, together with the seq and state of the snapshot.
struct Parts {
    live_seq: u64,
    /// Only in [`load`].
    lineage: Vec<u8>,
    snapshot: (u64, Vec<u8>),
    updates: Vec<LoggedUpdate>,
    quarantined: Vec<u64>,
    full: Vec<ActorId>,
}

fn parts(rows: Vec<Row>) -> StoreResult<Parts> {
    let (mut live_seq, mut lineage, mut snapshot) = (None, None, None);
    let (mut updates, mut quarantined, mut full) = (Vec::new(), Vec::new(), Vec::new());
    for mut row in rows {
        let (part, seq): (String, u64) = (row.get("part")?, row.get("seq")?);
        match part.as_str() {
            "head" => {
                live_seq = Some(seq);
                lineage = row.take("bytes")?;
            }
            "snapshot" => {
                let state: Option<Vec<u8>> = row.take("bytes")?;
                snapshot = Some((seq, state.unwrap_or_default()));
            }
            "quarantined" => quarantined.push(seq),
            "full" => full.push(row.get("actor_id")?),
            _ => updates.push(LoggedUpdate {
                seq,
                actor: row.get("actor_id")?,
                delta: row.take("bytes")?,
                at: row.get("created_at")?,
            }),
        }
    }
    updates.sort_unstable_by_key(|update| update.seq);
    quarantined.sort_unstable();
    let live_seq = live_seq.ok_or(StoreError::NotFound)?;
    let snapshot = snapshot.ok_or_else(|| StoreError::Corrupt("no snapshot".to_owned()))?;
    let lineage = lineage.unwrap_or_default();
    Ok(Parts { live_seq, lineage, snapshot, updates, quarantined, full })
}
