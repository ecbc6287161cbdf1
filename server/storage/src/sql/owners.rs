//! Document owners.

use super::{
    catalog::lock,
    changes,
    database::{Database, Transaction as _},
    statement::{Statement, args},
    users::{person, require_active},
};
use async_trait::async_trait;
use izanagi_domain::storage::{
    Audience, ChangeKind, Constraint, Freshness::Stale, Owners, StoreError, StoreResult,
};
use izanagi_shared::{
    id::{ActorId, DocumentId, UserId},
    time::Timestamp,
    wire::Person,
};
use std::sync::Arc;

pub(crate) struct SqlOwners<D> {
    pub(crate) db: Arc<D>,
}

/// The entity tag must change, because owners are part of what a reader sees. The time of the last
/// edit must not, because nothing was edited.
fn note_change(document: DocumentId) -> Statement {
    Statement::with("UPDATE documents SET meta_rev = meta_rev + 1 WHERE id = $1", args![document])
}

/// Documents of the user `$1` that have another owner (`EXISTS`) or not (`NOT EXISTS`). Deleted
/// accounts do not count.
macro_rules! owned_and {
    ($others:literal) => {
        concat!(
            "(SELECT o.document_id FROM document_owners o WHERE o.user_id = $1 AND ",
            $others,
            " (SELECT 1 FROM document_owners p JOIN users u ON u.id = p.user_id \
               WHERE p.document_id = o.document_id AND p.user_id <> o.user_id \
               AND u.deleted_at IS NULL))"
        )
    };
}

#[async_trait]
impl<D: Database> Owners for SqlOwners<D> {
    async fn list(&self, documents: &[DocumentId]) -> StoreResult<Vec<(DocumentId, Person)>> {
        let mut query = Statement::new(
            "SELECT o.document_id, u.id AS user_id, u.username, u.display_name \
             FROM document_owners o JOIN users u ON u.id = o.user_id WHERE o.document_id IN ",
        );
        query.push_list(documents.iter().copied()).push(" ORDER BY o.created_at, u.id");
        let rows = self.db.fetch(Stale, query).await?;
        rows.iter().map(|row| Ok((row.get("document_id")?, person(row)?))).collect()
    }

    async fn add(
        &self,
        document: DocumentId,
        by: ActorId,
        user: UserId,
        at: Timestamp,
    ) -> StoreResult<()> {
        self.db
            .write(move |transaction| {
                Box::pin(async move {
                    require_active(transaction, by).await?;
                    transaction.lock(lock(document));
                    if transaction.fetch(lock(document)).await?.is_empty() {
                        return Err(StoreError::NotFound);
                    }
                    // Locked, so that the account stays active until the end.
                    let account = Statement::with(
                        "SELECT id FROM users \
                         WHERE id = $1 AND deleted_at IS NULL AND deactivated_at IS NULL",
                        args![user],
                    );
                    transaction.lock(account.clone());
                    if transaction.fetch(account).await?.is_empty() {
                        return Err(StoreError::Conflict(Constraint::Reference));
                    }
                    let insert = Statement::with(
                        "INSERT INTO document_owners (document_id, user_id, created_at) \
                         VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                        args![document, user, at],
                    );
                    if transaction.execute(insert).await? > 0 {
                        transaction.later(note_change(document));
                        transaction.later(changes::note(document, ChangeKind::Owners, at));
                        for statement in changes::regained(document, Audience::User(user)) {
                            transaction.later(statement);
                        }
                    }
                    Ok(())
                })
            })
            .await
    }

    async fn remove(&self, document: DocumentId, user: UserId, at: Timestamp) -> StoreResult<()> {
        self.db
            .write(move |transaction| {
                Box::pin(async move {
                    let owners = Statement::with(
                        "SELECT o.user_id, u.deleted_at FROM document_owners o \
                         JOIN users u ON u.id = o.user_id WHERE o.document_id = $1",
                        args![document],
                    );
                    // Locked, so that of two owners removing each other, one fails.
                    transaction.lock(lock(document));
                    let owners = transaction.fetch(owners).await?;
                    let (mut is_owner, mut others) = (false, 0);
                    for row in &owners {
                        if row.get::<UserId>("user_id")? == user {
                            is_owner = true;
                        } else if row.get::<Option<Timestamp>>("deleted_at")?.is_none() {
                            others += 1;
                        }
                    }
                    if !is_owner {
                        return Err(StoreError::NotFound);
                    }
                    if others == 0 {
                        return Err(StoreError::Conflict(Constraint::LastOwner));
                    }
                    transaction.later(Statement::with(
                        "DELETE FROM document_owners WHERE document_id = $1 AND user_id = $2",
                        args![document, user],
                    ));
                    transaction.later(note_change(document));
                    transaction.later(changes::note(document, ChangeKind::Owners, at));
                    transaction.later(changes::lost(document, Audience::User(user), at));
                    Ok(())
                })
            })
            .await
    }
}

/// Selects the documents of a user in order to lock them: of two owners who leave at once, the second
/// must see that the first is gone.
pub(super) fn lock_all(user: UserId) -> Statement {
    Statement::with(
        "SELECT id FROM documents WHERE id IN \
         (SELECT document_id FROM document_owners WHERE user_id = $1) ORDER BY id",
        args![user],
    )
}

/// Statements that remove a user from all co-owned documents, and move documents without another
/// owner to the trash.
pub(super) fn release(user: UserId, at: Timestamp) -> [Statement; 6] {
    let trash = concat!(
        "UPDATE documents SET deleted_at = $2, deleted_at_copy = $2, meta_rev = meta_rev + 1 \
             WHERE deleted_at IS NULL AND id IN ",
        owned_and!("NOT EXISTS"),
    );
    let note =
        concat!("UPDATE documents SET meta_rev = meta_rev + 1 WHERE id IN ", owned_and!("EXISTS"),);
    let leave = concat!(
        "DELETE FROM document_owners WHERE user_id = $1 AND document_id IN ",
        owned_and!("EXISTS"),
    );
    // Nobody synchronises for the user, so only the public gets tombstones.
    let orphaned = concat!(
        "SELECT id AS document_id FROM documents WHERE deleted_at IS NULL AND id IN ",
        owned_and!("NOT EXISTS"),
    );
    let public = concat!(
        "SELECT id AS document_id, $3 AS user_id FROM documents \
             WHERE is_public AND deleted_at IS NULL AND id IN ",
        owned_and!("NOT EXISTS"),
    );
    [
        changes::note_selected(ChangeKind::Trash, orphaned, args![user, at]),
        changes::lost_selected(public, args![user, at, changes::stored(Audience::Public)]),
        changes::note_selected(ChangeKind::Owners, owned_and!("EXISTS"), args![user, at]),
        Statement::with(trash, args![user, at]),
        Statement::with(note, args![user]),
        Statement::with(leave, args![user]),
    ]
}
