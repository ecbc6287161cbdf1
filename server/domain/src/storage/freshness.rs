//! How current the answer to a read must be (DESIGN §4).

/// How current the answer to a read must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Freshness {
    /// Every acknowledged write is in it: the primary answers, or a majority. For reads that decide
    /// something: fences, op ids, heads, preconditions.
    Fresh,
    /// A replica may answer, though never with less than this reader has seen before. For lists,
    /// search, rendering.
    Stale,
}
