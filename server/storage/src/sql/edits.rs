//! Segments of edit history.

use super::{
    database::Database,
    row::Row,
    statement::{Statement, args},
};
use async_trait::async_trait;
use izanagi_domain::storage::{
    EditSegments, Freshness::Fresh, NewSegment, NewestSegments, SegmentFilter, SegmentRow,
    StoreError, StoreResult,
};
use izanagi_shared::{id::DocumentId, time::Timestamp};
use std::sync::Arc;

pub(crate) struct SqlEdits<D> {
    pub(crate) db: Arc<D>,
}

const SELECT: &str = "SELECT s.document_id, s.number, s.record, s.hash, s.bytes, s.from_seq, \
                      s.to_seq, s.edits, s.state_seq, s.last_at FROM edit_segments s ";

fn segment_row(row: &Row) -> StoreResult<SegmentRow> {
    Ok(SegmentRow {
        document_id: row.get("document_id")?,
        number: row.get("number")?,
        segment: NewSegment {
            record: row.get("record")?,
            hash: row.get("hash")?,
            bytes: row.get("bytes")?,
            from_seq: row.get("from_seq")?,
            to_seq: row.get("to_seq")?,
            edits: row.get("edits")?,
            state_seq: row.get("state_seq")?,
            last_at: row.get("last_at")?,
        },
    })
}

/// Inserts a segment after the others of its document.
pub(super) fn insert(document: DocumentId, segment: &NewSegment) -> Statement {
    let NewSegment { record, hash, bytes, from_seq, to_seq, edits, state_seq, last_at } = *segment;
    Statement::with(
        "INSERT INTO edit_segments (document_id, number, record, hash, bytes, from_seq, to_seq, \
         edits, state_seq, last_at) \
         SELECT $1, COALESCE(MAX(number), 0) + 1, $2, $3, $4, $5, $6, $7, $8, $9 \
         FROM edit_segments WHERE document_id = $1",
        args![document, record, hash, bytes, from_seq, to_seq, edits, state_seq, last_at],
    )
}

/// Returns the record of a document's newest segment.
pub(super) fn newest_record(document: DocumentId) -> Statement {
    Statement::with(
        "SELECT record FROM edit_segments WHERE document_id = $1 ORDER BY number DESC LIMIT 1",
        args![document],
    )
}

#[async_trait]
impl<D: Database> EditSegments for SqlEdits<D> {
    async fn list(&self, filter: &SegmentFilter) -> StoreResult<Vec<SegmentRow>> {
        let SegmentFilter { document_id, from_seq, to_seq, from_number, limit } = *filter;
        let mut query = Statement::new(SELECT);
        query.push("WHERE s.document_id = ").push_arg(document_id);
        query.push(" AND s.number >= ").push_arg(from_number);
        query.push(" AND s.to_seq >= ").push_arg(from_seq);
        query.push(" AND s.from_seq <= ").push_arg(to_seq);
        query.push(" ORDER BY s.number LIMIT ").push_arg(limit);
        self.db.fetch(Fresh, query).await?.iter().map(segment_row).collect()
    }

    async fn with_state(&self, document: DocumentId, seq: u64) -> StoreResult<SegmentRow> {
        let mut query = Statement::new(SELECT);
        query.push("WHERE s.document_id = ").push_arg(document);
        query.push(" AND s.state_seq <= ").push_arg(seq).push(" ORDER BY s.number DESC LIMIT 1");
        let rows = self.db.fetch(Fresh, query).await?;
        rows.first().map_or(Err(StoreError::NotFound), segment_row)
    }

    async fn newest(&self, document: DocumentId) -> StoreResult<NewestSegments> {
        let query = Statement::with(
            "SELECT n.number, n.with_state, (SELECT CAST(COALESCE(SUM(bytes), 0) AS BIGINT) \
             FROM edit_segments WHERE document_id = $1 AND number > n.with_state) AS bytes_since \
             FROM (SELECT COALESCE(MAX(number), 0) AS number, \
             COALESCE(MAX(CASE WHEN state_seq IS NOT NULL THEN number END), 0) AS with_state \
             FROM edit_segments WHERE document_id = $1) AS n",
            args![document],
        );
        let row = self.db.fetch_one(Fresh, query).await?;
        Ok(NewestSegments {
            number: row.get("number")?,
            with_state: row.get("with_state")?,
            bytes_since: row.get("bytes_since")?,
        })
    }

    async fn expired(&self, before: Timestamp, limit: u32) -> StoreResult<Vec<SegmentRow>> {
        let mut query = Statement::new(SELECT);
        query.push("WHERE s.last_at < ").push_arg(before);
        query.push(
            " AND EXISTS (SELECT 1 FROM edit_segments t WHERE t.document_id = s.document_id \
             AND t.number > s.number AND t.state_seq IS NOT NULL) \
             AND NOT EXISTS (SELECT 1 FROM edit_segments e WHERE e.document_id = s.document_id \
             AND e.number < s.number AND e.last_at >= ",
        );
        query.push_arg(before).push(
            ") \
             ORDER BY s.document_id, s.number LIMIT ",
        );
        query.push_arg(limit);
        self.db.fetch(Fresh, query).await?.iter().map(segment_row).collect()
    }

    async fn remove(&self, document: DocumentId, number: u64) -> StoreResult<()> {
        let note = Statement::with(
            "UPDATE documents SET forgotten_seq = s.to_seq FROM edit_segments s \
             WHERE documents.id = $1 AND s.document_id = $1 AND s.number = $2 \
             AND documents.forgotten_seq < s.to_seq",
            args![document, number],
        );
        let delete = Statement::with(
            "DELETE FROM edit_segments WHERE document_id = $1 AND number = $2",
            args![document, number],
        );
        self.db.execute_all(vec![note, delete]).await
    }

    async fn forgotten(&self, document: DocumentId) -> StoreResult<u64> {
        let query =
            Statement::with("SELECT forgotten_seq FROM documents WHERE id = $1", args![document]);
        self.db.fetch_one(Fresh, query).await?.get("forgotten_seq")
    }
}
