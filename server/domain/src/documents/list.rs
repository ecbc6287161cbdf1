//! Listing documents (PRODUCT D5).

use super::Documents;
use crate::{
    error::{Error, Result},
    principal::Principal,
    storage::{Cursor, CursorKey, DocumentFilter, DocumentRow},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use izanagi_shared::{
    id::UserId,
    permission::Scope,
    problem::FieldError,
    wire::{DEFAULT_PAGE_SIZE, DocumentSort, DocumentView, MAX_PAGE_SIZE, Page},
};
use uuid::Uuid;

/// Filters, order and page of a list.
#[derive(Debug, Clone, Default)]
pub struct ListQuery {
    /// Words that the title or description must contain.
    pub query: Option<String>,
    /// Only documents of this owner.
    pub owner: Option<UserId>,
    /// `None`: not in the trash; `Some(true)`: only in the trash.
    pub in_trash: Option<bool>,
    /// Lists documents both in and out of the trash.
    pub include_deleted: bool,
    /// Sort order.
    pub sort: DocumentSort,
    /// Page number, from 1.
    pub page: Option<u32>,
    /// Rows per page.
    pub page_size: Option<u32>,
    /// Cursor to continue from; takes precedence over `page`.
    pub cursor: Option<String>,
}

impl Documents {
    /// Returns the caller's matching documents.
    ///
    /// # Errors
    /// `Invalid` if a page, size, query or cursor is out of range.
    pub async fn list(&self, who: &Principal, query: &ListQuery) -> Result<Page<DocumentView>> {
        let user = who.require_user()?;
        who.require_scope(Scope::Read)?;
        let page_size = in_range("pageSize", query.page_size, DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)?;
        let page = in_range("page", query.page, 1, 1_000_000)?;
        let cursor =
            query.cursor.as_deref().map(|text| read_cursor(text, query.sort)).transpose()?;
        let page = if cursor.is_some() { 1 } else { page };
        let filter = DocumentFilter {
            visible_to: user,
            owner: query.owner,
            words: words(query.query.as_deref().unwrap_or_default())?,
            trashed: if query.include_deleted { None } else { Some(query.in_trash == Some(true)) },
            sort: query.sort,
            cursor,
            offset: u64::from(page - 1) * u64::from(page_size),
            // One extra row shows whether there is another page.
            limit: page_size + 1,
        };
        let (mut rows, total) = self.core.stores.relational.catalog.list(&filter).await?;
        let more = rows.len() > page_size as usize;
        rows.truncate(page_size as usize);
        let next_cursor = rows.last().filter(|_| more).map(|row| write_cursor(row, query.sort));
        let items = self.many(&rows).await?;
        Ok(Page { items, page, page_size, total, next_cursor })
    }
}

pub(crate) fn in_range(field: &str, given: Option<u32>, default: u32, max: u32) -> Result<u32> {
    match given.unwrap_or(default) {
        n if (1..=max).contains(&n) => Ok(n),
        n => {
            let message = format!("Use 1 to {max}; this is {n}.");
            Err(FieldError::new(field, "out_of_range", message).with(&max).into())
        }
    }
}

fn words(query: &str) -> Result<Vec<String>> {
    let refuse = |code, message| FieldError::new("query", code, message);
    if query.chars().count() > 200 {
        return Err(refuse("too_long", "Use at most 200 characters.").with(&200).into());
    }
    if query.contains('\0') {
        let message = "The character U+0000 is not allowed.";
        return Err(refuse("control_character", message).with(&"U+0000").into());
    }
    Ok(query.split_whitespace().map(str::to_lowercase).collect())
}

/// An opaque cursor: the sort order, the sort key of the last row, and its id.
fn write_cursor(row: &DocumentRow, sort: DocumentSort) -> String {
    let key = match sort {
        DocumentSort::Updated => row.updated_at.as_micros().to_string(),
        DocumentSort::Created => row.created_at.as_micros().to_string(),
        DocumentSort::Title => row.details.title.to_lowercase(),
    };
    URL_SAFE_NO_PAD.encode(format!("{}\n{}\n{key}", sort.as_str(), row.id))
}

fn read_cursor(text: &str, sort: DocumentSort) -> Result<Cursor> {
    parse_cursor(text, sort).ok_or_else(|| {
        let message = "This cursor does not belong to this list. Start again without it.";
        Error::from(FieldError::new("cursor", "invalid", message))
    })
}

fn parse_cursor(text: &str, sort: DocumentSort) -> Option<Cursor> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let mut parts = text.splitn(3, '\n');
    (parts.next()? == sort.as_str()).then_some(())?;
    let id = Uuid::try_parse(parts.next()?).ok()?;
    let key = parts.next()?;
    let key = match sort {
        DocumentSort::Updated | DocumentSort::Created => CursorKey::Micros(key.parse().ok()?),
        DocumentSort::Title if key.contains('\0') => return None,
        DocumentSort::Title => CursorKey::Text(key.to_owned()),
    };
    Some(Cursor { key, id })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_of_another_sort_is_refused() {
        let id = Uuid::from_u128(7);
        let text = URL_SAFE_NO_PAD.encode(format!("title\n{id}\nplan"));
        let cursor = read_cursor(&text, DocumentSort::Title).unwrap();
        assert_eq!(cursor, Cursor { key: CursorKey::Text("plan".into()), id });
        assert!(read_cursor(&text, DocumentSort::Updated).is_err());
        assert!(read_cursor("nonsense", DocumentSort::Title).is_err());
    }

    #[test]
    fn words_are_folded() {
        assert_eq!(words("  Big PLAN ").unwrap(), ["big", "plan"]);
        assert!(words(&"x".repeat(201)).is_err());
    }
}
