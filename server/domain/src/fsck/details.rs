//! Repairs of rows: details, newest version, facts of versions, and owners of client ids. What follows
//! from something intact is set again; what does not is accepted only on request, because nothing can
//! tell whether it is right.

use super::{
    FaultKind, Findings, Fsck,
    live::{replay, unowned},
};
use crate::{
    error::{Error, Result},
    storage::{DocumentRow, ShortHash, StoreError, VersionRow},
};
use izanagi_shared::{
    id::DocumentId,
    rules::DocumentKind,
    text::diff,
    wire::{Details, RenderFormat},
};

const KINDS: [DocumentKind; 3] = [DocumentKind::Markdown, DocumentKind::Text, DocumentKind::Json];
const FORMATS: [Option<RenderFormat>; 3] =
    [None, Some(RenderFormat::Html), Some(RenderFormat::Markdown)];

impl Fsck {
    /// Restores the details of a document if few values are possible for what is damaged. Otherwise
    /// accepts them as they are if that is allowed, but does not publish the document.
    pub(super) async fn mend_details(
        &self,
        document: DocumentId,
        accept: bool,
    ) -> Result<Vec<String>> {
        let stores = &self.core.stores.relational;
        let row = stores.catalog.get(document).await?;
        if !row.damage.details {
            stores.mend.details(&row).await?;
            return Ok(vec!["folded its title and description again".to_owned()]);
        }
        let stored = stores.mend.details_hash(document).await?;
        if let Some(restored) = stored.and_then(|stored| restored(&row, stored)) {
            stores.mend.details(&restored).await?;
            return Ok(vec!["restored its details".to_owned()]);
        }
        if !accept {
            return Err(Error::internal(
                "which of its details are wrong cannot be told: look at title, description and \
                 trash, then accept them with --repair --restart",
            ));
        }
        let details = Details { is_public: false, ..row.details.clone() };
        let title = details.title.clone();
        // From the trash, a job or its owner could delete it for good.
        let accepted = DocumentRow { details, deleted_at: None, meta_rev: row.meta_rev + 1, ..row };
        stores.mend.details(&accepted).await?;
        tracing::error!(docId = %document, title = title.as_str(), "damaged details were accepted");
        Ok(vec![format!(
            "WARNING: accepted its details as they are, with the title “{title}”; it is not public \
             and not in the trash"
        )])
    }

    /// Sets the head to the newest version. If the head is intact, that version is lost, which needs
    /// `accept`.
    pub(super) async fn mend_head(
        &self,
        document: DocumentId,
        accept: bool,
    ) -> Result<Vec<String>> {
        let stores = &self.core.stores.relational;
        let row = stores.catalog.get(document).await?;
        let versions = self.versions_of(&row, &mut Findings::new(Some(document))).await?;
        let newest = versions.last();
        let number = newest.map_or(0, |version| version.number);
        let is_lost = !row.damage.head && row.head_version > number;
        if is_lost && !accept {
            let (lost, first) = (row.head_version - number, number + 1);
            return Err(Error::internal(format!(
                "the row of {lost} versions from {first} on is missing; restore a backup, or \
                 continue without them with --repair --restart"
            )));
        }
        let commit = newest.map(|version| version.commit_id);
        stores.mend.head(document, number, commit).await?;
        let warning = if is_lost { "WARNING: " } else { "" };
        Ok(vec![format!("{warning}set its newest version to {number}")])
    }

    /// Counts the facts of versions again. A name that does not match is accepted only on request.
    pub(super) async fn mend_versions(
        &self,
        document: DocumentId,
        accept: bool,
    ) -> Result<Vec<String>> {
        let row = self.core.stores.relational.catalog.get(document).await?;
        let versions = self.versions_of(&row, &mut Findings::new(Some(document))).await?;
        let (mut done, mut parent) = (Vec::new(), None);
        for version in &versions {
            if !version.has_intact_facts {
                let counted = self.counted(version, parent).await?;
                let is_restored = self.core.stores.relational.mend.version_hash(&counted).await?;
                if is_restored || accept {
                    self.core.stores.relational.mend.version(&counted).await?;
                    let warning = if is_restored { "" } else { "WARNING: accepted the name and " };
                    done.push(format!("{warning}counted version {} again", version.number));
                }
            }
            parent = Some(version);
        }
        Ok(done)
    }

    async fn counted(
        &self,
        version: &VersionRow,
        parent: Option<&VersionRow>,
    ) -> Result<VersionRow> {
        let after = self.versions.content_from_store(version).await?;
        let before = match parent {
            Some(parent) => self.versions.content_from_store(parent).await?,
            None => "".into(),
        };
        let length = after.len() as u64;
        let count = self.core.budget.run(move || diff::count_lines(&before, &after)).await?;
        let (added, removed) = (count.added as u64, count.removed as u64);
        Ok(VersionRow { length, added, removed, ..version.clone() })
    }

    /// Reserves client ids without an owner, so that nobody can write under them.
    pub(super) async fn reserve_clients(&self, document: DocumentId) -> Result<Vec<String>> {
        let stores = &self.core.stores.relational;
        let log = stores.log.load(document).await?;
        let lineage = replay(document, &log).map_err(Error::internal)?;
        let accounts = stores.inspect.accounts(document).await?;
        let clients = unowned(&lineage, &accounts);
        stores.mend.reserve_clients(document, &clients).await?;
        Ok(vec![format!("reserved {} client ids without an owner", clients.len())])
    }

    /// Whether the document has a fault of its versions, so that a content without a version may
    /// belong to one.
    pub(super) async fn lacks_versions(&self, document: DocumentId) -> Result<bool> {
        let row = self.core.stores.relational.catalog.get(document).await?;
        let mut found = Findings::new(Some(document));
        let versions = self.versions_of(&row, &mut found).await?;
        super::document::check_history(&row, &versions, &mut found);
        let kinds = [FaultKind::Row, FaultKind::Head, FaultKind::VersionHole];
        if found.faults.iter().any(|fault| kinds.contains(&fault.kind)) {
            return Ok(true);
        }
        for version in &versions {
            // What cannot be read may depend on any content, and a delta does on its base.
            let base = match self.versions.form(version).await {
                Ok(form) => form.base,
                Err(StoreError::NotFound | StoreError::Corrupt(_)) => return Ok(true),
                Err(error) => return Err(error.into()),
            };
            if base.is_some_and(|base| !versions.iter().any(|known| known.commit_id == base)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Returns the row whose details have this checksum, if one of its fields with few values is damaged.
fn restored(row: &DocumentRow, stored: ShortHash) -> Option<DocumentRow> {
    for kind in KINDS {
        for format in FORMATS {
            for flags in 0..4 {
                let mut tried = row.clone();
                tried.kind = kind;
                tried.details.render_format = format;
                tried.details.is_public = flags & 1 != 0;
                tried.details.is_template = flags & 2 != 0;
                if tried.details_hash() == stored {
                    return Some(tried);
                }
            }
        }
    }
    None
}
