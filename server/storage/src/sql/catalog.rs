//! Documents.

use super::{
    changes,
    database::{Database, Transaction as _},
    document_row::{self, COLUMNS, document},
    list, outbox,
    statement::{Statement, args},
    users::{person, require_active},
};
use async_trait::async_trait;
use izanagi_domain::principal::Viewer;
use izanagi_domain::storage::{
    Catalog, ChangeKind, DetailsChange, DocumentFilter, DocumentRow,
    Freshness::{Fresh, Stale},
    Ids, NewDocument, StoreError, StoreResult, Topic, Viewed,
};
use izanagi_shared::{
    id::{ActorId, DocumentId, UserId},
    permission::Access,
    time::Timestamp,
};
use std::sync::Arc;

pub(crate) struct SqlCatalog<D> {
    pub(crate) db: Arc<D>,
    pub(crate) ids: Arc<dyn Ids>,
}

pub(super) fn select(id: DocumentId) -> Statement {
    let mut query = Statement::new("SELECT ");
    query.push(COLUMNS).push(" FROM documents d WHERE d.id = ").push_arg(id);
    query
}

/// Selects a document in order to lock it.
pub(super) fn lock(id: DocumentId) -> Statement {
    Statement::with("SELECT id FROM documents WHERE id = $1", args![id])
}

/// Statements that create a document.
fn creation(new: &NewDocument) -> [Statement; 6] {
    let (id, seq, at) = (new.id, new.text.seq, new.at);
    [
        document_row::insert(new),
        changes::note(id, ChangeKind::Created, at),
        Statement::with(
            "INSERT INTO document_owners (document_id, user_id, created_at) VALUES ($1, $2, $3)",
            args![id, new.created_by, at],
        ),
        Statement::with(
            "INSERT INTO document_snapshots (document_id, seq, from_seq, state, created_at) \
             VALUES ($1, $2, $3, $4, $5)",
            args![id, seq, seq + 1, new.state.clone(), at],
        ),
        Statement::with(
            "INSERT INTO document_texts (document_id, seq, content) VALUES ($1, $2, $3)",
            args![id, seq, new.content.as_str()],
        ),
        // The server wrote the initial state, so no user may write under its client id.
        Statement::with(
            "INSERT INTO document_clients (document_id, client_id, actor_id) \
             VALUES ($1, $2, NULL)",
            args![id, new.client_id.cast_signed()],
        ),
    ]
}

/// Returns the changed row, or `None` if nothing differs.
fn changed(
    row: &DocumentRow,
    by: ActorId,
    change: &DetailsChange,
    at: Timestamp,
) -> Option<DocumentRow> {
    let mut new = row.clone();
    new.details = change.apply(&row.details);
    new.deleted_at = match change.trashed {
        Some(true) => new.deleted_at.or(Some(at)),
        Some(false) => None,
        None => new.deleted_at,
    };
    if new == *row {
        return None;
    }
    Some(DocumentRow { meta_rev: row.meta_rev + 1, updated_at: at, last_modified_by: by, ..new })
}

#[async_trait]
impl<D: Database> Catalog for SqlCatalog<D> {
    async fn create(&self, new: &NewDocument) -> StoreResult<()> {
        let (creator, statements) = (new.created_by.into(), creation(new));
        self.db
            .write(move |transaction| {
                let statements = statements.clone();
                Box::pin(async move {
                    require_active(transaction, creator).await?;
                    statements.into_iter().for_each(|statement| transaction.later(statement));
                    Ok(())
                })
            })
            .await
    }

    async fn by_request(&self, key: &[u8; 32]) -> StoreResult<(DocumentId, [u8; 32])> {
        let query = Statement::with(
            "SELECT id, request_hash FROM documents WHERE request_key = $1",
            args![key],
        );
        let row = self.db.fetch_one(Fresh, query).await?;
        Ok((row.get("id")?, row.get("request_hash")?))
    }

    async fn get(&self, id: DocumentId) -> StoreResult<DocumentRow> {
        document(&self.db.fetch_one(Fresh, select(id)).await?)
    }

    async fn get_for(&self, viewer: &Viewer, id: DocumentId) -> StoreResult<Viewed> {
        let mut query = Statement::new("SELECT ");
        query
            .push(COLUMNS)
            .push(
                ", EXISTS (SELECT 1 FROM document_owners o \
                 WHERE o.document_id = d.id AND o.user_id = ",
            )
            .push_arg(viewer.user)
            .push(
                ") AS owns, u.id AS user_id, u.username, u.display_name \
                 FROM documents d LEFT JOIN users u ON u.id = ",
            )
            .push_arg(viewer.user)
            .push(" WHERE d.id = ")
            .push_arg(id);
        let row = self.db.fetch_one(Fresh, query).await?;
        let document = document(&row)?;
        // Workspaces and share links will add their roles to this query.
        let access = Access {
            is_owner: row.get("owns")?,
            workspace: None,
            link: None,
            // A damaged row does not publish a document.
            is_public: document.details.is_public && !document.damage.details,
            is_trashed: document.deleted_at.is_some(),
        };
        let is_known = row.get::<Option<UserId>>("user_id")?.is_some();
        let person = is_known.then(|| person(&row)).transpose()?;
        Ok(Viewed { row: document, access, person })
    }

    async fn list(&self, filter: &DocumentFilter) -> StoreResult<(Vec<DocumentRow>, u64)> {
        let total = self.db.fetch_one(Stale, list::count(filter)).await?.get("total")?;
        let rows = self.db.fetch(Stale, list::page(filter)).await?;
        let rows: StoreResult<_> = rows.iter().map(document).collect();
        Ok((rows?, total))
    }

    async fn change(
        &self,
        id: DocumentId,
        by: ActorId,
        change: &DetailsChange,
        at: Timestamp,
    ) -> StoreResult<DocumentRow> {
        let change = change.clone();
        self.db
            .write(move |transaction| {
                let change = change.clone();
                Box::pin(async move {
                    require_active(transaction, by).await?;
                    transaction.lock(lock(id));
                    let row = transaction.fetch_optional(select(id)).await?;
                    let row = document(&row.ok_or(StoreError::NotFound)?)?;
                    if row.damage.details || row.damage.live {
                        return Err(StoreError::Corrupt("the row does not match its hash".into()));
                    }
                    let Some(new) = changed(&row, by, &change, at) else {
                        return Ok(row);
                    };
                    transaction.later(document_row::update(&new));
                    transaction.later(document_row::update_live(&new));
                    for statement in changes::of_details(&row, &new, at) {
                        transaction.later(statement);
                    }
                    Ok(new)
                })
            })
            .await
    }

    /// Attempts that never committed stay: the collector must erase their contents, including
    /// content that arrives later.
    async fn purge(&self, id: DocumentId, at: Timestamp) -> StoreResult<()> {
        let erase = outbox::insert(&*self.ids, Topic::Erase, &id.to_string(), at);
        self.db
            .write(move |transaction| {
                let erase = erase.clone();
                Box::pin(async move {
                    let delete = Statement::with(
                        "DELETE FROM documents WHERE id = $1 AND deleted_at IS NOT NULL",
                        args![id],
                    );
                    // Locked, so that every owner gets a tombstone.
                    transaction.lock(lock(id));
                    for statement in changes::before_purge(id, at) {
                        transaction.later(statement);
                    }
                    if transaction.execute(delete).await? == 0 {
                        return Err(StoreError::NotFound);
                    }
                    transaction.later(Statement::with(
                        "DELETE FROM commit_intents \
                         WHERE document_id = $1 AND status = 'committed'",
                        args![id],
                    ));
                    transaction.later(erase);
                    Ok(())
                })
            })
            .await
    }
}
