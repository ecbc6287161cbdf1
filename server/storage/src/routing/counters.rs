//! Counters of a routed store.

use super::marks::ShadowMarks;
use izanagi_domain::storage::{RoutingCounters, StoreResult};
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Classes of operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Class {
    /// One record, or some that are named.
    Read,
    /// A change of one record.
    Write,
    /// A page of a collection, a watch, retention.
    Bulk,
    /// A copy or a comparison between two places.
    Migrate,
}

/// The counters.
#[derive(Debug, Default)]
pub(super) struct Counters {
    operations: [AtomicU64; 4],
    shadow_failures: AtomicU64,
    differences: AtomicU64,
    repaired: AtomicU64,
    /// What was added to that of all servers.
    kept: Mutex<RoutingCounters>,
}

impl Counters {
    pub(super) fn count(&self, class: Class) {
        if let Some(counter) = self.operations.get(class as usize) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn shadow_failed(&self) {
        self.shadow_failures.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn differed(&self) {
        self.differences.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn repaired(&self) {
        self.repaired.fetch_add(1, Ordering::Relaxed);
    }

    /// Adds what was counted since the last call to what all servers have counted.
    pub(super) async fn keep(&self, marks: &dyn ShadowMarks) -> StoreResult<()> {
        let now = self.snapshot();
        let kept = *self.kept.lock();
        let counted = RoutingCounters {
            shadow_failures: now.shadow_failures - kept.shadow_failures,
            differences: now.differences - kept.differences,
            repaired: now.repaired - kept.repaired,
            ..RoutingCounters::default()
        };
        if counted == RoutingCounters::default() {
            return Ok(());
        }
        marks.add_counts(&counted).await?;
        *self.kept.lock() = now;
        Ok(())
    }

    pub(super) fn snapshot(&self) -> RoutingCounters {
        let [reads, writes, bulk, migrate] =
            self.operations.each_ref().map(|counter| counter.load(Ordering::Relaxed));
        RoutingCounters {
            reads,
            writes,
            bulk,
            migrate,
            shadow_failures: self.shadow_failures.load(Ordering::Relaxed),
            differences: self.differences.load(Ordering::Relaxed),
            repaired: self.repaired.load(Ordering::Relaxed),
        }
    }
}
