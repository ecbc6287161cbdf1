//! Documents as defined in API.md.

use super::{Documents, Reader};
use crate::{
    error::{Error, Result},
    live::LiveText,
    storage::{DocumentRow, Freshness, StoreError, TextFacts, VersionFilter},
};
use izanagi_shared::wire::{DocumentView, Person};
use std::{borrow::Cow, collections::HashMap};

/// `<hex SHA-256 of the content>-<metadata revision>`.
#[must_use]
pub fn etag(hash: &[u8; 32], meta_rev: u64) -> String {
    format!("{}-{meta_rev}", hex::encode(hash))
}

impl Documents {
    /// Returns a document with its live text.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn view_with_content(&self, reader: &Reader) -> Result<DocumentView> {
        let text = self.text(reader).await?;
        let mut view = self.one(reader.row(), &text.facts).await?;
        view.content = Some(text.content.to_string());
        Ok(view)
    }

    /// Returns the current etag without reading the text.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn etag(&self, reader: &Reader) -> Result<String> {
        let facts = self.facts(reader.row()).await?;
        Ok(etag(&facts.hash, reader.row().meta_rev))
    }

    /// Returns a document without its text.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn view(&self, reader: &Reader) -> Result<DocumentView> {
        let facts = self.facts(reader.row()).await?;
        self.one(reader.row(), &facts).await
    }

    /// Returns the document after a change; with content if `text` is given.
    pub(super) async fn reread(
        &self,
        reader: &Reader,
        text: Option<LiveText>,
    ) -> Result<DocumentView> {
        let row = self.core.stores.relational.catalog.get(reader.id()).await;
        let row = row.map_err(Error::missing("document"))?;
        let facts = match &text {
            Some(text) => text.facts,
            None => self.facts(&row).await?,
        };
        let mut view = self.one(&row, &facts).await?;
        view.content = text.map(|text| text.content.to_string());
        Ok(view)
    }

    async fn one(&self, row: &DocumentRow, facts: &TextFacts) -> Result<DocumentView> {
        let row = &self.with_head(row).await?;
        let owners = self.core.stores.relational.owners.list(&[row.id]).await?;
        Ok(view(row, facts, owners.into_iter().map(|(_, person)| person).collect()))
    }

    /// Returns several documents without their texts, in order.
    pub(super) async fn many(&self, rows: &[DocumentRow]) -> Result<Vec<DocumentView>> {
        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        let mut owners: HashMap<_, Vec<Person>> = HashMap::new();
        for (id, person) in self.core.stores.relational.owners.list(&ids).await? {
            owners.entry(id).or_default().push(person);
        }
        let mut views = Vec::with_capacity(rows.len());
        for row in rows {
            // One unreadable document must not hide the others.
            let facts = self.facts(row).await.unwrap_or_else(|error| {
                tracing::error!(docId = %row.id, ?error, "a listed document cannot be read");
                row.text
            });
            let row = &self.with_head(row).await?;
            views.push(view(row, &facts, owners.remove(&row.id).unwrap_or_default()));
        }
        Ok(views)
    }

    /// Returns the row with its newest version; if the row's is damaged, the versions tell.
    async fn with_head<'a>(&self, row: &'a DocumentRow) -> Result<Cow<'a, DocumentRow>> {
        if !row.damage.head {
            return Ok(Cow::Borrowed(row));
        }
        let newest = VersionFilter {
            document_id: row.id,
            below: None,
            offset: 0,
            limit: 1,
            named: false,
            freshness: Freshness::Fresh,
        };
        let (newest, _) = match self.core.stores.relational.versions.list(&newest).await {
            // One unreadable document must not hide the others.
            Err(StoreError::Corrupt(_)) => return Ok(Cow::Borrowed(row)),
            newest => newest?,
        };
        let head_version = newest.first().map_or(0, |version| version.number);
        Ok(Cow::Owned(DocumentRow { head_version, ..row.clone() }))
    }

    /// Returns the facts of the live text, from the row if it is up to date.
    async fn facts(&self, row: &DocumentRow) -> Result<TextFacts> {
        if self.is_settled(row) {
            return Ok(row.text);
        }
        Ok(self.text_of(row).await?.facts)
    }
}

fn view(row: &DocumentRow, facts: &TextFacts, owners: Vec<Person>) -> DocumentView {
    let details = row.details.clone();
    DocumentView {
        id: row.id,
        workspace_id: None,
        kind: row.kind,
        title: details.title,
        description: details.description,
        content: None,
        etag: etag(&facts.hash, row.meta_rev),
        content_length: facts.length,
        word_count: facts.words,
        head_version: row.head_version,
        live_seq: row.live_seq.max(facts.seq),
        is_damaged: row.damage.any(),
        tags: Vec::new(),
        owners,
        is_public: details.is_public,
        is_template: details.is_template,
        render_format: details.render_format,
        created_by: row.created_by,
        last_modified_by: row.last_modified_by,
        created_at: row.created_at,
        updated_at: row.updated_at,
        deleted_at: row.deleted_at,
    }
}
