//! Listing and reading versions (PRODUCT V3).

use super::Versions;
use crate::{
    documents::{Editor, Reader},
    error::{Error, Result},
    storage::{VersionFilter, VersionRow},
};
use izanagi_shared::{
    id::DocumentId,
    problem::FieldError,
    rules::{DocumentKind, VersionName},
    wire::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, Page, StoredAs, VersionView},
};
use std::sync::Arc;

/// Which versions to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VersionQuery {
    /// Only named ones.
    pub named: bool,
    /// Which page, from 1.
    pub page: Option<u32>,
    /// Rows a page.
    pub page_size: Option<u32>,
    /// The number below which to go on; wins over `page`.
    pub cursor: Option<String>,
}

impl Versions {
    /// The versions of a document, newest first.
    ///
    /// # Errors
    /// `Invalid` for a page, size or cursor out of range.
    pub async fn list(&self, reader: &Reader, query: &VersionQuery) -> Result<Page<VersionView>> {
        let page_size = query.page_size.unwrap_or(DEFAULT_PAGE_SIZE);
        if !(1..=MAX_PAGE_SIZE).contains(&page_size) {
            let message = format!("Use 1 to {MAX_PAGE_SIZE}; this is {page_size}.");
            return Err(FieldError::new("pageSize", "out_of_range", message).into());
        }
        let page = query.page.unwrap_or(1);
        if !(1..=1_000_000).contains(&page) {
            let message = format!("Use 1 to 1000000; this is {page}.");
            return Err(FieldError::new("page", "out_of_range", message).into());
        }
        let below = query.cursor.as_deref().map(read_cursor).transpose()?;
        let filter = VersionFilter {
            document_id: reader.id(),
            below,
            offset: u64::from(page - 1) * u64::from(page_size),
            limit: page_size,
            named: query.named,
        };
        let (rows, total) = self.stores.versions.list(&filter).await?;
        let full = rows.len() == page_size as usize;
        let next_cursor =
            rows.last().filter(|row| full && row.number > 1).map(|row| row.number.to_string());
        let items = rows.into_iter().map(view).collect();
        let page = if below.is_some() { 1 } else { page };
        Ok(Page { items, page, page_size, total, next_cursor })
    }

    /// One version with its content.
    ///
    /// # Errors
    /// `NotFound`; `CorruptVersion`, never other bytes.
    pub async fn get(&self, reader: &Reader, number: u64) -> Result<VersionView> {
        let row = self.row(reader.id(), number).await?;
        let content = self.content(&row).await?;
        let mut view = view(row);
        if reader.row().kind == DocumentKind::Json && izanagi_shared::json::check(&content).is_ok()
        {
            view.json = serde_json::from_str(&content).ok();
        }
        view.content = Some(content.to_string());
        Ok(view)
    }

    /// The content alone.
    ///
    /// # Errors
    /// As [`Versions::get`].
    pub async fn text(&self, reader: &Reader, number: u64) -> Result<Arc<str>> {
        let row = self.row(reader.id(), number).await?;
        self.content(&row).await
    }

    /// Gives a version a name, or takes it.
    ///
    /// # Errors
    /// `NotFound`, `Invalid`.
    pub async fn name(
        &self,
        editor: &Editor,
        number: u64,
        name: Option<&str>,
    ) -> Result<VersionView> {
        let name = name.map(VersionName::parse).transpose()?;
        let name = name.as_ref().map(VersionName::as_str);
        let now = self.clock.now();
        let named = self.stores.versions.set_name(editor.id(), number, name, now).await;
        let row = named.map_err(Error::missing("version"))?;
        self.outbox_bell.notify_one();
        Ok(view(row))
    }

    pub(super) async fn row(&self, document: DocumentId, number: u64) -> Result<VersionRow> {
        self.stores.versions.get(document, number).await.map_err(Error::missing("version"))
    }
}

fn read_cursor(text: &str) -> Result<u64> {
    text.parse().ok().filter(|number| *number > 0).ok_or_else(|| {
        let message = "This cursor is not from this list. Start again without one.";
        Error::from(FieldError::new("cursor", "invalid", message))
    })
}

/// A version as API.md shows it, without content.
#[must_use]
pub(super) fn view(row: VersionRow) -> VersionView {
    VersionView {
        document_id: row.document_id,
        number: row.number,
        message: row.message,
        name: row.name,
        author: row.author,
        parent: row.number.checked_sub(1).filter(|parent| *parent > 0),
        commit_id: row.commit_id,
        hash: hex::encode(row.content_hash),
        chain_hash: hex::encode(row.chain_hash),
        length: row.length,
        added: row.added,
        removed: row.removed,
        stored_as: if row.is_delta { StoredAs::Delta } else { StoredAs::Snapshot },
        created_at: row.created_at,
        content: None,
        json: None,
    }
}

impl From<VersionRow> for VersionView {
    fn from(row: VersionRow) -> Self {
        view(row)
    }
}
