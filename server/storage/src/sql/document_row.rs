//! Columns of `documents`: read, inserted and updated only here.

use super::{
    row::Row,
    statement::{Statement, args},
};
use izanagi_domain::storage::{
    Details, DocumentRow, NewDocument, RowDamage, ShortHash, StoreResult, TextFacts, head_hash,
    text_hash,
};
use izanagi_shared::{
    id::{ActorId, DocumentId},
    time::Timestamp,
    wire::RenderFormat,
};
use uuid::Uuid;

/// Columns of a [`DocumentRow`], of a table aliased as `d`.
pub(super) const COLUMNS: &str = "d.id, d.kind, d.title, d.description, d.created_by, \
     d.last_modified_by, d.head_version, d.head_commit, d.live_seq, d.lineage, d.lineage_seq, \
     d.meta_rev, d.text_seq, d.content_hash, d.content_length, d.word_count, d.is_public, \
     d.is_template, d.render_format, d.details_hash, d.live_hash, d.text_hash, d.head_hash, \
     d.created_at, d.updated_at, d.deleted_at, d.deleted_at_copy";

/// Returns a value, or its default if it is damaged.
fn or_default<T: Default>(read: StoreResult<T>, is_damaged: &mut bool) -> T {
    read.unwrap_or_else(|_| {
        *is_damaged = true;
        T::default()
    })
}

/// Reads a row. Damage is reported in it instead of as an error, because one damaged document must
/// not hide the others of a list, and `fsck` repairs what it can still read.
pub(super) fn document(row: &Row) -> StoreResult<DocumentRow> {
    let mut damage = RowDamage::default();
    let details = &mut damage.details;
    let nobody = || ActorId(Uuid::nil());
    let mut read = DocumentRow {
        id: row.get("id")?,
        kind: or_default(row.named("kind", |name| name.parse().ok()), details),
        details: Details {
            title: or_default(row.get("title"), details),
            description: or_default(row.get("description"), details),
            is_public: or_default(row.get("is_public"), details),
            is_template: or_default(row.get("is_template"), details),
            render_format: or_default(
                row.named_or_null("render_format", |name| name.parse().ok()),
                details,
            ),
        },
        damage: RowDamage::default(),
        created_by: or_default(row.get("created_by").map(Some), details).unwrap_or_else(nobody),
        lineage: or_default(row.get("lineage"), details),
        lineage_seq: or_default(row.get("lineage_seq"), details),
        created_at: or_default(row.get("created_at"), details),
        deleted_at: or_default(row.get("deleted_at"), details),
        meta_rev: or_default(row.get("meta_rev"), details),
        last_modified_by: or_default(row.get("last_modified_by").map(Some), &mut damage.live)
            .unwrap_or_else(nobody),
        live_seq: or_default(row.get("live_seq"), &mut damage.live),
        updated_at: or_default(row.get("updated_at"), &mut damage.live),
        text: or_default(text_facts(row), &mut damage.text),
        head_version: or_default(row.get("head_version"), &mut damage.head),
        head_commit: or_default(row.get("head_commit"), &mut damage.head),
    };
    let differs = |column: &str, hash: ShortHash| row.get::<ShortHash>(column) != Ok(hash);
    damage.details |= differs("details_hash", read.details_hash())
        || row.get::<Option<Timestamp>>("deleted_at_copy") != Ok(read.deleted_at);
    damage.live |= differs("live_hash", read.live_hash());
    damage.text |= differs("text_hash", text_hash(read.id, &read.text));
    let head = head_hash(read.id, read.head_version, read.head_commit);
    damage.head |= differs("head_hash", head);
    read.damage = damage;
    Ok(read)
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
    let row = new.row();
    Statement::with(
        "INSERT INTO documents (id, kind, title, title_folded, description, description_folded, \
         created_by, last_modified_by, head_version, head_commit, live_seq, lineage, lineage_seq, \
         forgotten_seq, meta_rev, text_seq, content_hash, content_length, word_count, is_public, \
         is_template, render_format, request_key, request_hash, created_at, updated_at, deleted_at, \
         deleted_at_copy, details_hash, live_hash, text_hash, head_hash) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7, 0, NULL, $8, $9, $8, $8, $23, $8, $10, $11, $12, \
         $13, $14, $15, $16, $17, $18, $18, NULL, NULL, $19, $20, $21, $22)",
        args![
            row.id,
            row.kind.as_str(),
            row.details.title.as_str(),
            fold(&row.details.title),
            row.details.description.as_str(),
            fold(&row.details.description),
            row.created_by,
            row.live_seq,
            row.lineage,
            row.text.hash,
            row.text.length,
            row.text.words,
            row.details.is_public,
            row.details.is_template,
            row.details.render_format.map(RenderFormat::as_str),
            new.request.key,
            new.request.body_hash,
            row.created_at,
            row.details_hash(),
            row.live_hash(),
            text_hash(row.id, &row.text),
            head_hash(row.id, 0, None),
            row.meta_rev,
        ],
    )
}

/// Updates the details of a document, and what else their checksum covers.
pub(super) fn update(row: &DocumentRow) -> Statement {
    Statement::with(
        "UPDATE documents SET title = $2, title_folded = $3, description = $4, \
         description_folded = $5, is_public = $6, is_template = $7, render_format = $8, \
         deleted_at = $9, deleted_at_copy = $9, meta_rev = $10, details_hash = $11, kind = $12, \
         created_by = $13, created_at = $14, lineage = $15, lineage_seq = $16 WHERE id = $1",
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
            row.details_hash(),
            row.kind.as_str(),
            row.created_by,
            row.created_at,
            row.lineage,
            row.lineage_seq,
        ],
    )
}

/// Updates the newest seq, and when and by whom the document was last changed.
pub(super) fn update_live(row: &DocumentRow) -> Statement {
    Statement::with(
        "UPDATE documents SET live_seq = $2, updated_at = $3, last_modified_by = $4, \
         live_hash = $5 WHERE id = $1",
        args![row.id, row.live_seq, row.updated_at, row.last_modified_by, row.live_hash()],
    )
}

/// Prepares a row for [`update_live`] and [`update_text`]: if both are damaged, neither may be set
/// before the other, because a constraint compares them.
pub(super) fn reset_seqs(id: DocumentId, live_seq: u64) -> Statement {
    Statement::with(
        "UPDATE documents SET live_seq = $2, text_seq = 0 WHERE id = $1",
        args![id, live_seq],
    )
}

/// Updates the facts of the stored text.
pub(super) fn update_text(id: DocumentId, facts: &TextFacts) -> Statement {
    Statement::with(
        "UPDATE documents SET text_seq = $2, content_hash = $3, content_length = $4, \
         word_count = $5, text_hash = $6 WHERE id = $1",
        args![id, facts.seq, facts.hash, facts.length, facts.words, text_hash(id, facts)],
    )
}
