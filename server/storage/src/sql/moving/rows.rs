//! Reading rows of any table, in pieces that fit into memory.

use super::{
    backing::Backing,
    table::{Key, Table},
};
use crate::sql::{
    database::Database as _,
    row::{Cell, Row},
    statement::Statement,
};
use izanagi_domain::storage::{Freshness::Fresh, StoreResult};

/// Rows read at once.
pub(super) const ROWS: usize = 256;
/// Bytes read at once, unless a single row is longer.
const BYTES: i64 = 8 * 1024 * 1024;

/// Rows in the order of their keys.
pub(super) struct Page {
    pub(super) rows: Vec<Vec<Cell>>,
    /// Whether there are no more.
    pub(super) is_last: bool,
}

/// Reads the rows after a key.
pub(super) async fn page(
    database: &Backing,
    table: &Table,
    after: Option<&Key>,
) -> StoreResult<Page> {
    let mut sizes = Statement::new("SELECT ");
    sizes.push(&table.size()).push(" AS moving_size FROM ");
    push_after(&mut sizes, table, after, ROWS)?;
    let sizes = database.fetch(Fresh, sizes).await?;
    let found = sizes.len();
    let count = fitting(&sizes)?;
    if count == 0 {
        return Ok(Page { rows: Vec::new(), is_last: true });
    }
    let mut query = Statement::new("SELECT ");
    query.push(&table.all()).push(" FROM ");
    push_after(&mut query, table, after, count)?;
    let rows: Vec<_> =
        database.fetch(Fresh, query).await?.into_iter().map(Row::into_cells).collect();
    Ok(Page { is_last: rows.is_empty() || (found < ROWS && count == found), rows })
}

fn push_after(
    query: &mut Statement,
    table: &Table,
    after: Option<&Key>,
    limit: usize,
) -> StoreResult<()> {
    query.push(&table.quoted());
    if let Some(after) = after {
        query.push(" WHERE (").push(&table.keys()).push(") > ");
        table.push_key(query, after)?;
    }
    query.push(" ORDER BY ").push(&table.keys()).push(&format!(" LIMIT {limit}"));
    Ok(())
}

/// How many of the first rows may be read at once.
fn fitting(sizes: &[Row]) -> StoreResult<usize> {
    let mut bytes = 0_i64;
    for (index, row) in sizes.iter().enumerate() {
        bytes = bytes.saturating_add(row.get::<i64>("moving_size")?);
        if bytes > BYTES {
            return Ok(index.max(1));
        }
    }
    Ok(sizes.len())
}

/// Cuts keys, [`ROWS`] at most, into parts whose rows may be read at once.
pub(super) async fn parts(
    database: &Backing,
    table: &Table,
    keys: Vec<Key>,
) -> StoreResult<Vec<Vec<Key>>> {
    let size = table.size();
    if size == "0" {
        return Ok(vec![keys]);
    }
    let mut query = Statement::new("SELECT ");
    query.push(&table.keys()).push(", ").push(&size).push(" AS moving_size FROM ");
    push_those(&mut query, database, table, &keys)?;
    let mut parts = vec![Vec::new()];
    let (mut bytes, mut sized) = (0_i64, Vec::with_capacity(keys.len()));
    for row in database.fetch(Fresh, query).await? {
        bytes = bytes.saturating_add(row.get::<i64>("moving_size")?);
        let mut key = row.into_cells();
        key.truncate(table.key.len());
        if bytes > BYTES && !parts.last().is_none_or(Vec::is_empty) {
            bytes = 0;
            parts.push(Vec::new());
        }
        sized.push(key.clone());
        parts.last_mut().into_iter().for_each(|part| part.push(key.clone()));
    }
    // Rows that are gone take no space.
    let gone = keys.into_iter().filter(|key| !sized.contains(key));
    parts.last_mut().into_iter().for_each(|part| part.extend(gone.clone()));
    Ok(parts)
}

/// Reads the rows with these keys, as far as they exist.
pub(super) async fn with_keys(
    database: &Backing,
    table: &Table,
    keys: &[Key],
) -> StoreResult<Vec<Vec<Cell>>> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = Statement::new("SELECT ");
    query.push(&table.all()).push(" FROM ");
    push_those(&mut query, database, table, keys)?;
    Ok(database.fetch(Fresh, query).await?.into_iter().map(Row::into_cells).collect())
}

/// Appends a table and the condition that a row has one of these keys, [`ROWS`] at most.
pub(super) fn push_those(
    query: &mut Statement,
    database: &Backing,
    table: &Table,
    keys: &[Key],
) -> StoreResult<()> {
    query.push(&table.quoted()).push(" WHERE ");
    // SQLite searches a list of tuples in every row, instead of every tuple in the index.
    if matches!(database, Backing::Sqlite(_)) && table.key.len() > 1 {
        for (index, key) in keys.iter().enumerate() {
            query.push(if index == 0 { "(" } else { " OR (" }).push(&table.keys()).push(") = ");
            table.push_key(query, key)?;
        }
        return Ok(());
    }
    query.push("(").push(&table.keys()).push(") IN (");
    table.push_keys(query, keys)?;
    query.push(")");
    Ok(())
}
