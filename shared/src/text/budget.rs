//! How much work a comparison may do. Counted in steps and not in seconds, because the server and
//! the page must reach the same result for the same texts: hunks are named after it, and a
//! hydrated page may not differ from the one that was sent.

/// Steps for one comparison, about a quarter of a second natively in the worst case.
///
/// Ordinary edits of ordinary documents need less than a thousandth of it.
pub const DEFAULT_BUDGET: u64 = 30_000_000;

/// What is left of a number of steps.
#[derive(Debug)]
pub(crate) struct Budget {
    left: u64,
}

impl Budget {
    pub(crate) const fn new(steps: u64) -> Self {
        Self { left: steps }
    }

    /// Takes `steps` off; `false` once they are more than what was left, and from then on.
    pub(crate) fn spend(&mut self, steps: usize) -> bool {
        let left = self.left.checked_sub(steps as u64);
        self.left = left.unwrap_or(0);
        left.is_some()
    }
}
