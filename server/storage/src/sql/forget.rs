//! Forgetting old op ids. There is no index over their times, which every update would have to
//! pay for: a reader walks the table now and then, and the writer only removes what it found.

use super::{
    Db,
    statement::{Arg, Statement, args},
};
use izanagi_domain::storage::StoreResult;
use izanagi_shared::{
    id::{DocumentId, UserId},
    time::Timestamp,
};

/// Op ids removed in one transaction, so that nobody waits long behind it.
const AT_ONCE: u32 = 1_000;

type Key = (DocumentId, UserId, String);

/// Forgets the op ids of before `before`.
pub(super) async fn forget_ops(db: &Db, before: Timestamp) -> StoreResult<()> {
    let mut after: Option<Key> = None;
    loop {
        let rows = db.fetch(select_old(before, after.as_ref())).await?;
        let keys: StoreResult<Vec<Key>> = rows
            .iter()
            .map(|row| Ok((row.get("document_id")?, row.get("user_id")?, row.get("op_id")?)))
            .collect();
        let keys = keys?;
        if keys.is_empty() {
            return Ok(());
        }
        db.execute(delete(&keys, before)).await?;
        after = keys.into_iter().next_back();
    }
}

fn row((document, user, op): &Key) -> [Arg; 3] {
    args![*document, *user, op.as_str()]
}

fn select_old(before: Timestamp, after: Option<&Key>) -> Statement {
    let mut query =
        Statement::new("SELECT document_id, user_id, op_id FROM document_ops WHERE created_at < ");
    query.push_arg(before);
    if let Some(after) = after {
        let (document, user, op) = after;
        query.push(" AND (document_id, user_id, op_id) > (").push_arg(*document);
        query.push(", ").push_arg(*user).push(", ").push_arg(op.as_str()).push(")");
    }
    query.push(" ORDER BY document_id, user_id, op_id LIMIT ").push_arg(AT_ONCE);
    query
}

/// Through a list of keys: given `IN (VALUES …)` instead, SQLite reads the whole table.
fn delete(keys: &[Key], before: Timestamp) -> Statement {
    let mut statement = Statement::new(
        "DELETE FROM document_ops WHERE (document_id, user_id, op_id) IN \
         (SELECT k.column1, k.column2, k.column3 FROM (",
    );
    statement.push_rows(keys.iter().map(row));
    statement.push(") AS k) AND created_at < ").push_arg(before);
    statement
}
