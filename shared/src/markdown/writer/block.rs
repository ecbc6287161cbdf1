//! Blocks: headings, lists, code, footnotes.

use std::mem;
use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, HeadingLevel};

use super::super::TocEntry;
use super::super::code::{find_language, push_code};
use super::super::toc;
use super::Writer;
use super::buffer::Buffer;

/// A heading being written. Its id depends on its text, so the opening tag is written last.
pub(super) struct Heading {
    text: String,
    before: Buffer,
    line: Option<usize>,
    has_direction: bool,
}

impl Heading {
    /// The output before the heading.
    pub(super) fn before(&mut self) -> &mut Buffer {
        &mut self.before
    }

    pub(super) fn push_text(&mut self, text: &str) {
        self.text.push_str(text);
    }
}

/// A code block being read.
pub(super) struct CodeBlock {
    language: Option<String>,
    code: String,
}

impl CodeBlock {
    pub(super) fn push(&mut self, text: &str) {
        self.code.push_str(text);
    }
}

impl Writer<'_, '_> {
    /// Opens a list item.
    pub(super) fn start_item(&mut self, range: &Range<usize>) {
        self.open_tag("li", range);
        self.out.push(">");
    }

    /// Opens a paragraph, with the rest of its tag.
    pub(super) fn start_paragraph(&mut self, rest: &str, range: &Range<usize>) {
        self.open_tag("p", range);
        let has_direction = self.direction.starts_leaf();
        self.push_direction(has_direction);
        self.out.push(rest);
    }

    pub(super) fn start_quote(&mut self, range: &Range<usize>) {
        self.open_tag("blockquote", range);
        self.start_container();
        self.out.push(">");
    }

    pub(super) fn end_container(&mut self, markup: &str) {
        self.direction.end_container();
        self.close_block(markup);
    }

    fn start_container(&mut self) {
        let has_direction = self.direction.starts_container();
        self.push_direction(has_direction);
    }

    pub(super) fn push_direction(&mut self, has_direction: bool) {
        if has_direction {
            self.out.push(" dir=\"auto\"");
        }
    }

    /// Writes `<name data-line="…"` on a new line, without the closing `>`.
    pub(super) fn open_tag(&mut self, name: &str, range: &Range<usize>) {
        let line = self.take_line(range);
        self.out.break_line();
        self.out.push("<");
        self.out.push(name);
        self.push_line(line);
    }

    /// Returns the line of the block if line numbers are enabled and this line has not been
    /// reported yet.
    fn take_line(&mut self, range: &Range<usize>) -> Option<usize> {
        self.options.source_lines.then(|| self.lines.advance_to(range.start)).flatten()
    }

    fn push_line(&mut self, line: Option<usize>) {
        if let Some(line) = line {
            self.out.push_attribute("data-line", &line.to_string());
        }
    }

    pub(super) fn close_block(&mut self, markup: &str) {
        self.out.break_line();
        self.out.push(markup);
    }

    pub(super) fn write_rule(&mut self, range: &Range<usize>) {
        self.open_tag("hr", range);
        self.out.push(">\n");
    }

    pub(super) fn start_heading(&mut self, range: &Range<usize>) {
        let line = self.take_line(range);
        self.out.break_line();
        let has_direction = self.direction.starts_leaf();
        let before = self.set_aside();
        self.heading = Some(Heading { text: String::new(), before, line, has_direction });
    }

    pub(super) fn end_heading(&mut self, level: HeadingLevel) {
        let Some(heading) = self.heading.take() else {
            return;
        };
        let content = self.take_back(heading.before);
        let text = heading.text.split_whitespace().collect::<Vec<_>>().join(" ");
        let anchor = match &mut self.ids {
            Some(ids) => ids.next().unwrap_or_default(),
            None => self.anchors.add(&text),
        };
        self.out.push(&format!("<{level}"));
        self.out.push_attribute("id", &anchor);
        self.push_line(heading.line);
        self.push_direction(heading.has_direction);
        self.out.push(">");
        self.out.append(content);
        if self.options.heading_links {
            // For pointer users only: keyboard and screen reader users have the table of contents,
            // and an extra stop at every heading would slow them down.
            self.out.push("<a class=\"heading-link\"");
            self.out.push_address("href", &format!("#{anchor}"));
            self.out.push(" aria-hidden=\"true\" tabindex=\"-1\"></a>");
        }
        self.out.push(&format!("</{level}>\n"));
        self.aside += toc::entry_length(&text, &anchor);
        self.toc.push(TocEntry { level: level as u8, text, anchor });
    }

    pub(super) fn start_code_block(&mut self, kind: CodeBlockKind<'_>, range: &Range<usize>) {
        let language = match kind {
            CodeBlockKind::Fenced(info) => find_language(&info),
            CodeBlockKind::Indented => None,
        };
        self.open_tag("pre", range);
        self.code = Some(CodeBlock { language, code: String::new() });
    }

    pub(super) fn end_code_block(&mut self) {
        let Some(CodeBlock { language, code }) = self.code.take() else {
            return;
        };
        let mut markup = String::new();
        push_code(&mut markup, language.as_deref(), &code);
        self.out.push(" class=\"code-block\" dir=\"ltr\" tabindex=\"0\">");
        self.out.push(&markup);
        self.out.push("</pre>\n");
    }

    pub(super) fn start_list(&mut self, start: Option<u64>, range: &Range<usize>) {
        self.open_tag(if start.is_some() { "ol" } else { "ul" }, range);
        if let Some(start) = start.filter(|&start| start != 1) {
            self.out.push_attribute("start", &start.to_string());
        }
        self.start_container();
        self.out.push(">\n");
    }

    /// Starts an empty output. The one before it counts, but is not written to.
    fn set_aside(&mut self) -> Buffer {
        self.aside += self.out.len();
        mem::take(&mut self.out)
    }

    /// Continues with the output that was set aside, and returns what was written in between.
    fn take_back(&mut self, before: Buffer) -> Buffer {
        self.aside = self.aside.saturating_sub(before.len());
        mem::replace(&mut self.out, before)
    }

    pub(super) fn start_footnote(&mut self, label: &str) {
        let before = self.set_aside();
        self.open_footnotes.push((label.to_owned(), before));
    }

    pub(super) fn end_footnote(&mut self) {
        let Some((label, before)) = self.open_footnotes.pop() else {
            return;
        };
        let content = self.take_back(before);
        self.footnotes.define(&label, content);
    }
}
