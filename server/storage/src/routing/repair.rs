//! Repair of the second place.

use super::{Mark, Routed, RoutedDocuments, comparison::Comparison, mirror::is_same};
use async_trait::async_trait;
use izanagi_domain::storage::{
    Differences, DocumentRouting, DocumentStore, RecordPath, RoutingCounters, StoreResult,
};
use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};
use uuid::Uuid;

/// Marks read at once.
const PAGE: u32 = 1_000;
/// Marks looked after at once, which bounds the memory for them.
const MOST: usize = 10_000;
/// A write is over after this time: each of its steps has a shorter limit.
const OLD: Duration = Duration::from_secs(60);
/// Differences that are named.
const NAMED: usize = 1_000;
/// Time after which a difference is looked at again: it may be a write.
const AGAIN: Duration = Duration::from_millis(300);

/// When this process first saw each mark. The clocks of other nodes say nothing.
pub(super) type Ages = HashMap<Uuid, Instant>;

impl Routed {
    /// Returns the marks that this process has known for long enough.
    fn old_of(&self, marks: Vec<Mark>) -> Vec<Mark> {
        let (mut ages, now) = (self.ages.lock(), Instant::now());
        let present: HashSet<_> = marks.iter().map(|mark| mark.id).collect();
        ages.retain(|id, _| present.contains(id));
        let mut is_old =
            |mark: &Mark| now.duration_since(*ages.entry(mark.id).or_insert(now)) >= OLD;
        let old = marks.into_iter().filter(|mark| is_old(mark)).collect();
        drop(ages);
        old
    }
}

impl RoutedDocuments {
    async fn marks(&self, most: usize) -> StoreResult<Vec<Mark>> {
        let mut marks: Vec<Mark> = Vec::new();
        loop {
            let page = self.0.marks.list(marks.last().map(|mark| mark.id), PAGE).await?;
            let is_last = page.len() < PAGE as usize;
            marks.extend(page);
            if is_last || marks.len() >= most {
                return Ok(marks);
            }
        }
    }

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
        let marked: HashSet<_> =
            self.marks(MOST).await?.into_iter().map(|mark| mark.path).collect();
        let mut differing = Vec::new();
        for path in paths.into_iter().filter(|path| !marked.contains(path)) {
            let one = std::slice::from_ref(&path);
            let copy = second.get_stored(one).await;
            let truth = first.get_stored(one).await?.pop();
            let is_equal = copy.is_ok_and(|mut copy| match (&truth, copy.pop()) {
                (Some(truth), Some(copy)) => is_same(truth, &copy),
                (None, None) => true,
                _ => false,
            });
            if !is_equal {
                differing.push(path);
            }
        }
        Ok(differing)
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
        let marks = self.marks(MOST).await?;
        let old = self.0.old_of(marks);
        if self.0.route().mirrors {
            self.0.mend_marked(&old).await?;
        } else {
            // There is no second place any more.
            self.0.marks.remove(&old.iter().map(|mark| mark.id).collect::<Vec<_>>()).await?;
        }
        Ok(old.len() as u64)
    }

    async fn compare(&self, mend: bool) -> StoreResult<Option<Differences>> {
        let route = self.0.route();
        let Some(shadow) = route.shadow.as_ref().filter(|_| route.mirrors) else {
            return Ok(None);
        };
        let (first, second) = (&*route.primary, &**shadow);
        let (mut comparison, mut found) = (Comparison::default(), Differences::default());
        while let Some(differing) = comparison.next(first, second).await? {
            for path in self.still_differing((first, second), differing).await? {
                if mend {
                    self.0.mend(&path).await?;
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
