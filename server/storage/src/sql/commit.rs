//! Step 4 of a commit (DESIGN §5): the one transaction after which a version exists.

use super::{
    intents, outbox,
    row::Row,
    statement::{Statement, args},
    transaction::Transaction,
    version_row,
};
use izanagi_domain::storage::{
    CommitOutcome, Constraint, Ids, IntentStatus, NewVersion, StoreError, StoreResult, Topic,
};
use izanagi_shared::{
    id::{CommitId, DocumentId},
    time::Timestamp,
};

/// A commit to be made.
pub(super) struct Commit {
    document: DocumentId,
    number: u64,
    commit: CommitId,
    parent: Option<CommitId>,
    request_key: [u8; 32],
    at: Timestamp,
    /// Whether its intent was stored before.
    has_intent: bool,
    /// What it writes when nothing stands against it.
    writes: Vec<Statement>,
}

impl Commit {
    /// A commit whose intent and content were stored before.
    pub(super) fn new(ids: &dyn Ids, version: &NewVersion, restored_from: Option<u64>) -> Self {
        let close = Statement::with(
            "UPDATE commit_intents SET status = 'committed' WHERE commit_id = $1",
            args![version.commit_id],
        );
        Self::with_content(ids, vec![close], version, restored_from).expecting_intent()
    }

    /// A commit that stores its content as well, by the statements in `first`. It needs no intent:
    /// nothing of it is visible before all of it is.
    pub(super) fn with_content(
        ids: &dyn Ids,
        first: Vec<Statement>,
        version: &NewVersion,
        restored_from: Option<u64>,
    ) -> Self {
        let NewVersion { document_id: document, number, at, .. } = *version;
        let mut writes = first;
        writes.push(Statement::with(
            "UPDATE documents SET head_version = $2, head_commit = $3 WHERE id = $1",
            args![document, number, version.commit_id],
        ));
        writes.push(version_row::insert(version));
        if version.parent_commit.is_some() {
            let key = format!("{document}/{}", number.saturating_sub(1));
            writes.push(outbox::insert(ids, Topic::Demote, &key, at));
        }
        if let Some(source) = restored_from {
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

    /// Commits, or finds out what stands against it.
    pub(super) async fn run(self, transaction: &mut Transaction) -> StoreResult<CommitOutcome> {
        let document = Statement::with(
            "SELECT head_version, head_commit, deleted_at FROM documents WHERE id = $1",
            args![self.document],
        );
        let intent = Statement::with(
            "SELECT status, expires_at FROM commit_intents WHERE commit_id = $1",
            args![self.commit],
        );
        let known = Statement::with(
            "SELECT 1 FROM versions WHERE request_key = $1",
            args![self.request_key],
        );
        let [document, intent, known] =
            transaction.fetch_each([document.locking(), intent.locking(), known]).await?;
        if !known.is_empty() {
            return Ok(CommitOutcome::RequestKnown);
        }
        let Some(document) = document.first() else {
            return Ok(CommitOutcome::DocumentGone);
        };
        if document.get::<Option<Timestamp>>("deleted_at")?.is_some() {
            return Ok(CommitOutcome::DocumentGone);
        }
        match intent.first() {
            // The id belongs to an attempt in steps.
            Some(_) if !self.has_intent => return Err(StoreError::Conflict(Constraint::CommitId)),
            intent if self.has_intent && !is_open(intent, self.at)? => {
                return Ok(CommitOutcome::IntentClosed);
            }
            _ => {}
        }
        if document.get::<Option<CommitId>>("head_commit")? != self.parent {
            return Ok(CommitOutcome::HeadMoved);
        }
        if document.get::<u64>("head_version")?.checked_add(1) != Some(self.number) {
            return Err(StoreError::Conflict(Constraint::Other));
        }
        self.writes.into_iter().for_each(|statement| transaction.later(statement));
        Ok(CommitOutcome::Committed)
    }
}

fn is_open(intent: Option<&Row>, at: Timestamp) -> StoreResult<bool> {
    let Some(intent) = intent else {
        return Ok(false);
    };
    let open = intent.named("status", intents::status)? == IntentStatus::Open;
    Ok(open && intent.get::<Timestamp>("expires_at")? >= at)
}

/// The request was committed by somebody else while this commit was on its way.
pub(super) fn request_known(outcome: StoreResult<CommitOutcome>) -> StoreResult<CommitOutcome> {
    match outcome {
        Err(StoreError::Conflict(Constraint::RequestKey)) => Ok(CommitOutcome::RequestKnown),
        outcome => outcome,
    }
}
