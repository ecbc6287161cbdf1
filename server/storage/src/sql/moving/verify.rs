//! Comparing all rows of both sides.

use super::{
    Engine, rows,
    table::{Key, Table, compare},
};
use crate::sql::row::Cell;
use izanagi_domain::storage::StoreResult;
use std::{cmp::Ordering, collections::BTreeMap};

impl Engine {
    /// Compares all rows. Those that differ, mostly because they have just changed, are noted: they
    /// are copied again, and read back. Returns their number.
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
        let (mut after, mut differing) = (None::<Key>, 0);
        loop {
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
            let Some(bound) = bound else { return Ok(differing) };
            after = Some(bound);
        }
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
    let by_key = |rows: Vec<Vec<Cell>>| -> BTreeMap<Vec<u8>, Vec<Cell>> {
        let rows = rows.into_iter().filter(is_within);
        rows.map(|row| (super::key_bytes::encode(&table.key_of(&row)), row)).collect()
    };
    let (source, mut target) = (by_key(source), by_key(target));
    let mut keys = Vec::new();
    for (key, row) in source {
        if target.remove(&key).as_ref() != Some(&row) {
            keys.push(table.key_of(&row));
        }
    }
    keys.extend(target.into_values().map(|row| table.key_of(&row)));
    keys
}
