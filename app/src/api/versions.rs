//! Versions: committing, listing, reading, naming, restoring, comparing.

use crate::{catalogue::version as t, error::AppError, flash::Notice};
use izanagi_shared::{
    id::DocumentId,
    markdown::Rendered,
    permission::Standing,
    text::diff::Hunk,
    wire::{DocumentView, Page, VersionView},
};
use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

/// The versions of a document, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct History {
    /// Metadata of the document.
    pub(crate) document: DocumentView,
    /// What the caller may do with it.
    pub(crate) standing: Standing,
    /// Whether the live text differs from the newest version. Set only on the first page.
    pub(crate) is_changed: bool,
    /// One page of its versions.
    pub(crate) versions: Page<VersionView>,
}

/// A version for reading.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReadableVersion {
    /// Metadata of the document.
    pub(crate) document: DocumentView,
    /// What the caller may do with it.
    pub(crate) standing: Standing,
    /// Metadata of the version.
    pub(crate) version: VersionView,
    /// The text as safe HTML, and its headings.
    pub(crate) rendered: Rendered,
}

/// A comparison of two texts of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ComparedVersions {
    /// Metadata of the document.
    pub(crate) document: DocumentView,
    /// The differences.
    pub(crate) comparison: Comparison,
}

/// One page of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Comparison {
    /// Lines added, on all pages.
    pub(crate) added: usize,
    /// Lines removed, on all pages.
    pub(crate) removed: usize,
    /// Whether the texts are the same apart from `\r`, `\n` and `\r\n` at the ends of lines.
    pub(crate) only_line_ends: bool,
    /// Whether some changes were compared only coarsely.
    pub(crate) is_coarse: bool,
    /// Whether some lines are shortened.
    pub(crate) is_shortened: bool,
    /// Whether there are more lines than a comparison can show.
    pub(crate) is_truncated: bool,
    /// Number of changes on all pages.
    pub(crate) changes: usize,
    /// Number of this page, from 1.
    pub(crate) page: usize,
    /// Number of pages.
    pub(crate) pages: usize,
    /// Page on which the change before this page's first starts; 1 if there is none.
    pub(crate) page_before: usize,
    /// Page on which the change after this page's last starts; 1 if there is none.
    pub(crate) page_after: usize,
    /// Changes on this page.
    pub(crate) parts: Vec<Part>,
    /// On the last page: the unchanged lines after the last change.
    pub(crate) tail: Option<Fold>,
}

/// A change, or the part of it that fits on the page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Part {
    /// Unchanged lines before it, if it starts on this page.
    pub(crate) fold: Option<Fold>,
    /// Number of the change among all changes, from 1.
    pub(crate) number: usize,
    /// Lines of the change.
    pub(crate) hunk: Hunk,
}

/// Unchanged lines between hunks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Fold {
    /// Index among all unchanged parts, from 0.
    pub(crate) index: usize,
    /// Number of its first line in the old text, from 1.
    pub(crate) old_start: usize,
    /// Number of its first line in the new text, from 1.
    pub(crate) new_start: usize,
    /// Number of lines.
    pub(crate) count: usize,
    /// The lines, or the first of them; empty if there are too many to send by default.
    pub(crate) lines: Option<Vec<String>>,
}

/// Commits the live text.
///
/// # Errors
/// `unauthenticated`, `not_found`, `forbidden`, `trashed`, `nothing_to_commit`; `invalid` for the
/// message or the title.
#[server(endpoint = "versions/commit")]
pub(crate) async fn commit_version(
    id: DocumentId,
    message: String,
    title: Option<String>,
) -> Result<Notice, AppError> {
    use crate::ssr::{caller, page_context};
    use izanagi_domain::{documents::RequestKey, error::Error, versions::CommitInput};
    use izanagi_shared::wire::CommitRequest;
    let services = page_context()?.services;
    let editor = services.documents.for_editor(&caller(), id).await?;
    let request = CommitRequest { message: Some(message), title, ..CommitRequest::default() };
    let note = request.note().map_err(Error::Invalid)?;
    let input = CommitInput { note, content: None, key: RequestKey::none() };
    let version = services.versions.commit(&editor, input).await?;
    let notice = Notice::new(t::committed(&version.number.to_string()));
    Ok(notice.with_link(format!("/documents/{id}/versions/{}", version.number)))
}

/// Returns one page of a document's versions.
///
/// # Errors
/// `unauthenticated`, `not_found`, `forbidden`; `invalid` for a page out of range.
#[server(endpoint = "versions/list", input = GetUrl)]
pub(crate) async fn list_versions(id: DocumentId, page: u32) -> Result<History, AppError> {
    use crate::ssr::{caller, page_context};
    use izanagi_domain::versions::VersionQuery;
    let services = page_context()?.services;
    let reader = services.documents.for_history(&caller(), id).await?;
    let document = services.documents.view(&reader).await?;
    let query = VersionQuery { page: Some(page), ..VersionQuery::default() };
    let versions = services.versions.list(&reader, &query).await?;
    let live_hash = document.etag.split('-').next();
    let head = versions.items.first();
    let is_changed = page == 1 && head.is_none_or(|head| Some(head.hash.as_str()) != live_hash);
    Ok(History { document, standing: reader.standing(), is_changed, versions })
}

/// Returns a version as safe HTML, or as source if `plain` is set.
///
/// # Errors
/// `unauthenticated`, `not_found`, `forbidden`, `corrupt_version`.
#[server(endpoint = "versions/read", input = GetUrl)]
pub(crate) async fn read_version(
    id: DocumentId,
    number: u64,
    plain: bool,
    images: bool,
) -> Result<ReadableVersion, AppError> {
    use crate::{
        ssr::{caller, page_context},
        words::markdown_labels,
    };
    use izanagi_shared::rules::DocumentKind;
    use std::sync::Arc;
    let labels = markdown_labels();
    let services = page_context()?.services;
    let reader = services.documents.for_history(&caller(), id).await?;
    let document = services.documents.view(&reader).await?;
    let version = services.versions.describe(&reader, number).await?;
    let text = services.versions.live_text(&reader, number).await?;
    let kind = if plain { DocumentKind::Text } else { document.kind };
    let rendered = services.documents.render_text(kind, &text, labels, images).await?;
    let (standing, rendered) = (reader.standing(), Arc::unwrap_or_clone(rendered));
    Ok(ReadableVersion { document, standing, version, rendered })
}

/// Names a version; an empty name removes it.
///
/// # Errors
/// `unauthenticated`, `not_found`, `forbidden`, `trashed`; `invalid` for the name.
#[server(endpoint = "versions/name")]
pub(crate) async fn name_version(
    id: DocumentId,
    number: u64,
    name: String,
) -> Result<Notice, AppError> {
    use crate::ssr::{caller, page_context};
    let services = page_context()?.services;
    let editor = services.documents.for_editor(&caller(), id).await?;
    let name = Some(name.trim()).filter(|name| !name.is_empty());
    services.versions.name(&editor, number, name).await?;
    Ok(Notice::new(match name {
        Some(name) => t::named(&number.to_string(), name),
        None => t::name_removed(&number.to_string()),
    }))
}

/// Restores the live text from a version.
///
/// # Errors
/// `unauthenticated`, `not_found`, `forbidden`, `trashed`, `nothing_to_commit`,
/// `corrupt_version`.
#[server(endpoint = "versions/restore")]
pub(crate) async fn restore_version(id: DocumentId, number: u64) -> Result<Notice, AppError> {
    use crate::ssr::{caller, page_context};
    use izanagi_domain::documents::RequestKey;
    let services = page_context()?.services;
    let editor = services.documents.for_editor(&caller(), id).await?;
    let version = services.versions.restore(&editor, number, None, RequestKey::none()).await?;
    let notice = t::restored(&number.to_string(), &version.number.to_string());
    Ok(Notice::new(notice).with_link(format!("/documents/{id}")))
}

/// Compares two texts; each side is a version number or `live`. Returns one page of a long
/// comparison. `unfold` is the index of an unchanged part to include although it is long.
///
/// # Errors
/// `unauthenticated`, `not_found`, `forbidden`, `corrupt_version`; `invalid` for an invalid side.
#[server(endpoint = "versions/compare", input = GetUrl)]
pub(crate) async fn compare_versions(
    id: DocumentId,
    from: String,
    to: String,
    ignore_whitespace: bool,
    page: usize,
    unfold: Option<usize>,
) -> Result<ComparedVersions, AppError> {
    use crate::ssr::{caller, page_context, page_of};
    use izanagi_domain::error::Error;
    use izanagi_shared::text::diff::DiffOptions;
    let services = page_context()?.services;
    let reader = services.documents.for_history(&caller(), id).await?;
    let document = services.documents.view(&reader).await?;
    let (from, to) = (from.parse().map_err(Error::from)?, to.parse().map_err(Error::from)?);
    let options = DiffOptions { ignore_white_space: ignore_whitespace, ..DiffOptions::default() };
    let compared = services.versions.compare(&reader, from, to, options).await?;
    // Shortening long lines takes time.
    let comparison = move || page_of(compared.diff, &compared.old, &compared.new, page, unfold);
    let comparison = services.core.budget.run(comparison).await?;
    Ok(ComparedVersions { document, comparison })
}
