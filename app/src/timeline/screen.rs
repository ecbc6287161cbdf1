//! Shows a text in blocks, and marks what an edit changed.

use super::{Blocks, Replaced};
use leptos::{
    html::Div,
    prelude::*,
    web_sys::{Element, HtmlElement},
};
use std::ops::Range;
use wasm_bindgen::JsCast as _;

/// The element that shows the text, and the text.
#[derive(Debug)]
pub(super) struct Screen {
    host: NodeRef<Div>,
    blocks: Blocks,
    is_empty: bool,
    /// The block in which a change is marked.
    marked: Option<usize>,
}

impl Screen {
    pub(super) fn new(host: NodeRef<Div>) -> Self {
        Self { host, blocks: Blocks::default(), is_empty: true, marked: None }
    }

    /// Returns the text that is shown.
    pub(super) fn text(&self) -> &str {
        self.blocks.text()
    }

    /// Shows a text, with a mark at a change, which is scrolled into view.
    pub(super) fn show(&mut self, text: String, change: Option<Range<usize>>, follows: bool) {
        let Some(host) = self.host.get_untracked() else { return };
        let host: HtmlElement = host.unchecked_into();
        if std::mem::take(&mut self.is_empty) {
            // What the server rendered.
            host.set_inner_html("");
        }
        if let Some(marked) = self.marked.take() {
            self.fill(&host, marked, None);
        }
        let Replaced { at, removed, inserted } = self.blocks.replace(text);
        for _ in 0..removed {
            if let Some(block) = block_at(&host, at) {
                block.remove();
            }
        }
        let next = block_at(&host, at);
        for range in &inserted {
            let Ok(block) = document().create_element("div") else { return };
            block.set_class_name("timeline-block");
            // Fails only for an invalid name.
            let _ = block.set_attribute("dir", "auto");
            block.set_text_content(self.blocks.text().get(range.clone()));
            let _ = host.insert_before(&block, next.as_deref());
        }
        let Some(change) = change else { return };
        let Some((at, _)) = self.blocks.block_at(change.start) else { return };
        self.marked = Some(at);
        if let Some(mark) = self.fill(&host, at, Some(change)).filter(|_| follows) {
            scroll_to(&host, &mark);
        }
    }

    /// Fills a block again, perhaps with a mark, which is returned.
    fn fill(&self, host: &HtmlElement, at: usize, change: Option<Range<usize>>) -> Option<Element> {
        let block = block_at(host, at)?;
        let range = self.blocks.range(at);
        let text = self.blocks.text();
        let Some(change) = change else {
            block.set_text_content(text.get(range));
            return None;
        };
        let change =
            change.start.clamp(range.start, range.end)..change.end.clamp(range.start, range.end);
        let mark = document().create_element("mark").ok()?;
        mark.set_class_name("timeline-mark");
        mark.set_text_content(text.get(change.clone()));
        block.set_text_content(text.get(range.start..change.start));
        let rest = document().create_text_node(text.get(change.end..range.end).unwrap_or_default());
        block.append_child(&mark).ok()?;
        block.append_child(&rest).ok()?;
        Some(mark)
    }
}

fn block_at(host: &HtmlElement, at: usize) -> Option<Element> {
    host.children().item(u32::try_from(at).ok()?)
}

/// Scrolls the text, not the page, so that a mark can be seen.
fn scroll_to(host: &HtmlElement, mark: &Element) {
    let (outer, inner) = (host.get_bounding_client_rect(), mark.get_bounding_client_rect());
    if inner.top() < outer.top() || inner.bottom() > outer.bottom() {
        #[expect(clippy::cast_possible_truncation, reason = "pixels")]
        let by = (inner.top() - outer.top() - outer.height() / 2.0) as i32;
        host.set_scroll_top(host.scroll_top() + by);
    }
}
