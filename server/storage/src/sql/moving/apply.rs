//! Making rows of the target equal to those of the source.

use super::{
    Engine, key_bytes, rows,
    table::{Key, Table, push_tuple},
};
use crate::sql::{database::Database as _, row::Cell, statement::Statement};
use izanagi_domain::storage::{Freshness::Fresh, StoreError, StoreResult};
use std::collections::BTreeMap;

/// Arguments of one statement; databases take some more.
const ARGUMENTS: usize = 16_000;

impl Engine {
    /// Makes these rows of the target equal to those of the source, and reads them back.
    pub(super) async fn reconcile(&self, table: &Table, keys: Vec<Key>) -> StoreResult<()> {
        for part in rows::parts(&self.source, table, keys).await? {
            let wanted = rows::with_keys(&self.source, table, &part).await?;
            self.put(table, &part, &wanted).await?;
            let stored = rows::with_keys(&self.target, table, &part).await?;
            if by_key(table, stored) != by_key(table, wanted) {
                let name = &table.name;
                let why = format!("rows of {name} are not read back as they were written");
                return Err(StoreError::Corrupt(why));
            }
        }
        Ok(())
    }

    /// Puts rows in the place of those with these keys.
    pub(super) async fn put(
        &self,
        table: &Table,
        keys: &[Key],
        rows: &[Vec<Cell>],
    ) -> StoreResult<()> {
        match self.replace(table, keys, rows).await {
            // Other rows still have a value that is unique.
            Err(StoreError::Conflict(_)) => {}
            result => return result,
        }
        self.replace(table, keys, &[]).await?;
        for row in rows {
            self.make_room(table, row).await?;
            self.replace(table, &[table.key_of(row)], std::slice::from_ref(row)).await?;
        }
        Ok(())
    }

    async fn replace(&self, table: &Table, keys: &[Key], new: &[Vec<Cell>]) -> StoreResult<()> {
        let mut statements = Vec::new();
        if !keys.is_empty() {
            let mut delete = Statement::new("DELETE FROM ");
            rows::push_those(&mut delete, &self.target, table, keys)?;
            statements.push(delete);
        }
        let at_once = (ARGUMENTS / table.columns.len().max(1)).max(1);
        for rows in new.chunks(at_once) {
            statements.push(insert(table, rows)?);
        }
        self.target.execute_all(statements).await
    }

    /// Removes other rows, which the source has changed meanwhile, from the target where they have a
    /// unique value of this row. They are noted before, and soon get what they have in the source.
    async fn make_room(&self, table: &Table, row: &[Cell]) -> StoreResult<()> {
        for unique in &table.uniques {
            let values: Vec<_> =
                unique.iter().filter_map(|place| row.get(*place)).cloned().collect();
            let mut query = Statement::new("SELECT ");
            query.push(&table.keys()).push(" FROM ").push(&table.quoted()).push(" WHERE (");
            query.push(&table.list(unique, "")).push(") = ");
            push_tuple(&mut query, table.args(unique, &values)?);
            let others = self.target.fetch(Fresh, query).await?;
            let others: Vec<Key> = others.into_iter().map(|other| other.into_cells()).collect();
            if !others.is_empty() {
                self.note(table, &others).await?;
                self.replace(table, &others, &[]).await?;
            }
        }
        Ok(())
    }
}

/// Rows by their keys, as bytes.
pub(super) fn by_key(table: &Table, rows: Vec<Vec<Cell>>) -> BTreeMap<Vec<u8>, Vec<Cell>> {
    rows.into_iter().map(|row| (key_bytes::encode(&table.key_of(&row)), row)).collect()
}

fn insert(table: &Table, rows: &[Vec<Cell>]) -> StoreResult<Statement> {
    let places: Vec<_> = (0..table.columns.len()).collect();
    let mut insert = Statement::new("INSERT INTO ");
    insert.push(&table.quoted()).push(" (").push(&table.all()).push(") VALUES ");
    for (index, row) in rows.iter().enumerate() {
        insert.push(if index == 0 { "" } else { ", " });
        push_tuple(&mut insert, table.args(&places, row)?);
    }
    Ok(insert)
}
