//! Writing a part of a document, with what precedes it known.

use pulldown_cmark::{Event, TagEnd};
use std::ops::Range;

use super::super::RenderOptions;
use super::super::anchor::Anchors;
use super::Writer;
use super::buffer::Buffer;
use super::footnotes::Footnotes;

/// State of the document at the start of a part.
#[derive(Debug, Default)]
pub(in super::super) struct Start {
    /// Ids of the part's headings; `None` if they are not known yet.
    pub(in super::super) ids: Option<Vec<String>>,
    /// Number of tables before it.
    pub(in super::super) tables: usize,
    /// References before it.
    pub(in super::super) footnotes: Footnotes,
}

/// A written part. Its links to headings are not resolved.
pub(in super::super) struct Written {
    out: Buffer,
    /// References before and in the part, and the part's definitions.
    pub(in super::super) footnotes: Footnotes,
    /// Texts of its headings.
    pub(in super::super) headings: Vec<String>,
    /// Number of tables before and in the part.
    pub(in super::super) tables: usize,
    pub(in super::super) has_outside_images: bool,
    /// Whether a part of it is missing, because its HTML would be too long.
    pub(in super::super) truncated: bool,
}

impl Written {
    /// Returns the HTML, with links to the headings of the whole document.
    pub(in super::super) fn finish(self, anchors: &Anchors) -> String {
        self.out.finish(anchors)
    }
}

/// Writes the events of a part.
pub(in super::super) fn write_part<'s>(
    source: &'s str,
    events: impl Iterator<Item = (Event<'s>, Range<usize>)>,
    start: Start,
    options: &RenderOptions,
) -> Written {
    let mut writer = Writer::new(source, options);
    writer.ids = start.ids.map(Vec::into_iter);
    writer.tables = start.tables;
    writer.footnotes = start.footnotes;
    let mut events = events.peekable();
    while let Some((event, range)) = events.next() {
        let is_empty = matches!(events.peek(), Some((Event::End(TagEnd::TableCell), _)));
        writer.write_event(event, &range, is_empty);
    }
    Written {
        out: writer.out,
        footnotes: writer.footnotes,
        headings: writer.toc.into_iter().map(|entry| entry.text).collect(),
        tables: writer.tables,
        has_outside_images: writer.has_outside_images,
        truncated: writer.left_out.is_some(),
    }
}

/// Writes the notes at the end of a document whose references are in `all`. `parts` have their
/// definitions.
pub(in super::super) fn write_notes(
    mut all: Footnotes,
    parts: impl IntoIterator<Item = Footnotes>,
    options: &RenderOptions,
    anchors: &Anchors,
) -> String {
    for part in parts {
        all.define_all(part);
    }
    let mut out = Buffer::default();
    all.write(&mut out, &options.labels);
    out.finish(anchors)
}
