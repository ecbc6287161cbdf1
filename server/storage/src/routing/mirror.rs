//! Making a record in the second place equal to that of the first.

use super::{Routed, counters::Class, marks::Mark};
use futures::{StreamExt as _, TryStreamExt as _};
use izanagi_domain::storage::{DocumentStore, Record, RecordPath, StoreError, StoreResult};
use std::collections::HashMap;
use uuid::Uuid;

/// Records mended at once.
pub(super) const AT_ONCE: usize = 8;
/// Marks read at once.
const PAGE: u32 = 500;

/// Whether two records are the same in every respect.
pub(super) fn is_same(one: &Record, other: &Record) -> bool {
    one == other
}

/// Returns a record, even if it is soft-deleted. What cannot be read is no record.
async fn stored(store: &dyn DocumentStore, path: &RecordPath) -> StoreResult<Option<Record>> {
    Ok(store.get_stored(std::slice::from_ref(path)).await?.pop())
}

/// Makes the record in `shadow` equal to that in `primary`; returns whether it differed.
///
/// # Errors
/// Those of the stores; `Corrupt` if the record of the primary is damaged, or if the copy still
/// differs.
pub(super) async fn mend(
    primary: &dyn DocumentStore,
    shadow: &dyn DocumentStore,
    path: &RecordPath,
) -> StoreResult<bool> {
    // The copy is read first: a newer one than that of the primary is then no race, but damage.
    let copy = match stored(shadow, path).await {
        Err(StoreError::Corrupt(why)) => {
            tracing::warn!(%path, why, "a copy of a record is damaged");
            shadow.purge(path).await?;
            None
        }
        copy => copy?,
    };
    let Some(truth) = stored(primary, path).await? else {
        if copy.is_some() {
            shadow.purge(path).await?;
        }
        return Ok(copy.is_some());
    };
    match copy {
        Some(copy) if is_same(&truth, &copy) => return Ok(false),
        Some(copy) if copy.version >= truth.version => shadow.purge(path).await?,
        _ => {}
    }
    shadow.replicate(&truth).await?;
    let copy = stored(shadow, path).await?;
    // Someone may have removed it in both places just before it was copied.
    if stored(primary, path).await?.is_none() {
        shadow.purge(path).await?;
        return Ok(true);
    }
    match copy {
        Some(copy) if copy.version > truth.version || is_same(&truth, &copy) => Ok(true),
        _ => Err(StoreError::Corrupt(format!("the copy of {path} differs after it was written"))),
    }
}

impl Routed {
    /// Mends the record at a path, if there are two places.
    pub(super) async fn mend(&self, path: &RecordPath) -> StoreResult<bool> {
        let route = self.route();
        let Some(shadow) = &route.shadow else {
            return match route.mirrors {
                true => Err(StoreError::Unavailable("the second place is not open".to_owned())),
                false => Ok(false),
            };
        };
        self.counters.count(Class::Migrate);
        let mended = mend(&*route.primary, &**shadow, path).await?;
        if mended {
            self.counters.repaired();
            tracing::debug!(%path, "the second place of the documents differed, and was mended");
        }
        Ok(mended)
    }

    /// Mends the records of these marks and removes the marks. The first error ends it.
    pub(super) async fn mend_marked(&self, marks: &[Mark]) -> StoreResult<()> {
        let mut ids: HashMap<&RecordPath, Vec<Uuid>> = HashMap::new();
        for mark in marks {
            ids.entry(&mark.path).or_default().push(mark.id);
        }
        futures::stream::iter(ids.into_iter().map(Ok))
            .try_for_each_concurrent(AT_ONCE, |(path, ids)| async move {
                self.mend(path).await?;
                self.marks.remove(&ids).await.map(drop)
            })
            .await
    }

    /// Mends all marked records. No write may be under way: its mark would be lost.
    pub(super) async fn mend_all_marked(&self) -> StoreResult<()> {
        loop {
            let marks = self.marks.list(None, PAGE).await?;
            if marks.is_empty() {
                return Ok(());
            }
            self.mend_marked(&marks).await?;
        }
    }

    /// Mends many records at once.
    pub(super) async fn mend_many(&self, paths: Vec<RecordPath>) -> StoreResult<u64> {
        let mended: Vec<bool> = futures::stream::iter(paths)
            .map(|path| async move { self.mend(&path).await })
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        Ok(mended.into_iter().filter(|mended| *mended).count() as u64)
    }
}
