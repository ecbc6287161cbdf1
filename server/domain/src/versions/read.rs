//! Listing and reading versions (PRODUCT V3).

use super::Versions;
use crate::{
    documents::{Editor, HistoryReader, in_range},
    error::{Error, Result},
    live::LiveText,
    storage::{Freshness, Topic, VersionFilter, VersionRow},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use izanagi_shared::{
    id::DocumentId,
    json::JsonText,
    problem::FieldError,
    rules::{DocumentKind, VersionName},
    wire::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, Page, StoredAs, VersionView},
};
use std::sync::Arc;

/// Filter and page of a list of versions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VersionQuery {
    /// Only named versions.
    pub named: bool,
    /// Page number, from 1.
    pub page: Option<u32>,
    /// Rows per page.
    pub page_size: Option<u32>,
    /// Only versions with smaller numbers; takes precedence over `page`.
    pub cursor: Option<String>,
}

impl Versions {
    /// Returns the versions of a document, newest first.
    ///
    /// # Errors
    /// `Invalid` if a page, size or cursor is out of range.
    pub async fn list(
        &self,
        reader: &HistoryReader,
        query: &VersionQuery,
    ) -> Result<Page<VersionView>> {
        let page_size = in_range("pageSize", query.page_size, DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)?;
        let page = in_range("page", query.page, 1, 1_000_000)?;
        let document = reader.id();
        let below = query.cursor.as_deref().map(|text| read_cursor(text, document)).transpose()?;
        let page = if below.is_some() { 1 } else { page };
        let filter = VersionFilter {
            document_id: document,
            below,
            offset: u64::from(page - 1) * u64::from(page_size),
            // One extra row shows whether there is another page.
            limit: page_size + 1,
            named: query.named,
            freshness: Freshness::Stale,
        };
        let (mut rows, total) = self.core.stores.relational.versions.list(&filter).await?;
        let more = rows.len() > page_size as usize;
        rows.truncate(page_size as usize);
        let next_cursor =
            rows.last().filter(|_| more).map(|row| write_cursor(document, row.number));
        let items = rows.into_iter().map(view).collect();
        Ok(Page { items, page, page_size, total, next_cursor })
    }

    /// Returns a version with its content.
    ///
    /// # Errors
    /// `NotFound`; `CorruptVersion`; unverified bytes are never returned.
    pub async fn get(&self, reader: &HistoryReader, number: u64) -> Result<VersionView> {
        let row = self.shown(reader, number).await?;
        let _reserved = self.core.budget.work(bytes_to_read(&row)).await?;
        let content = self.content(&row).await?;
        let mut view = view(row);
        if reader.row().kind == DocumentKind::Json {
            view.json = JsonText::parse(&content);
        }
        view.content = Some(content.to_string());
        Ok(view)
    }

    /// Returns a version without its content.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn describe(&self, reader: &HistoryReader, number: u64) -> Result<VersionView> {
        self.shown(reader, number).await.map(view)
    }

    /// Checks that a version exists.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn require(&self, reader: &HistoryReader, number: u64) -> Result<()> {
        self.shown(reader, number).await.map(drop)
    }

    /// Returns only the content of a version.
    ///
    /// # Errors
    /// As [`Versions::get`].
    pub async fn text(&self, reader: &HistoryReader, number: u64) -> Result<Arc<str>> {
        let row = self.shown(reader, number).await?;
        let _reserved = self.core.budget.work(bytes_to_read(&row)).await?;
        self.content(&row).await
    }

    /// Returns the text of a version with its facts.
    ///
    /// # Errors
    /// As [`Versions::get`].
    pub async fn live_text(&self, reader: &HistoryReader, number: u64) -> Result<LiveText> {
        let content = self.text(reader, number).await?;
        self.core.budget.run_on(content.len(), move || LiveText::new(content, 0)).await
    }

    /// Sets or removes the name of a version.
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
        let now = self.core.clock.now();
        let named =
            self.core.stores.relational.versions.set_name(editor.id(), number, name, now).await;
        let row = named.map_err(Error::missing("version"))?;
        self.core.wake.up(Topic::MakeWhole);
        Ok(view(row))
    }

    /// Returns a version for display; may be stale.
    async fn shown(&self, reader: &HistoryReader, number: u64) -> Result<VersionRow> {
        let row =
            self.core.stores.relational.versions.get(Freshness::Stale, reader.id(), number).await;
        row.map_err(Error::missing("version"))
    }

    /// Returns a version for decisions and writes; always fresh.
    pub(super) async fn row(&self, document: DocumentId, number: u64) -> Result<VersionRow> {
        self.core
            .stores
            .relational
            .versions
            .get(Freshness::Fresh, document, number)
            .await
            .map_err(Error::missing("version"))
    }
}

/// Peak memory of reading a version, in bytes: the texts along its deltas and the response, which
/// for JSON includes the parsed value.
fn bytes_to_read(row: &VersionRow) -> usize {
    usize::try_from(row.length).unwrap_or(usize::MAX).saturating_mul(6)
}

/// An opaque cursor: the document and the version number below which the list continues.
fn write_cursor(document: DocumentId, number: u64) -> String {
    URL_SAFE_NO_PAD.encode(format!("{document}\n{number}"))
}

fn parse_cursor(text: &str, document: DocumentId) -> Option<u64> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    let (of, number) = text.split_once('\n')?;
    (of == document.to_string()).then_some(())?;
    number.parse().ok().filter(|number| *number > 0)
}

fn read_cursor(text: &str, document: DocumentId) -> Result<u64> {
    parse_cursor(text, document).ok_or_else(|| {
        let message = "This cursor does not belong to this list. Start again without it.";
        Error::from(FieldError::new("cursor", "invalid", message))
    })
}

/// A version as defined in API.md, without content.
#[must_use]
pub(super) fn view(row: VersionRow) -> VersionView {
    let is_damaged = !row.is_intact();
    VersionView {
        document_id: row.document_id,
        number: row.number,
        message: row.note.message,
        title: row.note.title,
        name: row.name,
        author: row.author,
        parent: row.number.checked_sub(1).filter(|parent| *parent > 0),
        commit_id: row.commit_id,
        hash: hex::encode(row.content_hash),
        chain_hash: hex::encode(row.chain_hash),
        is_damaged,
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
