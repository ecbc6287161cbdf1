//! Signing keys shared by all nodes.

use super::{
    audit,
    database::{Database, Transaction as _},
    statement::{Statement, args},
};
use async_trait::async_trait;
use izanagi_domain::storage::{
    AuditEvent, Freshness::Fresh, Ids, KeyStore, SealedKey, StoreResult,
};
use std::sync::Arc;
use uuid::Uuid;

pub(crate) struct SqlKeys<D> {
    pub(crate) db: Arc<D>,
    pub(crate) ids: Arc<dyn Ids>,
}

#[async_trait]
impl<D: Database> KeyStore for SqlKeys<D> {
    async fn list(&self) -> StoreResult<Vec<SealedKey>> {
        let query =
            Statement::new("SELECT id, sealed, signs_from FROM signing_keys ORDER BY number DESC");
        let rows = self.db.fetch(Fresh, query).await?;
        rows.iter()
            .map(|row| {
                Ok(SealedKey {
                    id: row.get("id")?,
                    sealed: row.get("sealed")?,
                    signs_from: row.get("signs_from")?,
                })
            })
            .collect()
    }

    async fn add(
        &self,
        key: &SealedKey,
        newest: Option<Uuid>,
        remove: &[Uuid],
        audit: &AuditEvent,
    ) -> StoreResult<bool> {
        let (key, remove, event) = (key.clone(), remove.to_vec(), audit::insert(&*self.ids, audit));
        self.db
            .write(move |transaction| {
                let (key, remove, event) = (key.clone(), remove.clone(), event.clone());
                Box::pin(async move {
                    transaction.exclude("signing_keys");
                    let last = transaction
                        .fetch_optional(Statement::new(
                            "SELECT id, number FROM signing_keys ORDER BY number DESC LIMIT 1",
                        ))
                        .await?;
                    let id = last.as_ref().map(|row| row.get::<Uuid>("id")).transpose()?;
                    if id != newest {
                        return Ok(false);
                    }
                    let number = last.map_or(Ok(0), |row| row.get::<u64>("number"))? + 1;
                    for id in remove {
                        transaction.later(Statement::with(
                            "DELETE FROM signing_keys WHERE id = $1",
                            args![id],
                        ));
                    }
                    transaction.later(Statement::with(
                        "INSERT INTO signing_keys (id, number, sealed, signs_from) \
                         VALUES ($1, $2, $3, $4)",
                        args![key.id, number, key.sealed, key.signs_from],
                    ));
                    transaction.later(event);
                    Ok(true)
                })
            })
            .await
    }
}
