//! Renders a document's text as HTML by its format, identically in the server and in the preview.

use crate::words::markdown_labels;
use izanagi_shared::{
    markdown::{self, RenderOptions, Rendered},
    rules::DocumentKind,
};

/// Returns safe HTML of a text, and its headings if the format has any.
#[must_use]
pub fn render_as(kind: DocumentKind, text: &str) -> Rendered {
    let plain = |html| Rendered { html, toc: Vec::new() };
    match kind {
        DocumentKind::Markdown => {
            let labels = markdown_labels();
            markdown::render(text, &RenderOptions { labels, ..RenderOptions::default() })
        }
        DocumentKind::Text => plain(markdown::render_plain(text)),
        DocumentKind::Json => plain(markdown::render_json(text)),
    }
}
