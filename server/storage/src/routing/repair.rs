//! Repair of the second place.

use super::{
    Mark, Routed, RoutedDocuments,
    comparison::Comparison,
    mirror::{Mended, Surplus},
    route::Pass,
};
use async_trait::async_trait;
use izanagi_domain::storage::{
    Differences, DocumentRouting, DocumentStore, RecordPath, RoutingCounters, StoreError,
    StoreResult,
};
use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};
use uuid::Uuid;

/// Marks read at once.
const PAGE: u32 = 1_000;
/// Marks looked after at once, which bounds the memory for them.
pub(super) const MOST: usize = 10_000;
/// A write is over after this time: each of its steps has a shorter limit.
const OLD: Duration = Duration::from_secs(60);
/// Differences that are named.
const NAMED: usize = 1_000;
/// Time after which a difference is looked at again: it may be a write.
const AGAIN: Duration = Duration::from_millis(300);

/// When this process first saw each mark. The clocks of other nodes say nothing.
pub(super) type Ages = HashMap<Uuid, Instant>;

impl Routed {
    /// Returns the marks that this process has known for long enough, of all that are there.
    pub(super) fn old_of(&self, marks: &[Mark]) -> Vec<Mark> {
        let (mut ages, now) = (self.ages.lock(), Instant::now());
        let present: HashSet<_> = marks.iter().map(|mark| mark.id).collect();
        ages.retain(|id, _| present.contains(id));
        let mut is_old =
            |mark: &&Mark| now.duration_since(*ages.entry(mark.id).or_insert(now)) >= OLD;
        let old = marks.iter().filter(|mark| is_old(mark)).cloned().collect();
        drop(ages);
        old
    }

    /// Returns the first marks.
    pub(super) async fn all_marks(&self, most: usize) -> StoreResult<Vec<Mark>> {
        let mut marks: Vec<Mark> = Vec::new();
        loop {
            let page = self.marks.list(marks.last().map(|mark| mark.id), PAGE).await?;
            let is_last = page.len() < PAGE as usize;
            marks.extend(page);
            if is_last || marks.len() >= most {
                return Ok(marks);
            }
        }
    }
}

impl RoutedDocuments {
    /// Returns which of these records really differ, after a while.
    async fn still_differing(
        &self,
        (first, second): (&dyn DocumentStore, &dyn DocumentStore),
        paths: Vec<RecordPath>,
    ) -> StoreResult<Vec<RecordPath>> {
        if paths.is_empty() {
            return Ok(paths);
        }
        tokio::time::sleep(AGAIN).await;
        let mut differing = Vec::new();
        for path in paths {
            if self.0.marks.has_record(&path).await? {
                continue;
            }
            let one = std::slice::from_ref(&path);
            let copy = second.get_stored(one).await;
            let truth = match first.get_stored(one).await {
                // Other checks name it, and there is nothing to compare the copy with.
                Err(StoreError::Corrupt(_)) => continue,
                truth => truth?.pop(),
            };
            if !copy.is_ok_and(|mut copy| copy.pop() == truth) {
                differing.push(path);
            }
        }
        Ok(differing)
    }

    /// Makes a record equal in both places. What only the second has is copied back: nobody is known
    /// to have removed it.
    async fn make_equal(&self, path: &RecordPath) -> StoreResult<()> {
        match self.0.mend(path, Surplus::Keep, Pass::Gate).await? {
            Mended::OnlySecond => self.0.rescue(path, Pass::Gate).await,
            Mended::Equal | Mended::Now => Ok(()),
        }
    }
}

#[async_trait]
impl DocumentRouting for RoutedDocuments {
    fn counters(&self) -> RoutingCounters {
        self.0.counters()
    }

    async fn pending(&self) -> StoreResult<u64> {
        self.0.marks.count().await
    }

    async fn repair(&self) -> StoreResult<u64> {
        let route = self.0.route();
        // Before the switch of a move, only its leader mends. Without a second place the marks say what
        // that lacks, should the settings name it again.
        if !route.mirrors || route.owns_shadow {
            return Ok(0);
        }
        let old = self.0.old_of(&self.0.all_marks(MOST).await?);
        self.0.mend_marked(&old, Pass::Gate, None).await?;
        Ok(old.len() as u64)
    }

    async fn forget_marks(&self) -> StoreResult<u64> {
        self.0.marks.clear(None).await
    }

    async fn compare(&self, mend: bool) -> StoreResult<Option<Differences>> {
        let route = self.0.route();
        // A move compares both places itself before its switch; what is not copied yet is no damage.
        let is_second = route.mirrors && !route.owns_shadow;
        let Some(shadow) = route.shadow.as_ref().filter(|_| is_second) else {
            return Ok(None);
        };
        let (first, second) = (&*route.primary, &**shadow);
        let (mut comparison, mut found) = (Comparison::default(), Differences::default());
        while let Some(differing) = comparison.next(first, second).await? {
            for path in self.still_differing((first, second), differing).await? {
                if mend {
                    self.make_equal(&path).await?;
                }
                found.count += 1;
                if found.paths.len() < NAMED {
                    found.paths.push(path);
                }
            }
        }
        Ok(Some(found))
    }
}
