//! A limit on the work of a comparison, in steps. A time limit would give server and page
//! different results, but hunk ids and hydration need equal ones.

/// Steps for one comparison: about a quarter of a second of native code in the worst case.
/// Ordinary edits need less than a thousandth of it.
pub const DEFAULT_BUDGET: u64 = 30_000_000;

/// The steps that remain.
#[derive(Debug)]
pub(crate) struct Budget {
    left: u64,
}

impl Budget {
    pub(crate) const fn new(steps: u64) -> Self {
        Self { left: steps }
    }

    /// Whether at least `steps` remain.
    pub(crate) const fn has(&self, steps: usize) -> bool {
        self.left >= steps as u64
    }

    /// Subtracts `steps`. Returns `false` and leaves nothing if fewer remain.
    pub(crate) fn spend(&mut self, steps: usize) -> bool {
        let left = self.left.checked_sub(steps as u64);
        self.left = left.unwrap_or(0);
        left.is_some()
    }
}
