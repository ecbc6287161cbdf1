//! Which blocks have `dir="auto"`.
//!
//! A browser takes the direction of such an element from the first letter in it, except inside
//! elements with a `dir` of their own (HTML §3.2.6.4). So the first paragraph of a list or quote has
//! none: it gives its direction to the list, whose bullets are on that side. Later ones have their
//! own.

#[derive(Debug, Default)]
pub(super) struct Direction {
    /// Number of open lists and quotes.
    depth: usize,
    /// Whether the innermost of them with a direction still has no text.
    is_open: bool,
}

impl Direction {
    /// Starts a list or quote. Returns whether it has a direction of its own.
    pub(super) fn starts_container(&mut self) -> bool {
        self.depth += 1;
        !std::mem::replace(&mut self.is_open, true)
    }

    pub(super) fn end_container(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.is_open &= self.depth > 0;
    }

    /// Starts a block with text. Returns whether it has a direction of its own.
    pub(super) fn starts_leaf(&mut self) -> bool {
        !std::mem::take(&mut self.is_open)
    }

    /// Notes that there is text, which in a list item may be in no other block.
    pub(super) fn write_text(&mut self) {
        self.is_open = false;
    }
}
