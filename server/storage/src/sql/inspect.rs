//! Reading everything, for `fsck`.

use super::{
    Db,
    document_row::{self, document},
    intents::{self, intent},
    statement::{Statement, args},
};
use async_trait::async_trait;
use izanagi_domain::storage::{
    CommitIntent, DocumentRow, Inspect, OpsSummary, StoreError, StoreResult,
};
use izanagi_shared::id::DocumentId;
use std::sync::Arc;

pub(crate) struct SqlInspect {
    pub(crate) db: Arc<Db>,
}

#[async_trait]
impl Inspect for SqlInspect {
    async fn documents(
        &self,
        after: Option<DocumentId>,
        limit: u32,
    ) -> StoreResult<Vec<DocumentRow>> {
        let mut query = Statement::new("SELECT ");
        query.push(document_row::COLUMNS).push(" FROM documents d");
        if let Some(after) = after {
            query.push(" WHERE d.id > ").push_arg(after);
        }
        query.push(" ORDER BY d.id LIMIT ").push_arg(limit);
        self.db.fetch(query).await?.iter().map(document).collect()
    }

    async fn intents(&self, document: DocumentId) -> StoreResult<Vec<CommitIntent>> {
        let mut query = Statement::new("SELECT ");
        query.push(intents::COLUMNS).push(" FROM commit_intents WHERE document_id = ");
        query.push_arg(document).push(" ORDER BY commit_id");
        self.db.fetch(query).await?.iter().map(intent).collect()
    }

    async fn ops(&self, document: DocumentId) -> StoreResult<OpsSummary> {
        let query = Statement::with(
            "SELECT COALESCE(MAX(seq), 0) AS highest, \
             CAST(COALESCE(SUM(CASE WHEN uses > 1 THEN uses ELSE 0 END), 0) AS BIGINT) AS shared, \
             (SELECT COUNT(*) FROM document_owners WHERE document_id = $1) AS owners \
             FROM (SELECT seq, COUNT(*) AS uses FROM document_ops WHERE document_id = $1 \
             GROUP BY seq) AS numbers",
            args![document],
        );
        let row = self.db.fetch_one(query).await?;
        Ok(OpsSummary {
            highest_op_seq: row.get("highest")?,
            shared_numbers: row.get("shared")?,
            owners: row.get("owners")?,
        })
    }

    async fn integrity(&self) -> StoreResult<Vec<String>> {
        match self.db.integrity().await {
            // Too broken to be checked is broken.
            Err(StoreError::Corrupt(what)) => Ok(vec![what]),
            result => result,
        }
    }
}
