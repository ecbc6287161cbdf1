//! Renders a document's text as HTML by its format, identically in the server and in the preview.

use crate::words::markdown_labels;
use izanagi_shared::{
    markdown::{self, RenderOptions, Rendered},
    rules::DocumentKind,
};

/// Returns safe HTML of a text, and its headings if the format has any. `outside_images` lets it
/// load images of other hosts.
#[must_use]
pub fn render_as(kind: DocumentKind, text: &str, outside_images: bool) -> Rendered {
    match kind {
        DocumentKind::Markdown => {
            let labels = markdown_labels();
            let options = RenderOptions { labels, outside_images, ..RenderOptions::default() };
            markdown::render(text, &options)
        }
        DocumentKind::Text => markdown::render_plain(text),
        DocumentKind::Json => markdown::render_json(text),
    }
}
