//! Inline elements: emphasis, code, links, images, references, checkboxes.

use pulldown_cmark::{Event, LinkType, TagEnd};

use super::super::address::{self, Target, judge_image, judge_link};
use super::super::escape::unify_line_ends;
use super::Writer;
use super::footnotes::reference_id;

/// Maximum nesting depth of emphasis; deeper levels keep their text but get no tags. Browsers stop
/// nesting at 512 levels, and lists and quotes use some of those.
const MAX_EMPHASIS_DEPTH: usize = 32;

/// An image whose alt text is being read.
pub(super) struct Image {
    address: String,
    title: String,
    description: String,
    /// Nesting depth of images inside the alt text.
    depth: usize,
}

impl Writer<'_, '_> {
    pub(super) fn start_emphasis(&mut self, markup: &str) {
        self.emphasis_depth += 1;
        if self.emphasis_depth <= MAX_EMPHASIS_DEPTH {
            self.out.push(markup);
        }
    }

    pub(super) fn end_emphasis(&mut self, markup: &str) {
        if self.emphasis_depth <= MAX_EMPHASIS_DEPTH {
            self.out.push(markup);
        }
        self.emphasis_depth -= 1;
    }

    pub(super) fn write_code_span(&mut self, code: &str) {
        self.out.push("<code>");
        self.write_text(code);
        self.out.push("</code>");
    }

    /// Writes raw HTML as visible text.
    pub(super) fn write_inline_html(&mut self, html: &str) {
        self.out.push("<span class=\"raw-html\">");
        self.write_text(html);
        self.out.push("</span>");
    }

    pub(super) fn write_hard_break(&mut self) {
        self.out.push("<br>");
        self.write_text("\n");
    }

    pub(super) fn start_link(&mut self, kind: LinkType, address: &str, title: &str) {
        // HTML does not allow nested links, but an autolink can appear in the text of another link.
        if !self.links.is_empty() {
            self.links.push("");
            return;
        }
        let mail = matches!(kind, LinkType::Email).then(|| format!("mailto:{address}"));
        let address = mail.as_deref().unwrap_or(address);
        let Some(target) = judge_link(address) else {
            self.out.push("<span class=\"refused-link\">");
            self.links.push("</span>");
            return;
        };
        self.out.push("<a");
        match target {
            Target::Fragment => {
                self.out.push_fragment(address.strip_prefix('#').unwrap_or(address));
            }
            _ => self.out.push_address("href", address),
        }
        if !title.is_empty() {
            self.out.push_attribute("title", &unify_line_ends(title));
        }
        if target == Target::External {
            self.out.push(" rel=\"noopener noreferrer nofollow\"");
        }
        self.out.push(">");
        self.links.push("</a>");
    }

    pub(super) fn end_link(&mut self) {
        if let Some(markup) = self.links.pop() {
            self.out.push(markup);
        }
    }

    pub(super) fn start_image(&mut self, address: &str, title: &str) {
        self.image = Some(Image {
            address: address.to_owned(),
            title: unify_line_ends(title).into_owned(),
            description: String::new(),
            depth: 0,
        });
    }

    /// Collects the alt text up to the end of the image, then writes the image.
    pub(super) fn describe_image(&mut self, event: Event<'_>) {
        let Some(image) = &mut self.image else { return };
        match event {
            Event::Start(tag) if matches!(tag.to_end(), TagEnd::Image) => image.depth += 1,
            Event::End(TagEnd::Image) if image.depth == 0 => self.write_image(),
            Event::End(TagEnd::Image) => image.depth -= 1,
            Event::Text(text) | Event::Code(text) | Event::InlineHtml(text) => {
                image.description.push_str(&unify_line_ends(&text));
            }
            Event::SoftBreak | Event::HardBreak => image.description.push('\n'),
            _ => {}
        }
    }

    fn write_image(&mut self) {
        let Some(image) = self.image.take() else {
            return;
        };
        if let Some(heading) = &mut self.heading {
            heading.push_text(&image.description);
        }
        match judge_image(&image.address) {
            None => {
                self.out.push("<span class=\"refused-image\">");
                self.out.push_text(&image.description);
                self.out.push("</span>");
                return;
            }
            Some(Target::External) if !self.options.outside_images => {
                return self.write_outside_image(&image);
            }
            Some(_) => {}
        }
        self.out.push("<img");
        self.out.push_address("src", &image.address);
        self.out.push_attribute("alt", &image.description);
        if !image.title.is_empty() {
            self.out.push_attribute("title", &image.title);
        }
        self.out.push(" loading=\"lazy\">");
    }

    /// Writes a link to the image instead, which the browser does not load by itself.
    fn write_outside_image(&mut self, image: &Image) {
        self.has_outside_images = true;
        let is_link = self.links.is_empty();
        self.out.push(if is_link {
            "<a class=\"outside-image\""
        } else {
            "<span class=\"outside-image\""
        });
        if is_link {
            self.out.push_address("href", &image.address);
        }
        if !image.title.is_empty() {
            self.out.push_attribute("title", &image.title);
        }
        if is_link {
            self.out.push(" rel=\"noopener noreferrer nofollow\"");
        }
        self.out.push(">");
        self.out.push_text(&image.description);
        let host = address::host(&image.address).unwrap_or_default();
        let space = if image.description.is_empty() || host.is_empty() { "" } else { " " };
        self.out.push(space);
        self.out.push("<span class=\"outside-host\" dir=\"ltr\">");
        self.out.push_text(&host);
        self.out.push(if is_link { "</span></a>" } else { "</span></span>" });
    }

    pub(super) fn write_footnote_reference(&mut self, label: &str) {
        let (number, occurrence) = self.footnotes.refer(label, &self.options.labels);
        let id = reference_id(number, occurrence);
        // The parser does not allow references in link text, so links do not nest here.
        self.out.push(&format!(
            "<sup class=\"footnote-ref\" id=\"{id}\">\
             <a href=\"#fn-{number}\" role=\"doc-noteref\">{number}</a></sup>"
        ));
    }

    pub(super) fn write_checkbox(&mut self, done: bool) {
        // As in cmark-gfm, a checkbox belongs to the item, even if its text turns out to be a heading.
        let out = match &mut self.heading {
            Some(heading) => heading.before(),
            None => &mut self.out,
        };
        out.push("<input class=\"task\" type=\"checkbox\" disabled=\"\"");
        let labels = &self.options.labels;
        if done {
            out.push(" checked=\"\"");
        }
        out.push_attribute("aria-label", if done { &labels.task_done } else { &labels.task_open });
        out.push("> ");
    }
}
