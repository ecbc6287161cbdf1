//! The long steps of a move: copying what was there before, and comparing every record.

use super::{
    Mark,
    comparison::{Comparison, count},
    mirror::AT_ONCE,
    mover::{COMPARED, Work},
};
use futures::TryStreamExt as _;
use izanagi_domain::storage::{MoveProgress, RecordIndex, StoreResult};

/// Collections named at once.
const NAMES: u32 = 200;
/// Records read at once.
const PAGE: u32 = 100;
/// Marks read at once.
const MARKS: u32 = 500;

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
            futures::stream::iter(records.iter().map(Ok))
                .try_for_each_concurrent(AT_ONCE, |record| target.replicate(record))
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
            mended += self.routed.mend_many(differing).await?;
            progress.done = comparison.done;
            self.report_now_and_then(&progress).await?;
        }
        progress.position = COMPARED.to_owned();
        self.report(&progress).await?;
        Ok(mended)
    }

    /// Mends what writes have marked in the meantime, without touching the marks of writes that are
    /// under way; returns how many marks there were.
    pub(super) async fn mend_recent(&self) -> StoreResult<u64> {
        let (mut after, mut seen) = (None, 0);
        loop {
            let marks: Vec<Mark> = self.routed.marks.list(after, MARKS).await?;
            let Some(last) = marks.last() else { return Ok(seen) };
            after = Some(last.id);
            seen += marks.len() as u64;
            self.routed.mend_many(marks.into_iter().map(|mark| mark.path).collect()).await?;
        }
    }
}
