//! Step 4 of a commit (DESIGN §5): the single transaction that creates a version.

use super::{
    catalog, changes,
    database::{Database, Transaction},
    intents, outbox,
    row::Row,
    statement::{Statement, args},
    version_row,
};
use izanagi_domain::storage::{
    ChangeKind, CommitOutcome, Constraint, Ids, IntentStatus, NewVersion, Restored, StoreError,
    StoreResult, Topic, head_hash, short_hash,
};
use izanagi_shared::{
    id::{CommitId, DocumentId},
    time::Timestamp,
};
use std::sync::Arc;

/// A commit to execute.
pub(super) struct Commit {
    document: DocumentId,
    number: u64,
    commit: CommitId,
    parent: Option<CommitId>,
    request_key: [u8; 32],
    at: Timestamp,
    /// Whether its intent was stored beforehand.
    has_intent: bool,
    /// Statements executed if nothing prevents the commit.
    writes: Vec<Statement>,
}

impl Commit {
    /// A commit whose intent and content are already stored.
    pub(super) fn new(ids: &dyn Ids, version: &NewVersion) -> Self {
        let close = Statement::with(
            "UPDATE commit_intents SET status = 'committed' WHERE commit_id = $1",
            args![version.commit_id],
        );
        Self::with_content(ids, vec![close], version).expecting_intent()
    }

    /// A commit that also stores its content, with the statements in `first`. It needs no intent,
    /// because nothing is visible before the transaction commits.
    pub(super) fn with_content(ids: &dyn Ids, first: Vec<Statement>, version: &NewVersion) -> Self {
        let NewVersion { document_id: document, number, at, .. } = *version;
        let mut writes = first;
        // If the commit is not allowed, this violates `ck_documents_head`.
        writes.push(Statement::with(
            "UPDATE documents SET head_version = $2, head_hash = $5, head_commit = CASE \
             WHEN deleted_at IS NULL AND head_version = $2 - 1 \
             AND head_commit IS NOT DISTINCT FROM $4 AND NOT EXISTS \
             (SELECT 1 FROM commit_intents WHERE commit_id = $3 AND status <> 'committed') \
             THEN $3 END WHERE id = $1",
            args![
                document,
                number,
                version.commit_id,
                version.parent_commit,
                head_hash(document, number, Some(version.commit_id))
            ],
        ));
        writes.push(version_row::insert(version));
        writes.push(changes::note(document, ChangeKind::Version, at));
        if version.parent_commit.is_some() {
            let key = format!("{document}/{}", number.saturating_sub(1));
            writes.push(outbox::insert(ids, Topic::Demote, &key, at));
        }
        if let Some(source) = version.restored.and_then(Restored::version) {
            writes.push(Statement::with(
                "UPDATE versions SET keep_whole = $3 \
                 WHERE document_id = $1 AND version_number = $2",
                args![document, source, true],
            ));
            let key = format!("{document}/{source}");
            writes.push(outbox::insert(ids, Topic::MakeWhole, &key, at));
        }
        Self {
            document,
            number,
            commit: version.commit_id,
            parent: version.parent_commit,
            request_key: version.request.key,
            at,
            has_intent: false,
            writes,
        }
    }

    fn expecting_intent(self) -> Self {
        Self { has_intent: true, ..self }
    }

    /// Commits, or returns what prevents it.
    pub(super) async fn run(self, db: &impl Database) -> StoreResult<CommitOutcome> {
        if !self.has_intent {
            // Without an obstacle, this saves a round trip. Another head, a document that is in the
            // trash or missing, and a known request violate a constraint; `obstacle` then tells which.
            match db.execute_all(self.writes.clone()).await {
                Ok(()) => return Ok(CommitOutcome::Committed),
                Err(StoreError::Conflict(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let commit = Arc::new(self);
        let outcome = db.write(move |transaction| {
            let commit = Arc::clone(&commit);
            Box::pin(async move { commit.attempt(transaction).await })
        });
        match outcome.await {
            // Another commit of the same request was faster.
            Err(StoreError::Conflict(Constraint::RequestKey)) => Ok(CommitOutcome::RequestKnown),
            outcome => outcome,
        }
    }

    async fn attempt(&self, transaction: &mut impl Transaction) -> StoreResult<CommitOutcome> {
        transaction.lock(catalog::lock(self.document));
        transaction.lock(Statement::with(
            "SELECT commit_id FROM commit_intents WHERE commit_id = $1",
            args![self.commit],
        ));
        let found = Statement::with(
            "SELECT d.id AS document, d.head_version, d.head_commit, d.deleted_at, i.status, \
             i.expires_at, EXISTS (SELECT 1 FROM versions WHERE request_key = $3) AS known \
             FROM (SELECT 1 AS one) AS o LEFT JOIN documents d ON d.id = $1 \
             LEFT JOIN commit_intents i ON i.commit_id = $2",
            args![self.document, self.commit, short_hash(&self.request_key)],
        );
        let found = transaction.fetch_optional(found).await?.ok_or_else(missing)?;
        if let Some(outcome) = self.obstacle(&found)? {
            return Ok(outcome);
        }
        self.writes.iter().for_each(|statement| transaction.later(statement.clone()));
        Ok(CommitOutcome::Committed)
    }

    fn obstacle(&self, found: &Row) -> StoreResult<Option<CommitOutcome>> {
        if found.get("known")? {
            return Ok(Some(CommitOutcome::RequestKnown));
        }
        let is_active = found.get::<Option<DocumentId>>("document")?.is_some()
            && found.get::<Option<Timestamp>>("deleted_at")?.is_none();
        if !is_active {
            return Ok(Some(CommitOutcome::DocumentGone));
        }
        let is_intent = found.get::<Option<String>>("status")?.is_some();
        if is_intent && !self.has_intent {
            // The id belongs to a stepwise attempt.
            return Err(StoreError::Conflict(Constraint::CommitId));
        }
        if self.has_intent && !(is_intent && is_open(found, self.at)?) {
            return Ok(Some(CommitOutcome::IntentClosed));
        }
        if found.get::<Option<CommitId>>("head_commit")? != self.parent {
            return Ok(Some(CommitOutcome::HeadMoved));
        }
        if found.get::<u64>("head_version")?.checked_add(1) != Some(self.number) {
            return Err(StoreError::Conflict(Constraint::Other));
        }
        Ok(None)
    }
}

fn is_open(intent: &Row, at: Timestamp) -> StoreResult<bool> {
    let open = intent.named("status", intents::status)? == IntentStatus::Open;
    Ok(open && intent.get::<Timestamp>("expires_at")? >= at)
}

fn missing() -> StoreError {
    StoreError::Corrupt("a query for one row returned none".to_owned())
}
