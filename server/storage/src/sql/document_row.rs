//! Columns of `documents`: read, inserted and updated only here.

use super::{
    row::Row,
    statement::{Statement, args},
};
use izanagi_domain::storage::{
    Details, DocumentRow, NewDocument, StoreResult, TextFacts, details_hash,
};
use izanagi_shared::wire::RenderFormat;

/// Columns of a [`DocumentRow`], of a table aliased as `d`.
pub(super) const COLUMNS: &str = "d.id, d.kind, d.title, d.description, d.created_by, \
     d.last_modified_by, d.head_version, d.head_commit, d.live_seq, d.lineage, d.meta_rev, d.text_seq, \
     d.content_hash, d.content_length, d.word_count, d.is_public, d.is_template, d.render_format, d.details_hash, d.created_at, \
     d.updated_at, d.deleted_at";

pub(super) fn document(row: &Row) -> StoreResult<DocumentRow> {
    Ok(DocumentRow {
        id: row.get("id")?,
        kind: row.named("kind", |name| name.parse().ok())?,
        details: Details {
            title: row.get("title")?,
            description: row.get("description")?,
            is_public: row.get("is_public")?,
            is_template: row.get("is_template")?,
            render_format: row.named_or_null("render_format", |name| name.parse().ok())?,
        },
        details_hash: row.get("details_hash")?,
        created_by: row.get("created_by")?,
        last_modified_by: row.get("last_modified_by")?,
        head_version: row.get("head_version")?,
        head_commit: row.get("head_commit")?,
        live_seq: row.get("live_seq")?,
        lineage: row.get("lineage")?,
        meta_rev: row.get("meta_rev")?,
        text: text_facts(row)?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
        deleted_at: row.get("deleted_at")?,
    })
}

/// Reads the facts of the materialised text.
pub(super) fn text_facts(row: &Row) -> StoreResult<TextFacts> {
    Ok(TextFacts {
        seq: row.get("text_seq")?,
        hash: row.get("content_hash")?,
        length: row.get("content_length")?,
        words: row.get("word_count")?,
    })
}

/// Folds titles and descriptions for comparison and sorting. The title in a cursor is folded the
/// same way.
pub(super) fn fold(text: &str) -> String {
    text.to_lowercase()
}

/// Inserts the row of a new document.
pub(super) fn insert(new: &NewDocument) -> Statement {
    Statement::with(
        "INSERT INTO documents (id, kind, title, title_folded, description, description_folded, \
         created_by, last_modified_by, head_version, head_commit, live_seq, lineage, meta_rev, \
         text_seq, content_hash, content_length, word_count, is_public, is_template, render_format, request_key, \
         request_hash, created_at, updated_at, deleted_at, details_hash) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7, 0, NULL, $8, $9, 1, $8, $10, $11, $12, $13, $14, \
         $15, $16, $17, $18, $18, NULL, $19)",
        args![
            new.id,
            new.kind.as_str(),
            new.details.title.as_str(),
            fold(&new.details.title),
            new.details.description.as_str(),
            fold(&new.details.description),
            new.created_by,
            new.text.seq,
            new.lineage,
            new.text.hash,
            new.text.length,
            new.text.words,
            new.details.is_public,
            new.details.is_template,
            new.details.render_format.map(RenderFormat::as_str),
            new.request.key,
            new.request.body_hash,
            new.at,
            details_hash(new.kind, &new.details),
        ],
    )
}

/// Updates the details of a document.
pub(super) fn update(row: &DocumentRow) -> Statement {
    Statement::with(
        "UPDATE documents SET title = $2, title_folded = $3, description = $4, \
         description_folded = $5, is_public = $6, is_template = $7, render_format = $8, \
         deleted_at = $9, meta_rev = $10, updated_at = $11, last_modified_by = $12, \
         details_hash = $13 WHERE id = $1",
        args![
            row.id,
            row.details.title.as_str(),
            fold(&row.details.title),
            row.details.description.as_str(),
            fold(&row.details.description),
            row.details.is_public,
            row.details.is_template,
            row.details.render_format.map(RenderFormat::as_str),
            row.deleted_at,
            row.meta_rev,
            row.updated_at,
            row.last_modified_by,
            row.details_hash,
        ],
    )
}
