//! Appending to the live log: one query for the known state, one write of the new rows.

use super::{
    changes,
    database::{Database, Transaction},
    id_bytes,
    ledger::{Entered, Head, Ledger, New},
    log_rows,
    row::Row,
    statement::{Statement, args},
};
use izanagi_domain::storage::{
    Batch, BatchOutcome, ChangeKind, ClientOwner, KnownOp, StoreResult, live_hash, short_hash,
};
use izanagi_shared::id::{ActorId, DocumentId};
use std::{collections::BTreeSet, sync::Arc};
use uuid::Uuid;

/// The owner of a client id of a former lineage, as stored.
pub(super) const FORMER: ActorId = ActorId(Uuid::nil());

/// Rows per statement; SQLite allows 32,766 arguments.
const ROWS: usize = 1_000;

/// Arguments per query.
const ARGUMENTS: usize = 30_000;

/// Appends the batches; returns one result per batch, in the given order.
pub(super) async fn append(
    db: &impl Database,
    batches: Vec<Batch>,
) -> StoreResult<Vec<StoreResult<BatchOutcome>>> {
    let batches = Arc::new(batches);
    db.write(move |transaction| {
        let batches = Arc::clone(&batches);
        Box::pin(async move {
            let mut ledger = read_known(transaction, &batches).await?;
            let entered: Vec<_> = batches.iter().map(|batch| ledger.enter(batch.clone())).collect();
            for statement in inserts(ledger.new) {
                transaction.later(statement);
            }
            let mut answers = Vec::with_capacity(entered.len());
            for entered in entered {
                answers.push(match entered {
                    Ok(Entered::Appended(appended)) => Ok(BatchOutcome::Appended(appended)),
                    // Read after the inserts: another batch of this append may have advanced it.
                    Ok(Entered::Moved(document, after)) => {
                        let rows = transaction.fetch(log_rows::since(document, after)).await?;
                        log_rows::tail(rows).map(BatchOutcome::Moved)
                    }
                    Err(error) => Err(error),
                });
            }
            Ok(answers)
        })
    })
    .await
}

/// Reads the database's state for these batches.
async fn read_known(
    transaction: &mut (impl Transaction + ?Sized),
    batches: &[Batch],
) -> StoreResult<Ledger> {
    // Sorted sets, so that all appends lock documents in the same order.
    let mut documents = BTreeSet::new();
    let mut ops = BTreeSet::new();
    let mut clients = BTreeSet::new();
    for batch in batches {
        let document = batch.document_id;
        documents.insert(document);
        for update in &batch.updates {
            ops.insert((document, update.actor, update.op_id.as_str()));
            let named = update.clients.iter().chain(&update.missing_clients);
            clients.extend(named.map(|client| (document, *client)));
        }
    }
    transaction.lock(lock_heads(&documents));
    let mut ledger = Ledger::default();
    for query in known(&documents, &Vec::from_iter(ops), &Vec::from_iter(clients)) {
        for row in transaction.fetch(query).await? {
            take(&mut ledger, &row)?;
        }
    }
    Ok(ledger)
}

fn lock_heads(documents: &BTreeSet<DocumentId>) -> Statement {
    let mut query = Statement::new("SELECT id FROM documents WHERE id IN ");
    query.push_list(documents.iter().copied()).push(" ORDER BY id");
    query
}

/// Builds the queries for the known state, usually a single one; each row states its kind.
fn known(
    documents: &BTreeSet<DocumentId>,
    ops: &[(DocumentId, ActorId, &str)],
    clients: &[(DocumentId, u64)],
) -> Vec<Statement> {
    let mut queries = Queries::new(documents);
    for ops in ops.chunks(ROWS) {
        queries.add(|query| push_ops(query, ops));
    }
    for clients in clients.chunks(ROWS) {
        queries.add(|query| push_clients(query, clients));
    }
    queries.joined
}

/// Joins queries by UNION ALL, as far as the argument limit allows. Each begins with the heads, which
/// give the columns their names and types.
struct Queries<'d> {
    documents: &'d BTreeSet<DocumentId>,
    joined: Vec<Statement>,
}

impl<'d> Queries<'d> {
    fn new(documents: &'d BTreeSet<DocumentId>) -> Self {
        let mut heads = Statement::new("");
        push_heads(&mut heads, documents);
        Self { documents, joined: vec![heads] }
    }

    fn add(&mut self, push: impl FnOnce(&mut Statement)) {
        if self.joined.last().is_none_or(|query| query.arguments() >= ARGUMENTS - 3 * ROWS) {
            let Self { joined, .. } = Self::new(self.documents);
            self.joined.extend(joined);
        }
        if let Some(query) = self.joined.last_mut() {
            push(query.push(" UNION ALL "));
        }
    }
}

fn push_heads(query: &mut Statement, documents: &BTreeSet<DocumentId>) {
    query.push(
        "SELECT 'head' AS part, id AS document_id, CAST(NULL AS UUID) AS actor_id, \
         CAST(NULL AS BYTEA) AS op_id, live_seq AS number, CAST(NULL AS BYTEA) AS hash, \
         deleted_at IS NOT NULL AS flag FROM documents WHERE id IN ",
    );
    query.push_list(documents.iter().copied());
}

// The two lookups below join a list of keys: with `(a, b) IN (VALUES …)`, SQLite would scan the
// whole table.

fn push_ops(query: &mut Statement, ops: &[(DocumentId, ActorId, &str)]) {
    query.push(
        "SELECT 'op', o.document_id, o.actor_id, o.op_id, o.seq, o.delta_hash, o.quarantined FROM (",
    );
    query.push_rows(
        ops.iter().map(|(document, user, op)| args![*document, *user, id_bytes::to_bytes(op)]),
    );
    query.push(
        ") AS k CROSS JOIN document_ops o WHERE o.document_id = k.column1 \
         AND o.actor_id = k.column2 AND o.op_id = k.column3",
    );
}

fn push_clients(query: &mut Statement, clients: &[(DocumentId, u64)]) {
    query.push("SELECT 'client', c.document_id, c.actor_id, NULL, c.client_id, NULL, NULL FROM (");
    query
        .push_rows(clients.iter().map(|(document, client)| args![*document, client.cast_signed()]));
    query.push(
        ") AS k CROSS JOIN document_clients c WHERE c.document_id = k.column1 \
         AND c.client_id = k.column2",
    );
}

fn take(ledger: &mut Ledger, row: &Row) -> StoreResult<()> {
    match row.get::<String>("part")?.as_str() {
        "head" => {
            let head = Head { live_seq: row.get("number")?, trashed: row.get("flag")? };
            ledger.heads.insert(row.get("document_id")?, head);
        }
        "op" => {
            let op_id = id_bytes::from_bytes(&row.get::<Vec<u8>>("op_id")?)?;
            let key = (row.get("document_id")?, row.get("actor_id")?, op_id);
            let (seq, hash) = (row.get("number")?, row.get("hash")?);
            ledger.ops.insert(key, KnownOp { seq, hash, quarantined: row.get("flag")? });
        }
        _ => {
            let client: i64 = row.get("number")?;
            let owner = row.get::<Option<ActorId>>("actor_id")?;
            let owner = match owner {
                None => ClientOwner::Server,
                Some(FORMER) => ClientOwner::Former,
                Some(actor) => ClientOwner::Actor(actor),
            };
            ledger.clients.insert((row.get("document_id")?, client.cast_unsigned()), owner);
        }
    }
    Ok(())
}

/// A row of `document_ops`.
pub(super) fn known_op(row: &Row) -> StoreResult<KnownOp> {
    Ok(KnownOp {
        seq: row.get("seq")?,
        hash: row.get("delta_hash")?,
        quarantined: row.get("quarantined")?,
    })
}

fn inserts(new: New) -> Vec<Statement> {
    let mut statements = Vec::new();
    for rows in new.updates.chunks(ROWS) {
        let mut insert = Statement::new(
            "INSERT INTO document_ops \
             (document_id, actor_id, op_id, seq, delta_hash, quarantined, created_at) ",
        );
        insert.push_rows(rows.iter().map(|row| {
            let update = &row.update;
            let (op, hash) = (id_bytes::to_bytes(&update.op_id), short_hash(&update.delta_hash));
            args![row.document_id, update.actor, op, row.seq, hash, false, row.at]
        }));
        statements.push(insert);
    }
    for rows in new.clients.chunks(ROWS) {
        let mut insert =
            Statement::new("INSERT INTO document_clients (document_id, client_id, actor_id) ");
        insert.push_rows(rows.iter().map(|(document, client, owner)| {
            let user = match owner {
                ClientOwner::Actor(user) => Some(*user),
                ClientOwner::Server => None,
                ClientOwner::Former => Some(FORMER),
            };
            args![*document, client.cast_signed(), user]
        }));
        statements.push(insert);
    }
    let mut updates = new.updates.into_iter().peekable();
    while updates.peek().is_some() {
        let mut insert = Statement::new(
            "INSERT INTO document_updates (document_id, seq, actor_id, delta, created_at) ",
        );
        insert.push_rows(updates.by_ref().take(ROWS).map(|row| {
            args![row.document_id, row.seq, row.update.actor, Vec::from(row.update.delta), row.at]
        }));
        statements.push(insert);
    }
    let heads: Vec<_> = new.heads.into_iter().collect();
    for rows in heads.chunks(ROWS) {
        let mut update = Statement::new(
            "UPDATE documents SET live_seq = v.column2, last_modified_by = v.column3, \
             updated_at = v.column4, live_hash = v.column5 FROM (",
        );
        update.push_rows(rows.iter().map(|(document, (seq, actor, at))| {
            args![*document, *seq, *actor, *at, live_hash(*document, *seq, *actor, *at)]
        }));
        update.push(") AS v WHERE documents.id = v.column1");
        statements.push(update);
        let edited = rows.iter().map(|(document, (_, _, at))| (*document, *at));
        statements.push(changes::note_all(ChangeKind::Content, edited));
    }
    statements
}

/// The queries for the known state, for tests of their plans.
#[cfg(test)]
pub(super) fn known_for_tests(
    document: DocumentId,
    actor: ActorId,
    ops: &[&str],
    clients: &[u64],
) -> Vec<Statement> {
    let ops: Vec<_> = ops.iter().map(|op| (document, actor, *op)).collect();
    let clients: Vec<_> = clients.iter().map(|client| (document, *client)).collect();
    known(&[document].into(), &ops, &clients)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::SqliteDb;
    use izanagi_domain::storage::Freshness;
    use uuid::Uuid;

    #[tokio::test]
    async fn what_is_known_is_looked_up_by_key_in_one_query() {
        let db = SqliteDb::open(None).await.unwrap();
        let (document, user) = (DocumentId(Uuid::nil()), ActorId(Uuid::nil()));
        let mut queries = known(
            &[document].into(),
            &[(document, user, "a"), (document, user, "b")],
            &[(document, 1), (document, 2)],
        );
        assert_eq!(queries.len(), 1);
        let mut explain = Statement::new("EXPLAIN QUERY PLAN ");
        explain.push(&queries.remove(0).into_parts().0);
        let plan = db.fetch(Freshness::Fresh, explain).await.unwrap();
        let plan: Vec<String> = plan.iter().map(|step| step.get("detail").unwrap()).collect();
        let by_key = plan.iter().filter(|step| step.contains("USING PRIMARY KEY")).count();
        assert_eq!(by_key, 3, "{plan:?}");
        let is_table = |step: &&String| {
            step.starts_with("SCAN ")
                && *step != "SCAN k"
                && !step.contains("CONSTANT")
                && !step.contains("VALUES CLAUSE")
        };
        assert_eq!(plan.iter().filter(is_table).count(), 0, "{plan:?}");
    }

    #[test]
    fn many_ops_take_several_queries_within_the_limit() {
        let (document, user) = (DocumentId(Uuid::nil()), ActorId(Uuid::nil()));
        let ops = vec![(document, user, "a"); 40_000];
        let queries = known(&[document].into(), &ops, &[(document, 1)]);
        let arguments: Vec<usize> = queries.iter().map(Statement::arguments).collect();
        assert_eq!(arguments.iter().sum::<usize>(), queries.len() + 3 * 40_000 + 2);
        assert!(arguments.iter().all(|count| *count <= ARGUMENTS), "{arguments:?}");
    }
}
