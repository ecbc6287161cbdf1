//! Renders Markdown to safe HTML with a table of contents; used by both the server and the page
//! (PRODUCT R1 without math, R2).
//!
//! [`render`] supports CommonMark with GFM tables, task lists, footnotes and strikethrough. Its
//! output is built from an allow-list of parser events (DESIGN §7): raw HTML becomes visible text,
//! and link and image addresses are limited to four forms. Rendering takes linear time at any
//! nesting depth, and its output is bounded: [`Rendered::truncated`] says that the rest of a text is
//! not shown. Images of other hosts are replaced by links, so that reading a text tells nobody.
//!
//! # Elements for the style sheet
//! | selector | element |
//! |---|---|
//! | `a.heading-link` | empty link at the end of a heading, for pointer users (`::before { content: "#" }`) |
//! | `pre.code-block > code.language-x` | code block; `x` is the fence language in lower case; focusable, may scroll |
//! | `pre.plain-text > code` | a whole `text` document; wraps (`pre-wrap`) |
//! | `.tok-comment` `.tok-string` `.tok-number` `.tok-keyword` `.tok-constant` `.tok-type` `.tok-function` `.tok-variable` `.tok-attr` `.tok-tag` `.tok-meta` `.tok-inserted` `.tok-deleted` | highlighted tokens |
//! | `div.table-scroll > table[dir]` | table that scrolls horizontally; focusable |
//! | `.align-left` `.align-center` `.align-right` | table cells |
//! | `input.task` | checkbox of a task, in `li` or in `li > p` |
//! | `p.raw-html`, `span.raw-html` | raw HTML, shown as text (`pre-wrap`) |
//! | `a.outside-image`, `span.outside-image` within a link, with `span.outside-host` | replaces an image of another host |
//! | `span.refused-link`, `span.refused-image` | link text or image alt text whose address is not allowed |
//! | `sup.footnote-ref`, `section.footnotes`, `a.footnote-back` | footnote reference, notes at the end, backlink |
//! | `nav.toc` | [`toc_html`] |
//!
//! Blocks have `dir="auto"`, so that each is laid out in the direction of its own text: paragraphs,
//! headings, tables, and the outermost list or quote, which takes it from its first paragraph. Code
//! has `dir="ltr"`.
//!
//! Ids start with `h-` (headings), `fn-` or `fnref-` (footnotes); the surrounding page must not use
//! these prefixes. With [`RenderOptions::source_lines`], blocks have a `data-line` attribute.

mod address;
mod anchor;
mod code;
mod escape;
mod groups;
pub mod highlight;
mod limit;
mod memory;
mod nesting;
mod parts;
mod standalone;
mod strike;
mod text;
mod toc;
mod writer;

use crate::text::without_mark;
use pulldown_cmark::Options;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

pub use code::{render_json, render_plain};
pub use escape::escape_text;
pub use groups::{Piece, divided, grouped};
pub use memory::peak_bytes;
pub use parts::{Parts, Place};
pub use standalone::{StandaloneOptions, TRUNCATED, standalone_html};
pub use text::{Counts, counts, plain_text};
pub use toc::{TocEntry, toc_html};

/// Markdown extensions enabled on top of CommonMark.
const SYNTAX: Options = Options::ENABLE_TABLES
    .union(Options::ENABLE_FOOTNOTES)
    .union(Options::ENABLE_STRIKETHROUGH)
    .union(Options::ENABLE_TASKLISTS);

/// Options for [`render`].
#[derive(Clone, Debug)]
pub struct RenderOptions {
    /// Ends each heading with a link to itself.
    pub heading_links: bool,
    /// Adds the source line of each block, starting at 1, as `data-line`, so that editor and
    /// preview can scroll together.
    pub source_lines: bool,
    /// Loads images of other hosts. Otherwise a link with the host's name replaces each.
    pub outside_images: bool,
    /// Texts added by the renderer.
    pub labels: Labels,
}

impl Default for RenderOptions {
    fn default() -> Self {
        Self {
            heading_links: true,
            source_lines: false,
            outside_images: false,
            labels: Labels::ENGLISH,
        }
    }
}

/// Texts for screen readers, in the reader's language.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Labels {
    /// Label of a table; its number is appended.
    pub table: Cow<'static, str>,
    /// Label of the checkbox of a completed task.
    pub task_done: Cow<'static, str>,
    /// Label of the checkbox of an open task.
    pub task_open: Cow<'static, str>,
    /// Label of the list of footnotes.
    pub footnotes: Cow<'static, str>,
    /// Label of the link from a note back to its reference; the number is appended.
    pub footnote_back: Cow<'static, str>,
}

impl Labels {
    /// The labels in English.
    pub const ENGLISH: Self = Self {
        table: Cow::Borrowed("Table"),
        task_done: Cow::Borrowed("Done"),
        task_open: Cow::Borrowed("To do"),
        footnotes: Cow::Borrowed("Footnotes"),
        footnote_back: Cow::Borrowed("Back to reference"),
    };
}

/// A rendered document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendered {
    /// Safe, balanced HTML that can be placed in any block element of a page. It contains only the
    /// elements listed in the [module documentation](self).
    pub html: String,
    /// Headings in source order.
    pub toc: Vec<TocEntry>,
    /// Whether the rest of the text is missing, because there is too much of it to show.
    pub truncated: bool,
    /// Whether images of other hosts were replaced by links.
    pub has_outside_images: bool,
}

/// Renders a Markdown document. Never fails: every text is valid Markdown.
#[must_use]
pub fn render(source: &str, options: &RenderOptions) -> Rendered {
    let source = without_mark(source);
    let part = limit::within_markup(source);
    let mut rendered = writer::write_document(&nesting::limit_nesting(part), options);
    rendered.truncated |= part.len() < source.len();
    rendered
}
