//! Consistency of reads (DESIGN §4).

/// Required consistency of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Freshness {
    /// Includes every acknowledged write; answered by the primary or a majority. For reads used in
    /// decisions: fences, op ids, heads, preconditions.
    Fresh,
    /// May be answered by a replica, but never with older data than this reader has already seen.
    /// For lists, search, rendering.
    Stale,
}
