//! Committed versions.

use super::{
    changes,
    database::{Database, Transaction as _},
    outbox,
    statement::{Statement, args},
    version_row::{SELECT, facts_hash, version},
};
use async_trait::async_trait;
use izanagi_domain::storage::{
    ChangeKind, Freshness, Ids, StoreError, StoreResult, Topic, VersionFilter, VersionRow,
    VersionStore, short_hash,
};
use izanagi_shared::{
    id::{CommitId, DocumentId},
    time::Timestamp,
};
use std::sync::Arc;

pub(crate) struct SqlVersions<D> {
    pub(crate) db: Arc<D>,
    pub(crate) ids: Arc<dyn Ids>,
}

/// Indexed prefix of the content hash: `substr(content_hash, 1, 8)`.
const INDEXED_BYTES: usize = 8;

fn select_one(document: DocumentId, number: u64) -> Statement {
    let mut query = Statement::new(SELECT);
    query.push("v.document_id = ").push_arg(document);
    query.push(" AND v.version_number = ").push_arg(number);
    query
}

impl<D: Database> SqlVersions<D> {
    async fn one(&self, query: Statement) -> StoreResult<VersionRow> {
        version(&self.db.fetch_one(Freshness::Fresh, query).await?)
    }

    async fn many(&self, freshness: Freshness, query: Statement) -> StoreResult<Vec<VersionRow>> {
        self.db.fetch(freshness, query).await?.iter().map(version).collect()
    }
}

#[async_trait]
impl<D: Database> VersionStore for SqlVersions<D> {
    async fn get(
        &self,
        freshness: Freshness,
        document: DocumentId,
        number: u64,
    ) -> StoreResult<VersionRow> {
        version(&self.db.fetch_one(freshness, select_one(document, number)).await?)
    }

    async fn by_commit(&self, commit: CommitId) -> StoreResult<VersionRow> {
        let mut query = Statement::new(SELECT);
        query.push("v.commit_id = ").push_arg(commit);
        self.one(query).await
    }

    async fn by_request(&self, key: &[u8; 32]) -> StoreResult<VersionRow> {
        let mut query = Statement::new(SELECT);
        query.push("v.request_key = ").push_arg(short_hash(key));
        self.one(query).await
    }

    async fn by_content(&self, document: DocumentId, hash: &[u8; 32]) -> StoreResult<VersionRow> {
        let (prefix, _) = hash.split_at(INDEXED_BYTES);
        let mut query = Statement::new(SELECT);
        query.push("v.document_id = ").push_arg(document);
        query.push(" AND v.version_number = (SELECT MAX(version_number) FROM versions");
        query.push(" WHERE document_id = ").push_arg(document);
        query.push(" AND substr(content_hash, 1, 8) = ").push_arg(prefix.to_vec());
        query.push(" AND content_hash = ").push_arg(hash).push(")");
        self.one(query).await
    }

    async fn range(
        &self,
        document: DocumentId,
        from: u64,
        to: u64,
    ) -> StoreResult<Vec<VersionRow>> {
        let mut query = Statement::new(SELECT);
        query.push("v.document_id = ").push_arg(document);
        query.push(" AND v.version_number BETWEEN ").push_arg(from).push(" AND ").push_arg(to);
        query.push(" ORDER BY v.version_number");
        self.many(Freshness::Fresh, query).await
    }

    async fn list(&self, filter: &VersionFilter) -> StoreResult<(Vec<VersionRow>, u64)> {
        let named = if filter.named { " AND v.name IS NOT NULL" } else { "" };
        // Numbers have no gaps, so the newest is the number of versions.
        let mut count = Statement::new(match filter.named {
            true => "SELECT COUNT(*) AS total FROM versions v WHERE v.document_id = ",
            false => {
                "SELECT COALESCE(MAX(version_number), 0) AS total FROM versions v \
                 WHERE v.document_id = "
            }
        });
        count.push_arg(filter.document_id).push(named);
        let total = self.db.fetch_one(filter.freshness, count).await?.get("total")?;

        let mut query = Statement::new(SELECT);
        query.push("v.document_id = ").push_arg(filter.document_id).push(named);
        if let Some(below) = filter.below {
            query.push(" AND v.version_number < ").push_arg(below);
        }
        query.push(" ORDER BY v.version_number DESC LIMIT ").push_arg(filter.limit);
        query.push(" OFFSET ").push_arg(filter.offset);
        Ok((self.many(filter.freshness, query).await?, total))
    }

    async fn set_name(
        &self,
        document: DocumentId,
        number: u64,
        name: Option<&str>,
        at: Timestamp,
    ) -> StoreResult<VersionRow> {
        // Removing the name does not clear `keep_whole`: a version worth naming stays cheap to
        // read.
        let key = format!("{document}/{number}");
        let job = name.map(|_| outbox::insert(&*self.ids, Topic::MakeWhole, &key, at));
        let name = name.map(str::to_owned);
        let row = self.db.write(move |transaction| {
            let (name, job) = (name.clone(), job.clone());
            Box::pin(async move {
                transaction.lock(Statement::with(
                    "SELECT commit_id FROM versions WHERE document_id = $1 AND version_number = $2",
                    args![document, number],
                ));
                let row = transaction.fetch_optional(select_one(document, number)).await?;
                let mut row = version(&row.ok_or(StoreError::NotFound)?)?;
                if !row.has_intact_facts {
                    return Err(StoreError::Corrupt("the row does not match its hash".into()));
                }
                row.keep_whole |= name.is_some();
                row.name = name;
                transaction.later(Statement::with(
                    "UPDATE versions SET name = $3, keep_whole = $4, facts_hash = $5 \
                     WHERE document_id = $1 AND version_number = $2",
                    args![document, number, row.name.clone(), row.keep_whole, facts_hash(&row)],
                ));
                job.into_iter().for_each(|job| transaction.later(job));
                transaction.later(changes::note(document, ChangeKind::Version, at));
                Ok(row)
            })
        });
        row.await
    }

    async fn set_stored(&self, document: DocumentId, number: u64, delta: bool) -> StoreResult<()> {
        let update = Statement::with(
            "UPDATE versions SET is_delta = $3 WHERE document_id = $1 AND version_number = $2",
            args![document, number, delta],
        );
        match self.db.execute(update).await? {
            0 => Err(StoreError::NotFound),
            _ => Ok(()),
        }
    }
}
