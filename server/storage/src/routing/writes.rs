//! Writes of a routed store. The first place decides. With two places, a mark is written before, and
//! removed when both have the record: a crash in between leaves a trace.

use super::{Route, Routed, route::Admitted};
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
            Self::Replicate(record) => store.replicate(record).await.map(|()| 0),
        }
    }

    /// Brings the second place to the state that the write has left in the first.
    async fn mirror(&self, route: &Route) -> StoreResult<()> {
        let Some(shadow) = &route.shadow else {
            return Err(StoreError::Unavailable("the second place is not open".to_owned()));
        };
        match self {
            Self::Create(new, at) => {
                let record = Record {
                    path: new.path.clone(),
                    version: 1,
                    created_at: *at,
                    updated_at: *at,
                    deleted: false,
                    data: new.data.clone(),
                };
                shadow.replicate(&record).await
            }
            Self::Purge(path) => shadow.purge(path).await,
            Self::Update(path, ..) | Self::Patch(path, ..) | Self::Delete(path, _) => {
                match route.primary.get_stored(std::slice::from_ref(path)).await?.pop() {
                    Some(record) => shadow.replicate(&record).await,
                    None => shadow.purge(path).await,
                }
            }
            Self::Replicate(record) => shadow.replicate(record).await,
        }
    }
}

impl Routed {
    /// Runs a write in both places, to its end even if the caller is dropped: the gate must know of it.
    pub(super) async fn write_to_both(
        self: &Arc<Self>,
        (route, pass): Admitted,
        write: Write,
    ) -> StoreResult<u64> {
        let this = Arc::clone(self);
        let task = tokio::spawn(async move {
            let result = this.write_both(&route, &write).await;
            drop(pass);
            result
        });
        task.await.unwrap_or_else(|error| Err(StoreError::Unknown(error.to_string())))
    }

    async fn write_both(&self, route: &Route, write: &Write) -> StoreResult<u64> {
        let path = write.path();
        let mark = self.marks.add(path, self.clock.now()).await.map_err(|error| {
            // Nothing was sent to the first place.
            StoreError::Unavailable(format!("{path} could not be marked: {error}"))
        })?;
        let result = write.run(route).await;
        let is_settled = match &result {
            Ok(_) => self.mirror(route, write).await,
            Err(StoreError::Unknown(_)) => false,
            Err(_) => true,
        };
        let is_marked = if is_settled {
            self.marks.remove(&[mark]).await.map(|removed| removed > 0)
        } else {
            self.marks.has(mark).await
        };
        match is_marked {
            // While this process stood still, a move went on without it: it may have written to a place
            // that nobody reads any more.
            Ok(false) if result.is_ok() => {
                Err(StoreError::Unknown(format!("{path} was written late, during a move")))
            }
            Err(error) if result.is_ok() => Err(StoreError::Unknown(format!(
                "{path} was written, and its mark is lost: {error}"
            ))),
            Ok(_) | Err(_) => result,
        }
    }

    /// Returns whether the second place has the record.
    async fn mirror(&self, route: &Route, write: &Write) -> bool {
        if self.rests() {
            self.counters.shadow_failed();
            return false;
        }
        let mirrored = tokio::time::timeout(PATIENCE, write.mirror(route)).await;
        let error = match mirrored {
            Ok(Ok(())) => return true,
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {} s", PATIENCE.as_secs()),
        };
        self.counters.shadow_failed();
        self.rest();
        tracing::warn!(path = %write.path(), error, "the second place of the documents failed; to be repaired");
        false
    }
}
