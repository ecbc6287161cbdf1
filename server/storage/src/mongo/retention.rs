//! Removing records for good.

use super::{MongoDb, PURGE_INDEX, record};
use izanagi_domain::storage::{RecordPath, StoreError, StoreResult};
use izanagi_shared::time::Timestamp;
use mongodb::{
    bson::{Bson, Document, RawDocumentBuf, doc},
    options::Hint,
};

/// Soft-deleted records found at once.
const PURGED_AT_ONCE: i64 = 1_000;

/// Damaged records that one run passes over.
const MOST_DAMAGED: usize = 1_000;

impl MongoDb {
    /// Removes a record that meets a condition. In two steps: change streams do not tell the path of a
    /// record that was removed.
    pub(super) async fn purge_if(&self, path: &RecordPath, condition: Document) -> StoreResult<()> {
        let mut filter = condition;
        filter.extend(doc! { "_id": record::id_of(path), "purged": { "$exists": false } });
        let set = doc! { "deleted": true, "purged": path.to_string() };
        let mark = doc! { "$set": set.clone(), "$inc": { "version": 1 } };
        let marked = self
            .write_idempotent(async { self.records.update_one(filter.clone(), mark).await })
            .await;
        if matches!(marked, Err(StoreError::Corrupt(_))) {
            // Its version is damaged.
            let mark = doc! { "$set": set };
            self.write_idempotent(async { self.records.update_one(filter, mark).await }).await?;
        } else {
            marked?;
        }
        let filter = doc! { "_id": record::id_of(path), "purged": { "$exists": true } };
        self.write_idempotent(async { self.records.delete_one(filter).await }).await.map(drop)
    }

    /// Removes soft-deleted records that have not changed since `before`. What is damaged is skipped: the
    /// others would stay with it.
    pub(super) async fn forget_deleted(&self, before: Timestamp) -> StoreResult<()> {
        let before = before.as_micros();
        let old = doc! { "deleted": true, "updatedAt": { "$lt": before } };
        let mut damaged: Vec<Bson> = Vec::new();
        loop {
            let mut filter = old.clone();
            if !damaged.is_empty() {
                filter.insert("_id", doc! { "$nin": damaged.clone() });
            }
            let find = self
                .find(filter)
                .projection(doc! { "fullpath": 1, "collection": 1 })
                .sort(doc! { "deleted": 1, "updatedAt": 1 })
                .limit(PURGED_AT_ONCE)
                .hint(Hint::Name(PURGE_INDEX.to_owned()));
            let found = self.collect(find).await?;
            if found.is_empty() || damaged.len() > MOST_DAMAGED {
                return Ok(());
            }
            for document in found {
                let purged = match record::path(&document) {
                    Ok(path) => self.purge_if(&path, old.clone()).await,
                    Err(error) => Err(error),
                };
                match purged {
                    Ok(()) => {}
                    Err(StoreError::Corrupt(why)) => {
                        tracing::error!(why, "a damaged record is not removed");
                        damaged.push(id_of(&document)?);
                    }
                    Err(error) => return Err(error),
                }
            }
        }
    }
}

/// The id of a record, whatever it is.
fn id_of(document: &RawDocumentBuf) -> StoreResult<Bson> {
    let corrupt = |what: String| StoreError::Corrupt(what);
    let id = document.get("_id").map_err(|error| corrupt(error.to_string()))?;
    let id = id.ok_or_else(|| corrupt("a record without _id".to_owned()))?;
    Bson::try_from(id).map_err(|error| corrupt(error.to_string()))
}
