//! Markdown to safe HTML, with its table of contents; the same code in the server and in the page
//! (PRODUCT R1 without math, R2).
//!
//! [`render`] knows CommonMark with GFM tables, task lists, footnotes and strikethrough. What it
//! writes comes from one allow-list of events (DESIGN §7): raw HTML appears as visible text, an
//! address has one of four allowed forms or is left out, nothing else can get in. It takes time in
//! proportion to the source, however deep that is nested.
//!
//! # What a style sheet meets
//! | selector | what it is |
//! |---|---|
//! | `a.heading-link` | empty link at the end of a heading, for the pointer (`::before { content: "#" }`) |
//! | `pre.code-block > code.language-x` | code; `x` as behind the fence, in lower case; can be focused, may scroll |
//! | `pre.plain-text > code` | a whole `text` document; its lines are to wrap (`pre-wrap`) |
//! | `.tok-comment` `.tok-string` `.tok-number` `.tok-keyword` `.tok-constant` `.tok-type` `.tok-function` `.tok-variable` `.tok-attr` `.tok-tag` `.tok-meta` `.tok-inserted` `.tok-deleted` | spans in code |
//! | `div.table-scroll > table` | a table that scrolls by itself; can be focused |
//! | `.align-left` `.align-center` `.align-right` | cells |
//! | `input.task` | checkbox of a task, in `li` or in `li > p` |
//! | `p.raw-html`, `span.raw-html` | HTML that somebody wrote, shown as text (`pre-wrap`) |
//! | `span.refused-link`, `span.refused-image` | text of a link, description of an image, whose address is not allowed |
//! | `sup.footnote-ref`, `section.footnotes`, `a.footnote-back` | a reference, the notes at the end, the way back |
//! | `nav.toc` | [`toc_html`] |
//!
//! Ids begin with `h-` (headings), `fn-` and `fnref-` (footnotes); the page around uses none of
//! these. With [`RenderOptions::source_lines`] blocks carry `data-line`.

mod address;
mod anchor;
mod code;
mod escape;
pub mod highlight;
mod nesting;
mod standalone;
mod text;
mod toc;
mod writer;

use pulldown_cmark::Options;
use serde::{Deserialize, Serialize};

pub use code::{render_json, render_plain};
pub use escape::escape_text;
pub use standalone::{StandaloneOptions, standalone_html};
pub use text::{Counts, counts, plain_text};
pub use toc::{TocEntry, toc_html};

/// The syntax besides CommonMark.
const SYNTAX: Options = Options::ENABLE_TABLES
    .union(Options::ENABLE_FOOTNOTES)
    .union(Options::ENABLE_STRIKETHROUGH)
    .union(Options::ENABLE_TASKLISTS);

/// How to render.
#[derive(Clone, Debug)]
pub struct RenderOptions {
    /// Ends each heading with a link to itself.
    pub heading_links: bool,
    /// Gives blocks the number of their line in the source, from 1, as `data-line`, so that
    /// editor and preview can scroll together.
    pub source_lines: bool,
    /// The words that the writer adds.
    pub labels: Labels,
}

impl Default for RenderOptions {
    fn default() -> Self {
        Self { heading_links: true, source_lines: false, labels: Labels::ENGLISH }
    }
}

/// Words that only a screen reader says.
#[derive(Clone, Debug)]
pub struct Labels {
    /// Name of a table; its number follows.
    pub table: &'static str,
    /// Name of the checkbox of a task that is done.
    pub task_done: &'static str,
    /// Name of the checkbox of a task that is open.
    pub task_open: &'static str,
    /// Name of the list of footnotes.
    pub footnotes: &'static str,
    /// Name of the link from a note back to its place; the number follows.
    pub footnote_back: &'static str,
}

impl Labels {
    /// The labels in English.
    pub const ENGLISH: Self = Self {
        table: "Table",
        task_done: "Done",
        task_open: "To do",
        footnotes: "Footnotes",
        footnote_back: "Back to reference",
    };
}

/// A rendered document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendered {
    /// Safe HTML: the elements and attributes of the table above, balanced, to stand in any block
    /// of a page.
    pub html: String,
    /// Its headings in the order of the source.
    pub toc: Vec<TocEntry>,
}

/// Renders a Markdown document. Never fails: every text is a document.
#[must_use]
pub fn render(source: &str, options: &RenderOptions) -> Rendered {
    writer::write_document(&nesting::limit_nesting(source), options)
}
