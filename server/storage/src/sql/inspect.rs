//! Full scans for `fsck`.

use super::{
    database::Database,
    document_row::fold,
    intents::{self, intent},
    statement::{Statement, args},
};
use async_trait::async_trait;
use izanagi_domain::storage::{
    Accounts, CommitIntent, FeedSummary, Freshness::Fresh, Inspect, OpsSummary, StoreError,
    StoreResult,
};
use izanagi_shared::id::{CommitId, DocumentId};
use std::sync::Arc;
use uuid::Uuid;

pub(crate) struct SqlInspect<D> {
    pub(crate) db: Arc<D>,
}

#[async_trait]
impl<D: Database> Inspect for SqlInspect<D> {
    async fn documents(
        &self,
        after: Option<DocumentId>,
        limit: u32,
    ) -> StoreResult<Vec<DocumentId>> {
        let mut query = Statement::new("SELECT id FROM documents");
        if let Some(after) = after {
            query.push(" WHERE id > ").push_arg(after);
        }
        query.push(" ORDER BY id LIMIT ").push_arg(limit);
        self.db.fetch(Fresh, query).await?.iter().map(|row| row.get("id")).collect()
    }

    async fn intents(&self, document: DocumentId) -> StoreResult<Vec<CommitIntent>> {
        let mut query = Statement::new("SELECT ");
        query.push(intents::COLUMNS).push(" FROM commit_intents WHERE document_id = ");
        query.push_arg(document).push(" ORDER BY commit_id");
        self.db.fetch(Fresh, query).await?.iter().map(intent).collect()
    }

    async fn abandoned(
        &self,
        after: Option<CommitId>,
        limit: u32,
    ) -> StoreResult<Vec<CommitIntent>> {
        let mut query = Statement::new("SELECT ");
        query.push(intents::COLUMNS).push(
            " FROM commit_intents i \
             WHERE NOT EXISTS (SELECT 1 FROM documents d WHERE d.id = i.document_id)",
        );
        if let Some(after) = after {
            query.push(" AND commit_id > ").push_arg(after);
        }
        query.push(" ORDER BY commit_id LIMIT ").push_arg(limit);
        self.db.fetch(Fresh, query).await?.iter().map(intent).collect()
    }

    async fn ops(&self, document: DocumentId) -> StoreResult<OpsSummary> {
        let query = Statement::with(
            "SELECT COALESCE(MAX(seq), 0) AS highest, \
             CAST(COALESCE(SUM(CASE WHEN uses > 1 THEN uses ELSE 0 END), 0) AS BIGINT) AS shared, \
             (SELECT COUNT(*) FROM document_owners WHERE document_id = $1) AS owners, \
             EXISTS (SELECT 1 FROM documents d JOIN document_texts t ON t.document_id = d.id \
             WHERE d.id = $1 AND t.seq <> d.text_seq) AS other_text \
             FROM (SELECT seq, COUNT(*) AS uses FROM document_ops WHERE document_id = $1 \
             GROUP BY seq) AS numbers",
            args![document],
        );
        let row = self.db.fetch_one(Fresh, query).await?;
        Ok(OpsSummary {
            highest_op_seq: row.get("highest")?,
            shared_numbers: row.get("shared")?,
            owners: row.get("owners")?,
            text_is_of_another_seq: row.get("other_text")?,
        })
    }

    async fn accounts(&self, document: DocumentId) -> StoreResult<Accounts> {
        let query = Statement::with(
            "SELECT 0 AS part, seq AS number FROM document_quarantine WHERE document_id = $1 \
             UNION ALL SELECT 1, client_id FROM document_clients WHERE document_id = $1",
            args![document],
        );
        let mut accounts = Accounts::default();
        for row in self.db.fetch(Fresh, query).await? {
            match row.get::<u64>("part")? {
                0 => accounts.quarantined.push(row.get("number")?),
                _ => accounts.clients.push(row.get::<i64>("number")?.cast_unsigned()),
            }
        }
        accounts.quarantined.sort_unstable();
        let query = Statement::with(
            "SELECT forgotten_seq, title, title_folded, description, description_folded \
             FROM documents WHERE id = $1",
            args![document],
        );
        let row = self.db.fetch_one(Fresh, query).await?;
        accounts.forgotten_seq = row.get("forgotten_seq")?;
        let is_folded = |text: &str, folded: &str| -> StoreResult<bool> {
            Ok(fold(&row.get::<String>(text)?) == row.get::<String>(folded)?)
        };
        accounts.is_folded =
            is_folded("title", "title_folded")? && is_folded("description", "description_folded")?;
        Ok(accounts)
    }

    async fn feed(&self) -> StoreResult<FeedSummary> {
        let query = Statement::with(
            "SELECT (SELECT COUNT(*) FROM document_changes c \
             JOIN tombstones t ON t.change_seq = c.change_seq) AS shared, \
             (SELECT COUNT(*) FROM documents d WHERE NOT EXISTS (SELECT 1 FROM document_changes c \
             WHERE c.document_id = d.id AND c.kind = 'created')) AS missing, \
             (SELECT COUNT(*) FROM tombstones t WHERE EXISTS (SELECT 1 FROM document_owners o \
             WHERE o.document_id = t.document_id AND o.user_id = t.user_id) \
             OR (t.user_id = $1 AND EXISTS (SELECT 1 FROM documents d WHERE d.id = t.document_id \
             AND d.is_public AND d.deleted_at IS NULL))) AS false_tombstones",
            args![Uuid::nil()],
        );
        let row = self.db.fetch_one(Fresh, query).await?;
        Ok(FeedSummary {
            shared_numbers: row.get("shared")?,
            missing_documents: row.get("missing")?,
            false_tombstones: row.get("false_tombstones")?,
        })
    }

    async fn integrity(&self) -> StoreResult<Vec<String>> {
        match self.db.integrity().await {
            // A database too broken to be checked counts as damaged.
            Err(StoreError::Corrupt(what)) => Ok(vec![what]),
            result => result,
        }
    }
}
