//! Writes of a routed store. The first place decides. With two places, a mark is written before, and
//! removed when both have the record: a crash in between leaves a trace.

use super::{Route, Routed, mirror::Surplus, route::Admitted};
use izanagi_domain::storage::{
    Data, NewRecord, Record, RecordPatch, RecordPath, StoreError, StoreResult,
};
use izanagi_shared::time::Timestamp;
use std::{sync::Arc, time::Duration};

/// How long a write waits for the second place.
const PATIENCE: Duration = Duration::from_secs(2);

/// A write of one record, kept so that it can go on when its caller is gone.
#[derive(Debug, Clone)]
pub(super) enum Write {
    Create(NewRecord, Timestamp),
    Update(RecordPath, u64, Data, Timestamp),
    Patch(RecordPath, u64, RecordPatch, Timestamp),
    Delete(RecordPath, Timestamp),
    Purge(RecordPath),
    Replicate(Box<Record>),
}

impl Write {
    fn path(&self) -> &RecordPath {
        match self {
            Self::Create(new, _) => &new.path,
            Self::Update(path, ..)
            | Self::Patch(path, ..)
            | Self::Delete(path, _)
            | Self::Purge(path) => path,
            Self::Replicate(record) => &record.path,
        }
    }

    /// Runs it in the first place; returns the new version where there is one.
    async fn run(&self, route: &Route) -> StoreResult<u64> {
        let store = &*route.primary;
        match self {
            Self::Create(new, at) => store.create(new, *at).await.map(|()| 1),
            Self::Update(path, expected, data, at) => {
                store.update(path, *expected, data, *at).await
            }
            Self::Patch(path, expected, patch, at) => {
                store.patch(path, *expected, patch, *at).await
            }
            Self::Delete(path, at) => store.delete(path, *at).await.map(|()| 0),
            Self::Purge(path) => store.purge(path).await.map(|()| 0),
            Self::Replicate(record) => store.replicate(record).await.map(u64::from),
        }
    }

    /// Whether it removes the record for good.
    const fn purges(&self) -> bool {
        matches!(self, Self::Purge(_))
    }
}

impl Routed {
    /// Runs a write in both places, to its end even if the caller is dropped: the gate must know of it.
    pub(super) async fn write_to_both(
        self: &Arc<Self>,
        admitted: Admitted,
        write: Write,
    ) -> StoreResult<u64> {
        let this = Arc::clone(self);
        let task = tokio::spawn(async move { this.write_both(&admitted, &write).await });
        task.await.unwrap_or_else(|error| Err(StoreError::Unknown(error.to_string())))
    }

    async fn write_both(self: &Arc<Self>, admitted: &Admitted, write: &Write) -> StoreResult<u64> {
        let (path, route) = (write.path(), &admitted.0);
        let mark = self.marks.add(path, route.origin, write.purges()).await.map_err(|error| {
            // Nothing was sent to the first place.
            StoreError::Unavailable(format!("{path} could not be marked: {error}"))
        })?;
        // Marking may have taken long. The mark of what was not written does no harm.
        self.require_route(route)?;
        let result = write.run(route).await;
        let is_settled = match &result {
            // A driver has sent it twice: the first time may have written.
            Ok(_) | Err(StoreError::Conflict(_)) => self.mirror(admitted, write).await,
            Err(StoreError::Unknown(_)) => false,
            Err(_) => true,
        };
        let is_marked = match (is_settled, write) {
            (false, _) => self.marks.has(mark).await,
            (true, Write::Purge(_)) => match self.marks.remove_purge(mark).await {
                Ok(false) => self.marks.has(mark).await,
                removed => removed,
            },
            (true, _) => self.marks.remove(&[mark]).await.map(|removed| removed > 0),
        };
        match (is_marked, self.require_route(route)) {
            // While this process stood still, a move may have gone on without it: it may have written to
            // a place that nobody reads any more.
            (_, Err(error)) if result.is_ok() => {
                Err(StoreError::Unknown(format!("{path} was written late, during a move: {error}")))
            }
            (Ok(false), _) => {
                // Whoever has removed the mark did not see this write.
                self.marks.add(path, route.origin, write.purges()).await.map_err(|error| {
                    StoreError::Unknown(format!(
                        "{path} was written, and its mark is lost: {error}"
                    ))
                })?;
                result.and_then(|_| {
                    Err(StoreError::Unknown(format!("{path} was written late, during a move")))
                })
            }
            (Err(error), _) if result.is_ok() => Err(StoreError::Unknown(format!(
                "{path} was written, and its mark may be lost: {error}"
            ))),
            _ => result,
        }
    }

    /// Returns whether both places are equal.
    async fn mirror(self: &Arc<Self>, admitted: &Admitted, write: &Write) -> bool {
        if self.rests() {
            self.counters.shadow_failed();
            return false;
        }
        let surplus = if write.purges() { Surplus::Remove } else { Surplus::Keep };
        let (this, admitted, path) = (Arc::clone(self), admitted.clone(), write.path().clone());
        // What the second place has been sent must reach it before the gate closes, however long that
        // takes: a late removal must not meet a later record.
        let task = tokio::spawn(async move { this.mend_admitted(&admitted, &path, surplus).await });
        let error = match tokio::time::timeout(PATIENCE, task).await {
            // What only the second place has is a difference to report, not one to write.
            Ok(Ok(Ok(_))) => return true,
            Ok(Ok(Err(error))) => error.to_string(),
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {} s", PATIENCE.as_secs()),
        };
        self.counters.shadow_failed();
        self.rest();
        tracing::warn!(path = %write.path(), error, "the second place of the documents failed; to be repaired");
        false
    }
}
