//! Rate limits that nodes share.

use async_trait::async_trait;
use std::time::Duration;

/// How often something may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Once per this long, on average;
    pub every: Duration,
    /// at most this often at once.
    pub burst: u32,
}

/// Answer to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// It is counted and within the allowance.
    Admitted,
    /// It is not counted; another one is admitted after this long.
    Refused(Duration),
}

/// Counts requests of all nodes together. Each node also counts its own, so this may fail.
#[async_trait]
pub trait Counters: Send + Sync {
    /// Counts one request under a key, atomically. Returns `None` within some milliseconds if it cannot
    /// tell.
    async fn count(&self, key: &str, allowance: Allowance) -> Option<Counted>;
}
