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
    ChangeKind, CommitOutcome, Constraint, Ids, IntentStatus, NewVersion, Restored, ShortHash,
    StoreError, StoreResult, Topic, head_hash, short_hash,
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
    /// Statements before the head is moved: they close the intent, or store the content.
    before: Vec<Statement>,
    /// Statements after it.
    after: Vec<Statement>,
}

/// The name under which a commit and its fence exclude each other.
pub(super) fn name(commit: CommitId) -> String {
    format!("commit {commit}")
}

impl Commit {
    /// A commit whose intent and content are already stored.
    pub(super) fn new(ids: &dyn Ids, version: &NewVersion) -> Self {
        let close = Statement::with(
            "UPDATE commit_intents SET status = 'committed' WHERE true AND commit_id = $1",
            args![version.commit_id],
        );
        let commit = Self::with_content(ids, vec![close], version);
        Self { has_intent: true, ..commit }
    }

    /// A commit that also stores its content, with the statements in `before`. It needs no intent,
    /// because nothing is visible before the transaction commits.
    pub(super) fn with_content(
        ids: &dyn Ids,
        before: Vec<Statement>,
        version: &NewVersion,
    ) -> Self {
        let NewVersion { document_id: document, number, at, .. } = *version;
        let note = changes::note(document, ChangeKind::Version, at);
        let mut after = vec![version_row::insert(version), note];
        if version.parent_commit.is_some() {
            let key = format!("{document}/{}", number.saturating_sub(1));
            after.push(outbox::insert(ids, Topic::Demote, &key, at));
        }
        if let Some(source) = version.restored.and_then(Restored::version) {
            after.push(Statement::with(
                "UPDATE versions SET keep_whole = $3 \
                 WHERE true AND document_id = $1 AND version_number = $2",
                args![document, source, true],
            ));
            let key = format!("{document}/{source}");
            after.push(outbox::insert(ids, Topic::MakeWhole, &key, at));
        }
        Self {
            document,
            number,
            commit: version.commit_id,
            parent: version.parent_commit,
            request_key: version.request.key,
            at,
            has_intent: false,
            before,
            after,
        }
    }

    /// Commits, or returns what prevents it.
    pub(super) async fn run<D: Database>(self, db: &D) -> StoreResult<CommitOutcome> {
        let commit = Arc::new(self);
        if commit.at_once(db).await? {
            return Ok(CommitOutcome::Committed);
        }
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

    /// Commits without asking first, which saves a round trip, unless there is an obstacle.
    async fn at_once<D: Database>(self: &Arc<Self>, db: &D) -> StoreResult<bool> {
        let done = if self.has_intent {
            let done = db.execute_gated(self.gate(), self.gated()).await;
            done.map(|done| done.unwrap_or_default())
        } else {
            let commit = Arc::clone(self);
            let write = db.write(move |transaction| {
                transaction.exclude(&name(commit.commit));
                // With an obstacle, one of them violates a constraint.
                commit.writes().for_each(|statement| transaction.later(statement));
                Box::pin(std::future::ready(Ok(true)))
            });
            write.await
        };
        match done {
            Err(StoreError::Conflict(_)) => Ok(false),
            done => done,
        }
    }

    /// All statements, for a transaction.
    fn writes(&self) -> impl Iterator<Item = Statement> {
        // If the commit is not allowed, this violates `ck_documents_head`.
        let mut head = Statement::with(
            "UPDATE documents SET head_version = $2, head_hash = $5, head_commit = CASE \
             WHEN deleted_at IS NULL AND head_version = $2 - 1 \
             AND head_commit IS NOT DISTINCT FROM $4 AND NOT EXISTS \
             (SELECT 1 FROM commit_intents WHERE commit_id = $3 AND status <> 'committed')",
            args![self.document, self.number, self.commit, self.parent, self.head_hash()],
        );
        if !self.has_intent {
            // A node that stood still while the documents moved would store the content where nobody
            // reads it any more.
            head.push(" AND NOT EXISTS (SELECT 1 FROM store_moves WHERE store = 'documents')");
        }
        head.push(" THEN $3 END WHERE id = $1");
        self.before.iter().cloned().chain([head]).chain(self.after.iter().cloned())
    }

    /// All statements, behind the gate.
    fn gated(&self) -> Vec<Statement> {
        let head = Statement::with(
            "UPDATE documents SET head_version = $2, head_commit = $3, head_hash = $4 \
             WHERE true AND id = $1",
            args![self.document, self.number, self.commit, self.head_hash()],
        );
        self.before.iter().cloned().chain([head]).chain(self.after.iter().cloned()).collect()
    }

    /// The condition of DESIGN §5 step 4.
    fn gate(&self) -> Statement {
        Statement::with(
            "SELECT d.id FROM documents d JOIN commit_intents i ON i.commit_id = $3 \
             WHERE d.id = $1 AND d.deleted_at IS NULL AND d.head_version = $2 - 1 \
             AND d.head_commit IS NOT DISTINCT FROM $4 AND i.document_id = $1 \
             AND i.status = 'open' AND i.expires_at >= $5",
            args![self.document, self.number, self.commit, self.parent, self.at],
        )
    }

    fn head_hash(&self) -> ShortHash {
        head_hash(self.document, self.number, Some(self.commit))
    }

    async fn attempt(
        &self,
        transaction: &mut (impl Transaction + ?Sized),
    ) -> StoreResult<CommitOutcome> {
        transaction.exclude(&name(self.commit));
        transaction.lock(catalog::lock(self.document));
        transaction.lock(Statement::with(
            "SELECT commit_id FROM commit_intents WHERE commit_id = $1",
            args![self.commit],
        ));
        let found = Statement::with(
            "SELECT d.id AS document, d.head_version, d.head_commit, d.deleted_at, i.status, \
             i.expires_at, EXISTS (SELECT 1 FROM versions WHERE request_key = $3) AS known, \
             EXISTS (SELECT 1 FROM store_moves WHERE store = 'documents') AS moves \
             FROM (SELECT 1 AS one) AS o LEFT JOIN documents d ON d.id = $1 \
             LEFT JOIN commit_intents i ON i.commit_id = $2",
            args![self.document, self.commit, short_hash(&self.request_key)],
        );
        let found = transaction.fetch_optional(found).await?.ok_or_else(missing)?;
        if let Some(outcome) = self.obstacle(&found)? {
            return Ok(outcome);
        }
        self.writes().for_each(|statement| transaction.later(statement));
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
        if !self.has_intent && found.get("moves")? {
            // There is none: the caller goes by steps instead.
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
