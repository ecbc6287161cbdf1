//! Documents as HTML (PRODUCT R1, R2) and as downloads (D8). They are rendered by the same code
//! as in the browser, checked against an allow-list, and cached by content hash.

use super::{Documents, Reader, sanitise};
use crate::{error::Result, live::LiveText};
use izanagi_shared::{
    markdown::{
        Labels, RenderOptions, Rendered, StandaloneOptions, peak_bytes, plain_text, render,
        render_json, render_plain, standalone_html, toc_html,
    },
    rules::DocumentKind,
};
use lru::LruCache;
use parking_lot::Mutex;
use std::{num::NonZeroUsize, sync::Arc};

/// Maximum number of cached renderings.
const KEPT: usize = 64;
/// Larger renderings are not cached.
const LARGEST_KEPT: usize = 1024 * 1024;

/// Hash of the text, its kind, the language of labels, and whether it has images of other hosts.
pub(super) type Key = ([u8; 32], DocumentKind, Labels, bool);

#[derive(Clone)]
pub(super) struct RenderCache(Arc<Mutex<LruCache<Key, Arc<Rendered>>>>);

impl Default for RenderCache {
    fn default() -> Self {
        let size = NonZeroUsize::new(KEPT).unwrap_or(NonZeroUsize::MIN);
        Self(Arc::new(Mutex::new(LruCache::new(size))))
    }
}

/// A download.
#[derive(Debug, Clone)]
pub struct Export {
    /// File name.
    pub file_name: String,
    /// Media type.
    pub media_type: &'static str,
    /// Content of the file.
    pub body: String,
}

impl Documents {
    /// Renders the live text as safe HTML with its table of contents. `labels` are in the language
    /// of the reader; `outside_images` lets it load images of other hosts.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn render(
        &self,
        reader: &Reader,
        labels: Labels,
        outside_images: bool,
    ) -> Result<Arc<Rendered>> {
        let _reserved = self.core.budget.work(loaded_bytes(reader.row().text.length)).await?;
        let text = self.text(reader).await?;
        self.render_text(reader.row().kind, &text, labels, outside_images).await
    }

    /// Renders any text of this kind as safe HTML, for example that of a version.
    ///
    /// # Errors
    /// `Overloaded`; `Internal` if the renderer panics.
    pub async fn render_text(
        &self,
        kind: DocumentKind,
        text: &LiveText,
        labels: Labels,
        outside_images: bool,
    ) -> Result<Arc<Rendered>> {
        let key = (text.facts.hash, kind, labels, outside_images);
        if let Some(rendered) = self.rendered.0.lock().get(&key) {
            return Ok(Arc::clone(rendered));
        }
        let _reserved = self.core.budget.work(peak_bytes(kind, &text.content)).await?;
        let place = self.shared_place(&key, text.content.len());
        let shared = match &place {
            // Without those of other nodes, it is rendered here.
            Some(place) => self.shared_rendering(place).await.ok().flatten().map(Arc::new),
            None => None,
        };
        let rendered = match shared {
            Some(shared) => shared,
            None => {
                let (content, labels) = (Arc::clone(&text.content), key.2.clone());
                let render =
                    move || Arc::new(render_safely(kind, &content, labels, outside_images));
                let bytes = text.content.len() * SLOWNESS;
                let rendered = self.core.budget.run_on(bytes, render).await?;
                if let Some(place) = &place {
                    self.share_rendering(place, &rendered).await;
                }
                rendered
            }
        };
        if rendered.html.len() <= LARGEST_KEPT {
            self.rendered.0.lock().put(key, Arc::clone(&rendered));
        }
        Ok(rendered)
    }

    /// Returns a text of the document as a file: its live text, or that of a version. `page` has the
    /// language of an HTML page, `labels` are those in its text.
    ///
    /// # Errors
    /// `Overloaded`; `Internal` if the renderer panics.
    pub async fn export(
        &self,
        reader: &Reader,
        text: &LiveText,
        format: FileFormat,
        page: StandaloneOptions<'static>,
        labels: Labels,
    ) -> Result<Export> {
        let (kind, title) = (reader.row().kind, reader.row().details.title.clone());
        let _reserved = self.core.budget.work(peak_bytes(kind, &text.content)).await?;
        let content = Arc::clone(&text.content);
        let body = match format {
            FileFormat::Text if kind == DocumentKind::Markdown => {
                let bytes = content.len() * SLOWNESS;
                self.core.budget.run_on(bytes, move || plain_text(&content)).await?
            }
            FileFormat::Own | FileFormat::Markdown | FileFormat::Text => content.to_string(),
            FileFormat::Html => {
                let rendered = self.render_text(kind, text, labels, true).await?;
                let title = title.clone();
                let write = move || write_page(&title, &rendered, page);
                self.core.budget.run_on(content.len(), write).await?
            }
        };
        let (extension, media_type) = match format {
            FileFormat::Own => (kind.extension(), kind.media_type()),
            FileFormat::Markdown => ("md", DocumentKind::Markdown.media_type()),
            FileFormat::Text => ("txt", DocumentKind::Text.media_type()),
            FileFormat::Html => ("html", "text/html; charset=utf-8"),
        };
        Ok(Export { file_name: file_name(&title, extension), media_type, body })
    }
}

/// Format of a file with a document's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFormat {
    /// The text itself, as the document's kind.
    Own,
    /// The text itself, as Markdown.
    Markdown,
    /// The text without markup.
    Text,
    /// A complete HTML page.
    Html,
}

/// Returns the name of a file with a document's text.
#[must_use]
pub fn file_name(title: &str, extension: &str) -> String {
    format!("{}.{extension}", file_stem(title))
}

/// Cost of rendering relative to most work on the same number of bytes.
const SLOWNESS: usize = 8;

/// Memory of loading a text of this length, in bytes, and of rendering it if it has hardly any
/// markup. What its markup takes is known once it is loaded.
fn loaded_bytes(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX).saturating_mul(10)
}

fn render_safely(
    kind: DocumentKind,
    content: &str,
    labels: Labels,
    outside_images: bool,
) -> Rendered {
    let rendered = match kind {
        DocumentKind::Markdown => {
            let options = RenderOptions { labels, outside_images, ..RenderOptions::default() };
            render(content, &options)
        }
        DocumentKind::Text => render_plain(content),
        DocumentKind::Json => render_json(content),
    };
    if sanitise::is_allowed(&rendered.html, outside_images) {
        return rendered;
    }
    tracing::error!(?kind, "rendered HTML is not on the allow-list; the text is shown as it is");
    render_plain(content)
}

/// Writes an HTML page with a checked table of contents. Nothing outside the file protects who opens
/// it, and the rest is fixed markup and escaped text.
fn write_page(title: &str, rendered: &Rendered, mut page: StandaloneOptions<'static>) -> String {
    page.toc = page.toc.filter(|label| {
        let is_allowed = sanitise::is_allowed(&toc_html(&rendered.toc, label), false);
        if !is_allowed {
            tracing::error!("the table of contents is not on the allow-list; it is left out");
        }
        is_allowed
    });
    standalone_html(title, rendered, &page)
}

/// Turns a title into a file name that is valid on every system.
fn file_stem(title: &str) -> String {
    let plain = |c: char| if c.is_control() || "/\\:*?\"<>|".contains(c) { '-' } else { c };
    let stem: String = title.chars().map(plain).take(100).collect();
    let stem = stem.trim().trim_matches('.');
    if stem.is_empty() { "document".to_owned() } else { stem.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_becomes_a_file_name() {
        assert_eq!(file_stem("Plan: a/b?"), "Plan- a-b-");
        assert_eq!(file_stem(".."), "document");
    }
}
