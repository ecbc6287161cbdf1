//! Appending to the live log: one look at what is known, one write of what is new.

use super::{
    ledger::{Head, Ledger, New, people},
    row::Row,
    statement::{Statement, args},
    transaction::Transaction,
};
use izanagi_domain::storage::{Appended, Batch, ClientOwner, KnownOp, StoreResult};
use izanagi_shared::{
    id::{DocumentId, UserId},
    time::Timestamp,
};
use std::collections::BTreeSet;

/// Rows in one statement: SQLite takes 32,766 arguments.
const ROWS: usize = 1_000;

/// Appends the batches; one answer for each, in the order given.
pub(super) async fn append(
    transaction: &mut Transaction,
    batches: Vec<Batch>,
) -> StoreResult<Vec<StoreResult<Vec<Appended>>>> {
    let mut ledger = read_known(transaction, &batches).await?;
    let answers = batches.into_iter().map(|batch| ledger.enter(batch)).collect();
    for statement in inserts(ledger.new) {
        transaction.later(statement);
    }
    Ok(answers)
}

/// What the database knows about these batches.
async fn read_known(transaction: &mut Transaction, batches: &[Batch]) -> StoreResult<Ledger> {
    // Sorted sets: documents are locked in the order of their ids, whoever appends.
    let mut documents = BTreeSet::new();
    let mut users = BTreeSet::new();
    let mut ops = BTreeSet::new();
    let mut clients = BTreeSet::new();
    for batch in batches {
        let document = batch.document_id;
        documents.insert(document);
        for update in &batch.updates {
            users.extend(people(update));
            ops.insert((document, update.actor, update.op_id.as_str()));
            clients.extend(update.clients.iter().map(|client| (document, *client)));
        }
    }
    let (ops, clients) = (Vec::from_iter(ops), Vec::from_iter(clients));

    let mut queries = vec![select_heads(&documents), select_users(&users)];
    queries.extend(ops.chunks(ROWS).map(select_ops));
    let before_clients = queries.len();
    queries.extend(clients.chunks(ROWS).map(select_clients));

    let mut ledger = Ledger::default();
    for (index, rows) in transaction.fetch_all(queries).await?.into_iter().enumerate() {
        for row in rows {
            match index {
                0 => take_head(&mut ledger, &row)?,
                1 => drop(ledger.users.insert(row.get("id")?)),
                _ if index < before_clients => take_op(&mut ledger, &row)?,
                _ => take_client(&mut ledger, &row)?,
            }
        }
    }
    Ok(ledger)
}

fn select_heads(documents: &BTreeSet<DocumentId>) -> Statement {
    let mut query = Statement::new("SELECT id, live_seq, deleted_at FROM documents WHERE id IN ");
    query.push_list(documents.iter().copied()).push(" ORDER BY id");
    query.locking()
}

fn take_head(ledger: &mut Ledger, row: &Row) -> StoreResult<()> {
    let trashed = row.get::<Option<Timestamp>>("deleted_at")?.is_some();
    ledger.heads.insert(row.get("id")?, Head { live_seq: row.get("live_seq")?, trashed });
    Ok(())
}

fn select_users(users: &BTreeSet<UserId>) -> Statement {
    let mut query = Statement::new("SELECT id FROM users WHERE id IN ");
    query.push_list(users.iter().copied());
    query
}

// The two look-ups below join a list of keys: given `(a, b) IN (VALUES …)` instead, SQLite reads
// the whole table.

fn select_ops(ops: &[(DocumentId, UserId, &str)]) -> Statement {
    let mut query = Statement::new(
        "SELECT o.document_id, o.user_id, o.op_id, o.seq, o.delta_hash, o.quarantined FROM (",
    );
    query.push_rows(ops.iter().map(|(document, user, op)| args![*document, *user, *op]));
    query.push(
        ") AS k CROSS JOIN document_ops o WHERE o.document_id = k.column1 \
         AND o.user_id = k.column2 AND o.op_id = k.column3",
    );
    query
}

fn take_op(ledger: &mut Ledger, row: &Row) -> StoreResult<()> {
    let key = (row.get("document_id")?, row.get("user_id")?, row.get("op_id")?);
    ledger.ops.insert(key, known_op(row)?);
    Ok(())
}

pub(super) fn known_op(row: &Row) -> StoreResult<KnownOp> {
    Ok(KnownOp {
        seq: row.get("seq")?,
        hash: row.get("delta_hash")?,
        quarantined: row.get("quarantined")?,
    })
}

fn select_clients(clients: &[(DocumentId, u64)]) -> Statement {
    let mut query = Statement::new("SELECT c.document_id, c.client_id, c.user_id FROM (");
    query
        .push_rows(clients.iter().map(|(document, client)| args![*document, client.cast_signed()]));
    query.push(
        ") AS k CROSS JOIN document_clients c WHERE c.document_id = k.column1 \
         AND c.client_id = k.column2",
    );
    query
}

fn take_client(ledger: &mut Ledger, row: &Row) -> StoreResult<()> {
    let client: i64 = row.get("client_id")?;
    let owner = row.get::<Option<UserId>>("user_id")?;
    let owner = owner.map_or(ClientOwner::Server, ClientOwner::User);
    ledger.clients.insert((row.get("document_id")?, client.cast_unsigned()), owner);
    Ok(())
}

fn inserts(new: New) -> Vec<Statement> {
    let mut statements = Vec::new();
    for rows in new.updates.chunks(ROWS) {
        let mut insert = Statement::new(
            "INSERT INTO document_ops \
             (document_id, user_id, op_id, seq, delta_hash, quarantined, created_at) ",
        );
        insert.push_rows(rows.iter().map(|row| {
            let update = &row.update;
            let (op, hash) = (update.op_id.as_str(), update.delta_hash);
            args![row.document_id, update.actor, op, row.seq, hash, false, row.at]
        }));
        statements.push(insert);
    }
    for rows in new.clients.chunks(ROWS) {
        let mut insert =
            Statement::new("INSERT INTO document_clients (document_id, client_id, user_id) ");
        insert.push_rows(rows.iter().map(|(document, client, owner)| {
            let user = match owner {
                ClientOwner::User(user) => Some(*user),
                ClientOwner::Server => None,
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
            args![row.document_id, row.seq, row.update.actor, row.update.delta, row.at]
        }));
        statements.push(insert);
    }
    let heads: Vec<_> = new.heads.into_iter().collect();
    for rows in heads.chunks(ROWS) {
        let mut update = Statement::new(
            "UPDATE documents SET live_seq = v.column2, last_modified_by = v.column3, \
             updated_at = v.column4 FROM (",
        );
        update.push_rows(
            rows.iter().map(|(document, (seq, actor, at))| args![*document, *seq, *actor, *at]),
        );
        update.push(") AS v WHERE documents.id = v.column1");
        statements.push(update);
    }
    statements
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::Place, sql::Db};
    use uuid::Uuid;

    #[tokio::test]
    async fn what_is_known_is_looked_up_by_key() {
        let db = Db::open(&Place::Memory).await.unwrap();
        let (document, user) = (DocumentId(Uuid::nil()), UserId(Uuid::nil()));
        for query in [
            select_heads(&[document].into()),
            select_users(&[user].into()),
            select_ops(&[(document, user, "a"), (document, user, "b")]),
            select_clients(&[(document, 1), (document, 2)]),
        ] {
            let mut explain = Statement::new("EXPLAIN QUERY PLAN ");
            explain.push(&query.into_parts().0);
            let plan = db.fetch(explain).await.unwrap();
            let plan: Vec<String> = plan.iter().map(|step| step.get("detail").unwrap()).collect();
            assert!(plan.iter().any(|step| step.contains("USING PRIMARY KEY")), "{plan:?}");
            let scans = plan.iter().filter(|step| step.starts_with("SCAN ") && **step != "SCAN k");
            assert_eq!(
                scans
                    .filter(|step| !(step.contains("CONSTANT") || step.contains("VALUES CLAUSE")))
                    .count(),
                0,
                "{plan:?}"
            );
        }
    }
}
