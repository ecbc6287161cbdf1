//! The HTML writer. Its match over parser events is the allow-list (DESIGN §7): an event without an
//! arm produces no output.

mod block;
mod buffer;
mod direction;
mod footnotes;
mod inline;
mod lines;
mod part;
mod table;

use std::ops::Range;

use pulldown_cmark::{Event, Tag, TagEnd};

use super::anchor::Anchors;
use super::escape::unify_line_ends;
use super::limit::MAX_HTML;
use super::strike;
use super::{RenderOptions, Rendered, TocEntry};
use block::{CodeBlock, Heading};
use buffer::Buffer;
use direction::Direction;
use footnotes::Footnotes;
use inline::Image;
use lines::LineCounter;
use table::Table;

pub(super) use footnotes::{Footnotes as Notes, fold, reference_id};
pub(super) use part::{Start, Written, write_notes, write_part};

/// Renders the events of a whole document.
pub(super) fn write_document(source: &str, options: &RenderOptions) -> Rendered {
    let mut writer = Writer::new(source, options);
    let mut events = strike::Events::new(source, super::SYNTAX).peekable();
    while let Some((event, range)) = events.next() {
        // An empty header cell becomes `<td>`, so that it is not announced as a header.
        let is_empty = matches!(events.peek(), Some((Event::End(TagEnd::TableCell), _)));
        writer.write_event(event, &range, is_empty);
    }
    writer.finish()
}

struct Writer<'s, 'o> {
    options: &'o RenderOptions,
    lines: LineCounter<'s>,
    out: Buffer,
    anchors: Anchors,
    /// Ids of the headings that follow, if they are known already.
    ids: Option<std::vec::IntoIter<String>>,
    toc: Vec<TocEntry>,
    footnotes: Footnotes,
    /// Footnote definitions being written, each with the output that precedes it.
    open_footnotes: Vec<(String, Buffer)>,
    heading: Option<Heading>,
    code: Option<CodeBlock>,
    image: Option<Image>,
    table: Option<Table>,
    tables: usize,
    /// Number of open emphasis, strong and strikethrough elements.
    emphasis_depth: usize,
    /// Closing markup of each open link.
    links: Vec<&'static str>,
    direction: Direction,
    has_outside_images: bool,
    /// Bytes of the result that are not in `out`.
    aside: usize,
    /// Number of elements left out that are open, once the result has reached its maximum length.
    left_out: Option<usize>,
}

impl<'s, 'o> Writer<'s, 'o> {
    fn new(source: &'s str, options: &'o RenderOptions) -> Self {
        Self {
            options,
            lines: LineCounter::new(source),
            out: Buffer::default(),
            anchors: Anchors::default(),
            ids: None,
            toc: Vec::new(),
            footnotes: Footnotes::default(),
            open_footnotes: Vec::new(),
            heading: None,
            code: None,
            image: None,
            table: None,
            tables: 0,
            emphasis_depth: 0,
            links: Vec::new(),
            direction: Direction::default(),
            has_outside_images: false,
            aside: 0,
            left_out: None,
        }
    }

    fn finish(mut self) -> Rendered {
        self.footnotes.write(&mut self.out, &self.options.labels);
        Rendered {
            html: self.out.finish(&self.anchors),
            toc: self.toc,
            truncated: self.left_out.is_some(),
            has_outside_images: self.has_outside_images,
        }
    }

    fn write_event(&mut self, event: Event<'_>, range: &Range<usize>, is_empty: bool) {
        // Alt text is an attribute, so only the text inside an image counts.
        if self.image.is_some() {
            return self.describe_image(event);
        }
        if self.is_left_out(&event) {
            return;
        }
        match event {
            Event::Start(tag) => self.start(tag, range, is_empty),
            Event::End(tag) => self.end(tag),
            // Math is not enabled; render it as text if it ever occurs.
            Event::Text(text) | Event::InlineMath(text) | Event::DisplayMath(text) => {
                self.write_text(&text);
            }
            Event::Code(code) => self.write_code_span(&code),
            Event::InlineHtml(html) => self.write_inline_html(&html),
            Event::Html(html) => self.write_text(&html),
            Event::SoftBreak => self.write_text("\n"),
            Event::HardBreak => self.write_hard_break(),
            Event::Rule => self.write_rule(range),
            Event::FootnoteReference(label) => self.write_footnote_reference(&label),
            Event::TaskListMarker(done) => self.write_checkbox(done),
        }
    }

    /// Returns whether an event is to be ignored, because the result has its maximum length. The ends
    /// of elements that were written are not.
    fn is_left_out(&mut self, event: &Event<'_>) -> bool {
        if self.left_out.is_none() {
            let length = self.out.len() + self.aside + self.footnotes.len();
            self.left_out = (length > MAX_HTML).then_some(0);
        }
        let Some(depth) = &mut self.left_out else { return false };
        match event {
            Event::Start(_) => *depth += 1,
            Event::End(_) if *depth == 0 => return false,
            Event::End(_) => *depth -= 1,
            _ => {}
        }
        true
    }

    fn start(&mut self, tag: Tag<'_>, range: &Range<usize>, is_empty: bool) {
        match tag {
            Tag::Paragraph => self.start_paragraph(">", range),
            Tag::Heading { .. } => self.start_heading(range),
            Tag::BlockQuote(_) => self.start_quote(range),
            Tag::CodeBlock(kind) => self.start_code_block(kind, range),
            Tag::HtmlBlock => self.start_paragraph(" class=\"raw-html\">", range),
            Tag::List(start) => self.start_list(start, range),
            Tag::Item => self.start_item(range),
            Tag::FootnoteDefinition(label) => self.start_footnote(&label),
            Tag::Table(alignments) => self.start_table(alignments, range),
            Tag::TableHead => self.start_table_head(),
            Tag::TableRow => self.start_table_row(),
            Tag::TableCell => self.start_table_cell(is_empty),
            Tag::Emphasis => self.start_emphasis("<em>"),
            Tag::Strong => self.start_emphasis("<strong>"),
            Tag::Strikethrough => self.start_emphasis("<del>"),
            Tag::Link { link_type, dest_url, title, .. } => {
                self.start_link(link_type, &dest_url, &title);
            }
            Tag::Image { dest_url, title, .. } => self.start_image(&dest_url, &title),
            // Not enabled; their content is rendered as text.
            Tag::DefinitionList
            | Tag::DefinitionListTitle
            | Tag::DefinitionListDefinition
            | Tag::Superscript
            | Tag::Subscript
            | Tag::MetadataBlock(_) => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::HtmlBlock => self.out.push("</p>\n"),
            TagEnd::Heading(level) => self.end_heading(level),
            TagEnd::BlockQuote(_) => self.end_container("</blockquote>\n"),
            TagEnd::CodeBlock => self.end_code_block(),
            TagEnd::List(true) => self.end_container("</ol>\n"),
            TagEnd::List(false) => self.end_container("</ul>\n"),
            TagEnd::Item => self.out.push("</li>\n"),
            TagEnd::FootnoteDefinition => self.end_footnote(),
            TagEnd::Table => self.end_table(),
            TagEnd::TableHead => self.out.push("</tr>\n</thead>\n"),
            TagEnd::TableRow => self.out.push("</tr>\n"),
            TagEnd::TableCell => self.end_table_cell(),
            TagEnd::Emphasis => self.end_emphasis("</em>"),
            TagEnd::Strong => self.end_emphasis("</strong>"),
            TagEnd::Strikethrough => self.end_emphasis("</del>"),
            TagEnd::Link => self.end_link(),
            // `describe_image` handles the end of an image.
            TagEnd::Image
            | TagEnd::DefinitionList
            | TagEnd::DefinitionListTitle
            | TagEnd::DefinitionListDefinition
            | TagEnd::Superscript
            | TagEnd::Subscript
            | TagEnd::MetadataBlock(_) => {}
        }
    }

    fn write_text(&mut self, text: &str) {
        let text = unify_line_ends(text);
        if let Some(code) = &mut self.code {
            code.push(&text);
            return;
        }
        if let Some(heading) = &mut self.heading {
            heading.push_text(&text);
        }
        self.direction.write_text();
        self.out.push_text(&text);
    }
}
