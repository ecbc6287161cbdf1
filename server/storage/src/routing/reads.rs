//! The document store over a route.

use super::{Reads, Route, Routed, counters::Class, mirror::is_same, writes::Write};
use async_trait::async_trait;
use izanagi_domain::storage::{
    Data, DocumentStore, NewRecord, Record, RecordIndex, RecordPatch, RecordPath, RecordWatch,
    ResumeToken, StoreError, StoreResult,
};
use izanagi_shared::time::Timestamp;
use std::{collections::HashMap, sync::Arc};

/// A handle of a routed store.
#[derive(Clone)]
pub(crate) struct RoutedDocuments(pub(crate) Arc<Routed>);

impl Routed {
    /// Compares what both places answered. A difference may be a write that came in between, so it is
    /// read once more before it counts.
    async fn compare(&self, route: &Route, paths: &[RecordPath], answer: &[Record]) {
        let Some(shadow) = &route.shadow else { return };
        let differs = |truth: &[Record], copies: Vec<Record>| -> Vec<RecordPath> {
            let copies: HashMap<_, _> =
                copies.iter().map(|copy| (copy.path.clone(), copy)).collect();
            let find = |path: &RecordPath| truth.iter().find(|record| record.path == *path);
            let is_equal = |path: &&RecordPath| match (find(path), copies.get(*path)) {
                (None, None) => false,
                (Some(truth), Some(copy)) => !is_same(truth, copy),
                _ => true,
            };
            paths.iter().filter(is_equal).cloned().collect()
        };
        let Ok(copies) = shadow.get_many(paths).await else {
            self.counters.shadow_failed();
            return;
        };
        let suspects = differs(answer, copies);
        if suspects.is_empty() {
            return;
        }
        let again = (shadow.get_many(&suspects).await, route.primary.get_many(&suspects).await);
        let (Ok(copies), Ok(truth)) = again else { return };
        for path in differs(&truth, copies).into_iter().filter(|path| suspects.contains(path)) {
            self.counters.differed();
            tracing::warn!(%path, "the two places of the documents differ");
        }
    }

    async fn read(&self, paths: &[RecordPath]) -> StoreResult<Vec<Record>> {
        let route = self.begin(Class::Read)?;
        let answer = route.primary.get_many(paths).await?;
        if route.reads == Reads::Both {
            self.compare(&route, paths, &answer).await;
        }
        Ok(answer)
    }

    /// Reads from the second place, and what it lacks from the first.
    async fn read_copies(&self, paths: &[RecordPath]) -> StoreResult<Vec<Record>> {
        let route = self.begin(Class::Read)?;
        let Some(shadow) = route.shadow.as_ref().filter(|_| route.reads == Reads::Shadow) else {
            return self.read(paths).await;
        };
        let mut found = match shadow.get_many(paths).await {
            Ok(found) => found,
            Err(error) => {
                self.counters.shadow_failed();
                tracing::debug!(%error, "the second place of the documents does not answer");
                Vec::new()
            }
        };
        let is_missing = |path: &&RecordPath| found.iter().all(|record| record.path != **path);
        let missing: Vec<_> = paths.iter().filter(is_missing).cloned().collect();
        if !missing.is_empty() {
            found.extend(route.primary.get_many(&missing).await?);
        }
        Ok(found)
    }
}

/// Runs a write in one place, or in both.
macro_rules! write {
    ($self:ident, $route:ident => $direct:expr, $write:expr) => {{
        let ($route, pass) = $self.0.begin_write().await?;
        if $route.mirrors {
            $self.0.write_to_both(($route, pass), $write).await
        } else {
            let result = $direct.await;
            $self.0.end_write(pass, result)
        }
    }};
}

#[async_trait]
impl DocumentStore for RoutedDocuments {
    async fn get(&self, path: &RecordPath) -> StoreResult<Record> {
        self.0.read(std::slice::from_ref(path)).await?.pop().ok_or(StoreError::NotFound)
    }

    async fn get_many(&self, paths: &[RecordPath]) -> StoreResult<Vec<Record>> {
        self.0.read(paths).await
    }

    async fn get_copies(&self, paths: &[RecordPath]) -> StoreResult<Vec<Record>> {
        self.0.read_copies(paths).await
    }

    async fn get_stored(&self, paths: &[RecordPath]) -> StoreResult<Vec<Record>> {
        self.0.begin(Class::Read)?.primary.get_stored(paths).await
    }

    async fn collections(&self, after: Option<&str>, limit: u32) -> StoreResult<Vec<String>> {
        self.0.begin(Class::Bulk)?.primary.collections(after, limit).await
    }

    async fn replicate(&self, record: &Record) -> StoreResult<()> {
        let written = write!(self, route => async {
            route.primary.replicate(record).await.map(|()| 0)
        }, Write::Replicate(Box::new(record.clone())));
        written.map(drop)
    }

    async fn create(&self, record: &NewRecord, at: Timestamp) -> StoreResult<()> {
        let written = write!(self, route => async {
            route.primary.create(record, at).await.map(|()| 1)
        }, Write::Create(record.clone(), at));
        written.map(drop)
    }

    async fn update(
        &self,
        path: &RecordPath,
        expected: u64,
        data: &Data,
        at: Timestamp,
    ) -> StoreResult<u64> {
        write!(self, route => route.primary.update(path, expected, data, at),
            Write::Update(path.clone(), expected, data.clone(), at))
    }

    async fn patch(
        &self,
        path: &RecordPath,
        expected: u64,
        patch: &RecordPatch,
        at: Timestamp,
    ) -> StoreResult<u64> {
        write!(self, route => route.primary.patch(path, expected, patch, at),
            Write::Patch(path.clone(), expected, patch.clone(), at))
    }

    async fn delete(&self, path: &RecordPath, at: Timestamp) -> StoreResult<()> {
        let written = write!(self, route => async {
            route.primary.delete(path, at).await.map(|()| 0)
        }, Write::Delete(path.clone(), at));
        written.map(drop)
    }

    async fn purge(&self, path: &RecordPath) -> StoreResult<()> {
        let written = write!(self, route => async {
            route.primary.purge(path).await.map(|()| 0)
        }, Write::Purge(path.clone()));
        written.map(drop)
    }

    async fn query(
        &self,
        index: RecordIndex,
        collection: &str,
        after: Option<&str>,
        limit: u32,
        with_deleted: bool,
    ) -> StoreResult<Vec<Record>> {
        let route = self.0.begin(Class::Bulk)?;
        route.primary.query(index, collection, after, limit, with_deleted).await
    }

    async fn paths(
        &self,
        index: RecordIndex,
        collection: &str,
        after: Option<&str>,
        limit: u32,
        with_deleted: bool,
    ) -> StoreResult<Vec<RecordPath>> {
        let route = self.0.begin(Class::Bulk)?;
        route.primary.paths(index, collection, after, limit, with_deleted).await
    }

    /// Follows the place that is the first now; a watch that outlives a move has to start over.
    async fn watch(
        &self,
        collection: Option<&str>,
        after: Option<&ResumeToken>,
    ) -> StoreResult<Box<dyn RecordWatch>> {
        self.0.begin(Class::Bulk)?.primary.watch(collection, after).await
    }

    /// Each place has its own retention; equal settings remove equal records.
    async fn forget(&self, now: Timestamp) -> StoreResult<()> {
        let route = self.0.begin(Class::Bulk)?;
        route.primary.forget(now).await?;
        if let Some(shadow) = route.shadow.as_ref().filter(|_| route.mirrors)
            && let Err(error) = shadow.forget(now).await
        {
            // A later retention removes it, or a comparison.
            self.0.counters.shadow_failed();
            tracing::warn!(%error, "the second place of the documents keeps what is past retention");
        }
        Ok(())
    }

    async fn close(&self) {
        let route = self.0.route();
        if let Some(shadow) = &route.shadow {
            shadow.close().await;
        }
        route.primary.close().await;
    }
}
