//! Edit history: the timeline's page, and restoring a moment.

use crate::{catalogue::timeline as t, error::AppError, flash::Notice};
use izanagi_shared::{
    id::DocumentId,
    permission::Standing,
    wire::{DocumentView, EditSessionView},
};
use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

/// A document's history, without its edits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DocumentHistory {
    /// Metadata of the document.
    pub(crate) document: DocumentView,
    /// What the caller may do with it.
    pub(crate) standing: Standing,
    /// Sequence number of the oldest edit that is kept.
    pub(crate) first: u64,
    /// Sequence number of the newest edit.
    pub(crate) live: u64,
    /// The edit after which the text is shown.
    pub(crate) at: u64,
    /// The text after it, or the beginning of it.
    pub(crate) text: String,
    /// Whether it is only the beginning.
    pub(crate) is_cut: bool,
    /// Some editing sessions, the newest first.
    pub(crate) sessions: Vec<EditSessionView>,
    /// `before` of the sessions that precede them, if there are any.
    pub(crate) earlier: Option<u64>,
}

/// Returns a document's history: the text after edit `at`, or now, and the sessions before edit
/// `before`, or the newest. If `at` is out of range, the nearest edit takes its place.
///
/// # Errors
/// `unauthenticated`, `not_found`, `forbidden`, `trashed`; `invalid` for `before` out of range.
#[server(endpoint = "edits/history", input = GetUrl)]
pub(crate) async fn read_edits(
    id: DocumentId,
    at: Option<u64>,
    before: Option<u64>,
) -> Result<DocumentHistory, AppError> {
    use crate::ssr::{caller, page_context};
    let services = page_context()?.services;
    let editor = services.documents.for_editor(&caller(), id).await?;
    let document = services.documents.view(&editor).await?;
    let (first, live) = services.edits.range(&editor).await?;
    let at = at.map(|at| at.max(first.saturating_sub(1)));
    let text = match at.filter(|at| *at < live) {
        Some(at) => services.edits.text_at(&editor, at).await?,
        None => services.documents.text(&editor).await?.content.to_string(),
    };
    let (sessions, earlier) = services.edits.newest_sittings(&editor, before).await?;
    let (text, is_cut) = beginning(text);
    let (standing, at) = (editor.standing(), at.unwrap_or(live).min(live));
    Ok(DocumentHistory { document, standing, first, live, at, text, is_cut, sessions, earlier })
}

/// How much of a text the page has. In bytes.
const SHOWN: usize = 256 * 1024;

fn beginning(mut text: String) -> (String, bool) {
    let is_cut = text.len() > SHOWN;
    text.truncate(text.floor_char_boundary(SHOWN));
    (text, is_cut)
}

/// Restores the live text to what it was after an edit.
///
/// # Errors
/// `unauthenticated`, `not_found`, `forbidden`, `trashed`, `nothing_to_commit`; `invalid` for an edit
/// out of range.
#[server(endpoint = "edits/restore")]
pub(crate) async fn restore_edit(id: DocumentId, seq: u64) -> Result<Notice, AppError> {
    use crate::{
        ssr::{caller, lead_to, page_context},
        words::grouped,
    };
    use izanagi_domain::documents::RequestKey;
    let services = page_context()?.services;
    let editor = services.documents.for_editor(&caller(), id).await?;
    let version = services.versions.restore_edit(&editor, seq, None, RequestKey::none()).await?;
    let (number, before) = (version.number.to_string(), version.number.saturating_sub(1));
    // The page then shows the present text, which is the restored one.
    lead_to(&format!("/documents/{id}/timeline"));
    let notice = Notice::new(t::restored(&grouped(seq), &number, &before.to_string()));
    Ok(notice.with_link(format!("/documents/{id}")))
}
