//! What a document store in two places tells about itself.

use super::{RecordPath, StoreResult};
use async_trait::async_trait;

/// What a routed store has done since the process started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RoutingCounters {
    /// Reads of records.
    pub reads: u64,
    /// Changes of one record.
    pub writes: u64,
    /// Pages of a collection, watches, retention.
    pub bulk: u64,
    /// Copies and comparisons between two places.
    pub migrate: u64,
    /// Calls that the second place failed. Writes among them are repaired later.
    pub shadow_failures: u64,
    /// Reads that the two places answered differently.
    pub differences: u64,
    /// Records of the second place that were mended.
    pub repaired: u64,
}

/// How two places differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Differences {
    /// Records that differ; the first ones, if they are many.
    pub paths: Vec<RecordPath>,
    /// How many differ.
    pub count: u64,
}

/// A document store in one place or two.
#[async_trait]
pub trait DocumentRouting: Send + Sync {
    /// Returns what it has done.
    fn counters(&self) -> RoutingCounters;

    /// Returns how many writes the second place may lack.
    async fn pending(&self) -> StoreResult<u64>;

    /// Brings to the second place what writes could not; returns how many were left behind for long
    /// enough that none of them is under way. To be called every minute.
    async fn repair(&self) -> StoreResult<u64>;

    /// Compares every record of both places, without those of writes that are under way or to be
    /// repaired; with `mend`, makes the second place equal to the first. `None` without a second one.
    async fn compare(&self, mend: bool) -> StoreResult<Option<Differences>>;
}
