//! HTML under construction.

use super::super::anchor::Anchors;
use super::super::escape::{push_address, push_attribute, push_text};

/// A piece of HTML with placeholders for links to headings. They are resolved at the end because a
/// heading may appear after a link to it.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    html: String,
    fragments: Vec<(usize, String)>,
    /// Bytes that the fragments may take.
    pending: usize,
}

impl Buffer {
    /// Returns the length of the finished HTML, at most.
    pub(super) fn len(&self) -> usize {
        self.html.len() + self.pending
    }

    /// Appends markup without escaping.
    pub(super) fn push(&mut self, markup: &str) {
        self.html.push_str(markup);
    }

    /// Appends escaped text.
    pub(super) fn push_text(&mut self, text: &str) {
        push_text(&mut self.html, text);
    }

    /// Appends ` name="value"`.
    pub(super) fn push_attribute(&mut self, name: &str, value: &str) {
        self.open_attribute(name);
        push_attribute(&mut self.html, value);
        self.html.push('"');
    }

    /// Appends ` name="address"` with the address percent-encoded.
    pub(super) fn push_address(&mut self, name: &str, address: &str) {
        self.open_attribute(name);
        push_address(&mut self.html, address);
        self.html.push('"');
    }

    /// Appends ` href="#…"` with a fragment that is resolved by [`Self::finish`].
    pub(super) fn push_fragment(&mut self, fragment: &str) {
        self.open_attribute("href");
        self.html.push('#');
        self.fragments.push((self.html.len(), fragment.to_owned()));
        // Each byte may be percent-encoded.
        self.pending += 3 * fragment.len() + 2;
        self.html.push('"');
    }

    fn open_attribute(&mut self, name: &str) {
        self.html.push(' ');
        self.html.push_str(name);
        self.html.push_str("=\"");
    }

    /// Starts a new line unless already at the start of one.
    pub(super) fn break_line(&mut self) {
        if !self.html.is_empty() && !self.html.ends_with('\n') {
            self.html.push('\n');
        }
    }

    pub(super) fn append(&mut self, other: Self) {
        let shift = self.html.len();
        self.pending += other.pending;
        self.html.push_str(&other.html);
        self.fragments.extend(other.fragments.into_iter().map(|(at, name)| (at + shift, name)));
    }

    /// Removes `markup` from the end and returns whether it was there.
    pub(super) fn strip_end(&mut self, markup: &str) -> bool {
        let found = self.html.ends_with(markup);
        if found {
            self.html.truncate(self.html.len() - markup.len());
        }
        found
    }

    /// Returns the HTML with every fragment resolved.
    pub(super) fn finish(self, anchors: &Anchors) -> String {
        if self.fragments.is_empty() {
            return self.html;
        }
        let mut html = String::with_capacity(self.html.len() + 16 * self.fragments.len());
        let mut done = 0;
        for (at, fragment) in self.fragments {
            html.push_str(&self.html[done..at]);
            push_address(&mut html, &anchors.resolve(&fragment));
            done = at;
        }
        html.push_str(&self.html[done..]);
        html
    }
}
