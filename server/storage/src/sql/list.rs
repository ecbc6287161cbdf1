//! Queries for document lists (PRODUCT D5).

use super::{document_row, statement::Statement};
use izanagi_domain::storage::{Cursor, CursorKey, DocumentFilter};
use izanagi_shared::{id::DocumentId, wire::DocumentSort};

/// Longer than any description, so a longer word never matches. SQLite rejects patterns of 50,000
/// bytes.
const MAX_WORD: usize = 16_000;

/// Counts the matching documents.
pub(super) fn count(filter: &DocumentFilter) -> Statement {
    let mut query = Statement::new("SELECT COUNT(*) AS total");
    push_condition(&mut query, filter);
    query
}

/// Selects the requested page.
pub(super) fn page(filter: &DocumentFilter) -> Statement {
    let mut query = Statement::new("SELECT ");
    query.push(document_row::COLUMNS);
    push_condition(&mut query, filter);
    let (column, direction) = match filter.sort {
        DocumentSort::Updated => ("d.updated_at", "DESC"),
        DocumentSort::Created => ("d.created_at", "DESC"),
        DocumentSort::Title => ("d.title_folded", "ASC"),
    };
    if let Some(Cursor { key, id }) = &filter.cursor {
        let beyond = if direction == "ASC" { " > " } else { " < " };
        query.push(&format!(" AND ({column}, d.id){beyond}("));
        match key {
            CursorKey::Micros(micros) => query.push_arg(*micros),
            CursorKey::Text(text) => query.push_arg(text.as_str()),
        };
        query.push(", ").push_arg(DocumentId(*id)).push(")");
    }
    query.push(&format!(" ORDER BY {column} {direction}, d.id {direction} LIMIT "));
    query.push_arg(filter.limit);
    if filter.cursor.is_none() {
        query.push(" OFFSET ").push_arg(filter.offset);
    }
    query
}

fn push_condition(query: &mut Statement, filter: &DocumentFilter) {
    query
        .push(" FROM document_owners v JOIN documents d ON d.id = v.document_id WHERE v.user_id = ")
        .push_arg(filter.visible_to);
    if let Some(owner) = filter.owner {
        query
            .push(
                " AND EXISTS (SELECT 1 FROM document_owners o \
                 WHERE o.document_id = d.id AND o.user_id = ",
            )
            .push_arg(owner)
            .push(")");
    }
    match filter.trashed {
        Some(true) => query.push(" AND d.deleted_at IS NOT NULL"),
        Some(false) => query.push(" AND d.deleted_at IS NULL"),
        None => query,
    };
    for word in &filter.words {
        if word.len() > MAX_WORD {
            query.push(" AND 1 = 0");
            continue;
        }
        let pattern = like_pattern(&document_row::fold(word));
        query
            .push(" AND (d.title_folded LIKE ")
            .push_arg(pattern.as_str())
            .push(" ESCAPE '\\' OR d.description_folded LIKE ")
            .push_arg(pattern.as_str())
            .push(" ESCAPE '\\')");
    }
}

/// LIKE pattern for texts that contain this word, with wildcards escaped.
fn like_pattern(word: &str) -> String {
    let mut pattern = String::with_capacity(word.len() + 2);
    pattern.push('%');
    for c in word.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::like_pattern;

    #[test]
    fn a_pattern_takes_every_character_for_itself() {
        assert_eq!(like_pattern(r"50%_a\b"), r"%50\%\_a\\b%");
    }
}
