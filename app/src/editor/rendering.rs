//! A document's text as HTML, by its kind: the same in the server and in the preview.

use izanagi_shared::{
    markdown::{self, RenderOptions, Rendered},
    rules::DocumentKind,
};

/// Safe HTML of a text, and its headings where the kind has any.
#[must_use]
pub fn render_as(kind: DocumentKind, text: &str) -> Rendered {
    let plain = |html| Rendered { html, toc: Vec::new() };
    match kind {
        DocumentKind::Markdown => markdown::render(text, &RenderOptions::default()),
        DocumentKind::Text => plain(markdown::render_plain(text)),
        DocumentKind::Json => plain(markdown::render_json(text)),
    }
}
