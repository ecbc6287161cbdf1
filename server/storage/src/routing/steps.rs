//! The long steps of a move: copying what was there before, and comparing every record.

use super::{
    comparison::{Comparison, count},
    leader::Work,
    mirror::{AT_ONCE, Surplus},
    repair::MOST,
    route::Pass,
};
use futures::TryStreamExt as _;
use izanagi_domain::storage::{MoveProgress, RecordIndex, StoreResult};
use std::sync::Arc;

/// Collections named at once.
const NAMES: u32 = 200;
/// Records read at once.
const PAGE: u32 = 100;

impl Work<'_> {
    /// Copies every record of the source that the target lacks, collection by collection. Resumes after
    /// the last one that was done.
    pub(super) async fn copy_all(&self, mut progress: MoveProgress) -> StoreResult<()> {
        if progress.total == 0 {
            progress.total = count(&*self.source.store).await?;
        }
        loop {
            let after = Some(progress.position.as_str()).filter(|name| !name.is_empty());
            let names = self.source.store.collections(after, NAMES).await?;
            if names.is_empty() {
                return Ok(());
            }
            for name in names {
                self.copy_collection(&name).await?;
                progress.position = name;
                progress.done += 1;
                self.report_now_and_then(&progress).await?;
            }
            self.report(&progress).await?;
        }
    }

    async fn copy_collection(&self, name: &str) -> StoreResult<()> {
        let (source, target) = (&self.source.store, &self.target.store);
        let mut after = None::<String>;
        loop {
            let index = RecordIndex::CollectionId;
            let records = source.query(index, name, after.as_deref(), PAGE, true).await?;
            let Some(last) = records.last() else { return Ok(()) };
            after = Some(last.path.id().to_owned());
            self.keep_now_and_then().await?;
            futures::stream::iter(records.into_iter().map(Ok))
                .try_for_each_concurrent(AT_ONCE, |record| {
                    self.routed.back_fill(Arc::clone(target), record)
                })
                .await?;
        }
    }

    /// Compares every record of both places, and mends those that differ; returns how many did.
    pub(super) async fn compare_all(&self) -> StoreResult<u64> {
        let (source, target) = (&*self.source.store, &*self.target.store);
        let total = count(source).await? + count(target).await?;
        let mut progress = MoveProgress { total, ..MoveProgress::default() };
        let (mut comparison, mut mended) = (Comparison::default(), 0);
        while let Some(differing) = comparison.next(source, target).await? {
            mended += self.routed.mend_many(differing, Surplus::Remove).await?;
            progress.done = comparison.done;
            self.report_now_and_then(&progress).await?;
        }
        self.report(&progress).await?;
        Ok(mended)
    }

    /// Mends what writes have marked in the meantime; returns how many marks there were. Marks of
    /// writes that may be under way remain.
    pub(super) async fn mend_recent(&self) -> StoreResult<u64> {
        let marks = self.routed.all_marks(MOST).await?;
        let seen = marks.len() as u64;
        let old = self.routed.old_of(&marks);
        self.routed.mend_marked(&old, Pass::Gate, None).await?;
        let recent = marks.into_iter().filter(|mark| !old.contains(mark));
        self.routed.mend_many(recent.map(|mark| mark.path).collect(), Surplus::Remove).await?;
        Ok(seen)
    }
}
