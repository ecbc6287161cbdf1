//! Documents: listing, opening, reading, and their metadata.

use crate::{catalogue::documents as t, error::AppError, flash::Notice};
use izanagi_shared::{
    id::{DocumentId, UserId},
    markdown::Rendered,
    permission::Standing,
    rules::DocumentKind,
    wire::{DocumentSort, DocumentView, Page},
};
use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

/// A document for the editor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OpenedDocument {
    /// Metadata.
    pub(crate) document: DocumentView,
    /// What the caller may do with it.
    pub(crate) standing: Standing,
    /// Its text.
    pub(crate) text: String,
    /// Revision of the metadata.
    pub(crate) revision: u64,
    /// The signed-in user, if any.
    pub(crate) user: Option<UserId>,
}

/// A document without its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DocumentDetails {
    /// Metadata.
    pub(crate) document: DocumentView,
    /// What the caller may do with it.
    pub(crate) standing: Standing,
}

/// A document for reading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReadableDocument {
    /// Metadata.
    pub(crate) document: DocumentView,
    /// What the caller may do with it.
    pub(crate) standing: Standing,
    /// The text as safe HTML, and its headings.
    pub(crate) rendered: Rendered,
}

/// Returns one page of the caller's documents, or of their trash.
///
/// # Errors
/// `unauthenticated`; `invalid` for a page or query out of range.
#[server(endpoint = "documents/list", input = GetUrl)]
pub(crate) async fn list_documents(
    query: String,
    sort: DocumentSort,
    page: u32,
    in_trash: bool,
) -> Result<Page<DocumentView>, AppError> {
    use crate::ssr::{caller, page_context};
    use izanagi_domain::documents::ListQuery;
    let query = ListQuery {
        query: Some(query),
        in_trash: Some(in_trash),
        sort,
        page: Some(page),
        ..ListQuery::default()
    };
    Ok(page_context()?.services.documents.list(&caller(), &query).await?)
}

/// Opens a document for the editor. This writes nothing (PRODUCT U5).
///
/// # Errors
/// `unauthenticated`, `not_found`.
#[server(endpoint = "documents/open", input = GetUrl)]
pub(crate) async fn open_document(id: DocumentId) -> Result<OpenedDocument, AppError> {
    use crate::ssr::{caller, page_context};
    let services = page_context()?.services;
    let documents = &services.documents;
    let caller = caller();
    let reader = documents.for_reader(&caller, id).await?;
    let document = documents.view(&reader).await?;
    // The page carries the text: escaped, and once more in the stream in which it is sent.
    let length = usize::try_from(reader.row().text.length).unwrap_or(usize::MAX);
    let _reserved = services.core.budget.work(length.saturating_mul(3)).await?;
    let text = documents.text(&reader).await?.content.to_string();
    let (standing, user, revision) = (reader.standing(), caller.user(), reader.row().meta_rev);
    Ok(OpenedDocument { document, standing, text, revision, user })
}

/// Returns a document as safe HTML. `images` lets it load images of other hosts.
///
/// # Errors
/// `unauthenticated`, `not_found`.
#[server(endpoint = "documents/read", input = GetUrl)]
pub(crate) async fn read_document(
    id: DocumentId,
    images: bool,
) -> Result<ReadableDocument, AppError> {
    use crate::{
        ssr::{caller, page_context},
        words::markdown_labels,
    };
    use std::sync::Arc;
    let services = page_context()?.services;
    let documents = &services.documents;
    let labels = markdown_labels();
    let reader = documents.for_reader(&caller(), id).await?;
    let document = documents.view(&reader).await?;
    let rendered = documents.render(&reader, labels, images).await?;
    let (standing, rendered) = (reader.standing(), Arc::unwrap_or_clone(rendered));
    Ok(ReadableDocument { document, standing, rendered })
}

/// Returns a document without its text.
///
/// # Errors
/// `unauthenticated`, `not_found`.
#[server(endpoint = "documents/details", input = GetUrl)]
pub(crate) async fn read_details(id: DocumentId) -> Result<DocumentDetails, AppError> {
    use crate::ssr::{caller, page_context};
    let services = page_context()?.services;
    let reader = services.documents.for_reader(&caller(), id).await?;
    let document = services.documents.view(&reader).await?;
    Ok(DocumentDetails { document, standing: reader.standing() })
}

/// Creates an empty document and redirects to it.
///
/// # Errors
/// `unauthenticated`; `invalid` for the title.
#[server(endpoint = "documents/create")]
pub(crate) async fn create_document(title: String, kind: DocumentKind) -> Result<Notice, AppError> {
    use crate::ssr::{caller, lead_to, page_context};
    use izanagi_domain::documents::RequestKey;
    use izanagi_shared::wire::CreateDocumentRequest;
    let request = CreateDocumentRequest { title, kind, ..CreateDocumentRequest::default() };
    let services = page_context()?.services;
    let documents = &services.documents;
    let document = documents.create(&caller(), request, RequestKey::none()).await?;
    lead_to(&format!("/documents/{}", document.id));
    Ok(Notice::new(t::created(&document.title)))
}

/// Changes a document's title and, if given, its `renderFormat`; `default` is the user's default.
/// Redirects to `back` if it is a path of this site.
///
/// # Errors
/// `unauthenticated`, `not_found`, `forbidden`, `trashed`; `invalid` for the title or the format.
#[server(endpoint = "documents/edit")]
pub(crate) async fn edit_details(
    id: DocumentId,
    title: String,
    #[server(rename = "renderFormat")] render_format: Option<String>,
    back: Option<String>,
) -> Result<Notice, AppError> {
    use crate::{own_path::own_path, ssr};
    use izanagi_domain::error::Error;
    use izanagi_shared::wire::PatchDocumentRequest;
    let services = ssr::page_context()?.services;
    let documents = &services.documents;
    let owner = documents.for_owner(&ssr::caller(), id).await?;
    let format = |text: String| (text != "default").then(|| text.parse()).transpose();
    let render_format = render_format.map(format).transpose().map_err(Error::from)?;
    let title = Some(title);
    let change = PatchDocumentRequest { title, render_format, ..PatchDocumentRequest::default() };
    let document = documents.change(&owner, &change).await?;
    if let Some(path) = back.as_deref().and_then(own_path) {
        ssr::lead_to(path);
    }
    let is_renamed = document.title != owner.row().details.title;
    let words = if is_renamed { t::renamed } else { t::saved };
    Ok(Notice::new(words(&document.title)))
}

/// Moves a document to the trash.
///
/// # Errors
/// `unauthenticated`, `not_found`, `forbidden`.
#[server(endpoint = "documents/trash")]
pub(crate) async fn trash_document(id: DocumentId) -> Result<Notice, AppError> {
    use crate::ssr::{caller, page_context};
    let services = page_context()?.services;
    let documents = &services.documents;
    let owner = documents.for_owner(&caller(), id).await?;
    documents.trash(&owner).await?;
    let notice = Notice::new(t::trashed(&owner.row().details.title));
    Ok(Notice { undo_trash: Some(id), ..notice })
}

/// Restores a document from the trash.
///
/// # Errors
/// `unauthenticated`, `not_found`, `forbidden`.
#[server(endpoint = "documents/restore")]
pub(crate) async fn restore_document(id: DocumentId) -> Result<Notice, AppError> {
    use crate::ssr::{caller, page_context};
    use izanagi_shared::wire::PatchDocumentRequest;
    let services = page_context()?.services;
    let documents = &services.documents;
    let owner = documents.for_owner(&caller(), id).await?;
    let change = PatchDocumentRequest { deleted: Some(false), ..PatchDocumentRequest::default() };
    let document = documents.change(&owner, &change).await?;
    let notice = Notice::new(t::restored(&document.title));
    Ok(notice.with_link(format!("/documents/{id}")))
}

/// Permanently deletes a document that is in the trash.
///
/// # Errors
/// `unauthenticated`, `not_found`, `forbidden`, `not_trashed`.
#[server(endpoint = "documents/purge")]
pub(crate) async fn purge_document(id: DocumentId) -> Result<Notice, AppError> {
    use crate::ssr::{caller, page_context};
    let services = page_context()?.services;
    let documents = &services.documents;
    let owner = documents.for_owner(&caller(), id).await?;
    documents.purge(&owner).await?;
    Ok(Notice::new(t::purged(&owner.row().details.title)))
}
