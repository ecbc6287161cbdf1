//! Whole records: copies of those of another store, and patches that the server would misread.

use super::{
    MongoDb, RECORD_INDEX, errors, record,
    store::{decode, encoded},
};
use izanagi_domain::storage::{
    Constraint, DocumentStore as _, Record, RecordPatch, RecordPath, StoreError, StoreResult,
};
use izanagi_shared::time::Timestamp;
use mongodb::{
    bson::doc,
    options::{Hint, ReadPreference, SelectionCriteria},
};

/// Ids per query.
const IDS: usize = 1_000;

impl MongoDb {
    /// Returns the existing records among these paths, soft-deleted ones too.
    pub(super) async fn found(&self, paths: &[RecordPath]) -> StoreResult<Vec<Record>> {
        let mut found = Vec::with_capacity(paths.len());
        for paths in paths.chunks(IDS) {
            let ids: Vec<String> = paths.iter().map(record::id_of).collect();
            let find = self.find(doc! { "_id": { "$in": ids } });
            found.extend(decode(self.collect(find).await?).await?);
        }
        Ok(found)
    }

    /// Returns the existing records among these paths, from a replica if that has them.
    pub(super) async fn copies(&self, paths: &[RecordPath]) -> StoreResult<Vec<Record>> {
        if !self.reads_replicas {
            return self.get_many(paths).await;
        }
        let mut found = Vec::with_capacity(paths.len());
        for paths in paths.chunks(IDS) {
            let ids: Vec<String> = paths.iter().map(record::id_of).collect();
            let near = ReadPreference::SecondaryPreferred { options: None };
            let find = self
                .find(doc! { "_id": { "$in": ids } })
                .selection_criteria(SelectionCriteria::ReadPreference(near));
            found.extend(decode(self.collect(find).await?).await?);
        }
        let is_missing = |path: &&RecordPath| found.iter().all(|record| record.path != **path);
        let missing: Vec<RecordPath> = paths.iter().filter(is_missing).cloned().collect();
        found.extend(self.found(&missing).await?);
        found.retain(|record| !record.deleted);
        Ok(found)
    }

    /// Returns names of collections. Each is one step in the index, however many records it has.
    pub(super) async fn names(&self, after: Option<&str>, limit: u32) -> StoreResult<Vec<String>> {
        let mut names: Vec<String> = Vec::new();
        for _ in 0..limit {
            let last = names.last().map(String::as_str).or(after);
            let filter = last.map_or_else(
                || doc! { "collection": { "$gte": "" } },
                |last| doc! { "collection": { "$gt": last } },
            );
            let find = self
                .find(filter)
                .sort(doc! { "collection": 1, "_id": 1 })
                .limit(1)
                .projection(doc! { "collection": 1 })
                .hint(Hint::Name(RECORD_INDEX.to_owned()));
            let found = self.collect(find).await?;
            let Some(document) = found.first() else { break };
            let name = document.get_str("collection");
            names.push(name.map_err(|error| StoreError::Corrupt(error.to_string()))?.to_owned());
        }
        Ok(names)
    }

    /// Stores a record with its version and times, unless there is one of this version or a newer one.
    pub(super) async fn copy(&self, record: &Record) -> StoreResult<()> {
        let copy = record.clone();
        let document = encoded(&record.data, move || record::encode_stored(&copy)).await?;
        let version = i64::try_from(record.version).unwrap_or(i64::MAX);
        let older = doc! {
            "_id": record::id_of(&record.path),
            "version": { "$lt": version },
            "purged": { "$exists": false },
        };
        let write =
            async { self.records.replace_one(older, &document).upsert(true).await.map(drop) };
        // The filter leaves out what is as new. The server then tries to insert the copy beside it.
        let kept = async {
            match write.await {
                Err(error) if errors::is_duplicate(&error) => Ok(()),
                written => written,
            }
        };
        self.write_idempotent(kept).await
    }

    /// Patches fields whose names the server would misread: the whole data is sent, for the state
    /// that was read.
    pub(super) async fn patch_whole(
        &self,
        path: &RecordPath,
        expected: u64,
        patch: &RecordPatch,
        at: Timestamp,
    ) -> StoreResult<u64> {
        let mut record = self.get(path).await?;
        if record.version != expected {
            return Err(StoreError::Conflict(Constraint::RecordVersion));
        }
        patch.apply(&mut record.data);
        self.update(path, expected, &record.data, at).await
    }
}
