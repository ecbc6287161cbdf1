//! Comparing all rows of both sides.

use super::{
    Engine,
    apply::by_key,
    rows,
    table::{Key, Table, compare},
};
use crate::sql::row::Cell;
use izanagi_domain::storage::StoreResult;
use std::cmp::Ordering;

/// After so many pages, it is noted how far the comparison is.
const PAGES: usize = 16;

impl Engine {
    /// Compares all rows that an earlier run has not. Those that differ, mostly because they have just
    /// changed, are noted: they are copied again, and read back. Returns their number.
    pub(crate) async fn compare(&self) -> StoreResult<u64> {
        let rows = self.progress.total.load(std::sync::atomic::Ordering::Relaxed);
        self.progress.begin(rows);
        let mut differing = 0;
        for table in &self.tables {
            differing += self.compare_table(table).await?;
        }
        Ok(differing)
    }

    async fn compare_table(&self, table: &Table) -> StoreResult<u64> {
        let work = format!("{}, compared", table.name);
        let (mut after, is_complete) = self.position(&work).await?;
        let mut differing = 0;
        if is_complete {
            return Ok(0);
        }
        for number in 1_usize.. {
            let source = rows::page(&self.source, table, after.as_ref()).await?;
            let target = rows::page(&self.target, table, after.as_ref()).await?;
            let end = |page: &rows::Page| {
                (!page.is_last).then(|| page.rows.last().map(|row| table.key_of(row))).flatten()
            };
            // Beyond the end of either page, nothing is known of that side.
            let bound = match (end(&source), end(&target)) {
                (Some(a), Some(b)) => Some(if compare(&a, &b) == Ordering::Less { a } else { b }),
                (a, b) => a.or(b),
            };
            let keys = differences(table, source.rows, target.rows, bound.as_ref());
            differing += keys.len() as u64;
            self.note(table, &keys).await?;
            self.progress.add(rows::ROWS);
            if bound.is_none() || number % PAGES == 0 {
                self.save_position(&work, bound.as_ref(), bound.is_none()).await?;
            }
            after = bound;
            if after.is_none() {
                break;
            }
        }
        Ok(differing)
    }
}

fn differences(
    table: &Table,
    source: Vec<Vec<Cell>>,
    target: Vec<Vec<Cell>>,
    bound: Option<&Key>,
) -> Vec<Key> {
    let is_within = |row: &Vec<Cell>| {
        bound.is_none_or(|bound| compare(&table.key_of(row), bound) != Ordering::Greater)
    };
    let within = |rows: Vec<Vec<Cell>>| by_key(table, rows.into_iter().filter(is_within).collect());
    let (source, mut target) = (within(source), within(target));
    let mut keys = Vec::new();
    for (key, row) in source {
        if target.remove(&key).as_ref() != Some(&row) {
            keys.push(table.key_of(&row));
        }
    }
    keys.extend(target.into_values().map(|row| table.key_of(&row)));
    keys
}
