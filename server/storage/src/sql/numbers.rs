//! Numbers of changes, which readers follow from the highest one they have seen. How they are given
//! out differs between databases: it is in the views of their schemas.

use super::{database::Database, row::Row, statement::Statement};
use izanagi_domain::storage::{Freshness::Fresh, StoreResult};
use std::time::Duration;
use tokio::time::Instant;

/// How long a reader waits for older transactions, so that it usually sees what it has just
/// written. Not waiting longer loses nothing: the next read continues from there.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(2);

/// Appends the number that is `offset` after those that the transaction has used, from
/// `change_numbers` or `account_numbers` as `t`. A transaction that uses too many fails, because
/// the column takes no NULL.
pub(super) fn push_next<'s>(statement: &'s mut Statement, offset: &str) -> &'s mut Statement {
    statement.push("CASE WHEN t.top + ").push(offset).push(" <= t.last THEN t.top + ");
    statement.push(offset).push(" END")
}

/// Returns the rows of a query once all numbers up to those it saw at first are complete, or
/// patience ends. It has the columns `settled` and `seen`, the highest visible number.
pub(super) async fn fetch_settled(db: &impl Database, query: Statement) -> StoreResult<Vec<Row>> {
    let give_up = Instant::now() + PATIENCE;
    let mut target = None;
    loop {
        let rows = db.fetch(Fresh, query.clone()).await?;
        let Some(first) = rows.first() else { return Ok(rows) };
        let seen = first.get::<Option<i64>>("seen")?.unwrap_or_default();
        let target = *target.get_or_insert(seen);
        if first.get::<i64>("settled")? >= target || Instant::now() >= give_up {
            return Ok(rows);
        }
        tokio::time::sleep(PAUSE).await;
    }
}
