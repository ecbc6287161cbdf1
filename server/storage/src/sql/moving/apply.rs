//! Making rows of the target equal to those of the source.

use super::{
    Engine, rows,
    table::{Key, Kind, Table, push_tuple},
};
use crate::sql::{
    database::Database as _,
    row::Cell,
    statement::{Arg, Statement},
};
use izanagi_domain::storage::{Constraint, Freshness::Fresh, StoreError, StoreResult};
use std::collections::BTreeMap;

/// Arguments of one statement; databases take some more.
const ARGUMENTS: usize = 16_000;

/// A row by its key, which sorts as bytes here.
type Rows = BTreeMap<Vec<u8>, Vec<Cell>>;

/// What to do with a row that exists.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Existing {
    Keep,
    Replace,
}

impl Engine {
    /// Makes these rows of the target equal to those of the source, and reads them back. Returns the
    /// keys of rows that have to wait for others, because they refer to them.
    pub(super) async fn reconcile(&self, table: &Table, keys: Vec<Key>) -> StoreResult<Vec<Key>> {
        let mut postponed = Vec::new();
        for part in rows::parts(&self.source, table, keys).await? {
            let wanted = by_key(table, rows::with_keys(&self.source, table, &part).await?);
            let present = by_key(table, rows::with_keys(&self.target, table, &part).await?);
            self.follow_parents(table).await?;
            let mut later = Vec::new();
            let gone = present.iter().filter(|(key, _)| !wanted.contains_key(*key));
            let gone: Vec<_> = gone.map(|(_, row)| row.clone()).collect();
            let refused = self.each(table, gone, &mut later, delete).await?;
            later.extend(refused.iter().map(|row| table.key_of(row)));
            let (changed, new): (Vec<_>, Vec<_>) = wanted
                .iter()
                .filter(|(key, row)| present.get(*key) != Some(*row))
                .partition(|(key, _)| present.contains_key(*key));
            let values = |rows: Vec<(&Vec<u8>, &Vec<Cell>)>| {
                rows.into_iter().map(|(_, row)| row.clone()).collect::<Vec<_>>()
            };
            self.put(table, values(new), Existing::Keep, &mut later).await?;
            self.put(table, values(changed), Existing::Replace, &mut later).await?;
            self.read_back(table, &part, &wanted, &later).await?;
            postponed.append(&mut later);
        }
        Ok(postponed)
    }

    /// Adds rows that may be there already. Returns the keys of those that have to wait.
    pub(super) async fn add(&self, table: &Table, rows: Vec<Vec<Cell>>) -> StoreResult<Vec<Key>> {
        self.follow_parents(table).await?;
        let mut later = Vec::new();
        self.put(table, rows, Existing::Keep, &mut later).await?;
        Ok(later)
    }

    async fn read_back(
        &self,
        table: &Table,
        keys: &[Key],
        wanted: &Rows,
        later: &[Key],
    ) -> StoreResult<()> {
        let stored = by_key(table, rows::with_keys(&self.target, table, keys).await?);
        for key in keys.iter().filter(|key| !later.contains(key)) {
            let bytes = super::key_bytes::encode(key);
            if stored.get(&bytes) != wanted.get(&bytes) {
                let name = &table.name;
                let why = format!("a row of {name} is not read back as it was written");
                return Err(StoreError::Corrupt(why));
            }
        }
        Ok(())
    }

    async fn put(
        &self,
        table: &Table,
        rows: Vec<Vec<Cell>>,
        existing: Existing,
        later: &mut Vec<Key>,
    ) -> StoreResult<()> {
        let refused =
            self.each(table, rows, later, |table, rows| insert(table, rows, existing)).await?;
        for row in refused {
            self.make_room(table, &row).await?;
            match self.target.execute(insert(table, std::slice::from_ref(&row), existing)?).await {
                Ok(_) => {}
                Err(StoreError::Conflict(_)) => later.push(table.key_of(&row)),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Runs a statement for many rows at once, and for fewer if some of them are refused. Returns
    /// those that violate something else than a reference.
    async fn each(
        &self,
        table: &Table,
        rows: Vec<Vec<Cell>>,
        later: &mut Vec<Key>,
        statement: impl Fn(&Table, &[Vec<Cell>]) -> StoreResult<Statement>,
    ) -> StoreResult<Vec<Vec<Cell>>> {
        let at_once = (ARGUMENTS / table.columns.len().max(1)).max(1);
        let mut waiting: Vec<_> = rows.chunks(at_once).rev().map(<[_]>::to_vec).collect();
        let mut refused = Vec::new();
        while let Some(mut part) = waiting.pop() {
            match self.target.execute(statement(table, &part)?).await {
                Ok(_) => {}
                Err(StoreError::Conflict(_)) if part.len() > 1 => {
                    let rest = part.split_off(part.len() / 2);
                    waiting.extend([rest, part]);
                }
                Err(StoreError::Conflict(Constraint::Reference)) => {
                    later.extend(part.iter().map(|row| table.key_of(row)));
                }
                Err(StoreError::Conflict(_)) => refused.append(&mut part),
                Err(error) => return Err(error),
            }
        }
        Ok(refused)
    }

    /// Gives other rows, which the source has changed meanwhile, a value that nobody wants where they
    /// have a unique one of this row. They are noted, and soon get what they have in the source.
    async fn make_room(&self, table: &Table, row: &[Cell]) -> StoreResult<()> {
        let mut found = false;
        for unique in &table.uniques {
            let mut query = Statement::new("SELECT ");
            query.push(&table.keys()).push(" FROM ").push(&table.quoted()).push(" WHERE (");
            query.push(&table.list(unique, "")).push(") = ");
            let values: Vec<_> =
                unique.iter().filter_map(|place| row.get(*place)).cloned().collect();
            push_tuple(&mut query, table.args(unique, &values)?);
            for other in self.target.fetch(Fresh, query).await? {
                let other = other.into_cells();
                let Some(last) = unique.last().filter(|_| other != table.key_of(row)) else {
                    continue;
                };
                found = true;
                self.note(table, std::slice::from_ref(&other)).await?;
                let Some(column) = table.columns.get(*last) else { continue };
                let mut update = Statement::new("UPDATE ");
                update.push(&table.quoted()).push(" SET ").push(&table.list(&[*last], ""));
                update.push(" = ").push_value(unwanted(column.kind, &other, values.last()));
                update.push(" WHERE (").push(&table.keys()).push(") = ");
                table.push_key(&mut update, &other)?;
                self.target.execute(update).await?;
            }
        }
        if found {
            return Ok(());
        }
        Err(StoreError::Corrupt(format!("a row of {} violates a rule of its table", table.name)))
    }
}

/// A value of the same type and length that no row has.
fn unwanted(kind: Kind, key: &[Cell], like: Option<&Cell>) -> Arg {
    let hash = blake3::hash(&super::key_bytes::encode(key));
    let [a, b, c, d, e, f, g, h, ..] = *hash.as_bytes();
    match kind {
        Kind::Number | Kind::Flag => Arg::Number(
            -(i64::from_le_bytes([a, b, c, d, e, f, g, h]).unsigned_abs() >> 1).cast_signed(),
        ),
        Kind::Text => Arg::Text(format!("moving {}", hash.to_hex())),
        Kind::Uuid => Arg::Uuid(uuid::Uuid::from_u128(u128::from_le_bytes(first(hash.as_bytes())))),
        Kind::Bytes => {
            let length = if let Some(Cell::Bytes(bytes)) = like { bytes.len() } else { 32 };
            Arg::Bytes(hash.as_bytes().iter().copied().cycle().take(length).collect())
        }
    }
}

fn first<const N: usize>(hash: &[u8; 32]) -> [u8; N] {
    std::array::from_fn(|index| hash.get(index).copied().unwrap_or_default())
}

fn by_key(table: &Table, rows: Vec<Vec<Cell>>) -> Rows {
    rows.into_iter().map(|row| (super::key_bytes::encode(&table.key_of(&row)), row)).collect()
}

fn delete(table: &Table, rows: &[Vec<Cell>]) -> StoreResult<Statement> {
    let mut delete = Statement::new("DELETE FROM ");
    delete.push(&table.quoted()).push(" WHERE (").push(&table.keys()).push(") IN (");
    let keys: Vec<_> = rows.iter().map(|row| table.key_of(row)).collect();
    table.push_keys(&mut delete, &keys)?;
    delete.push(")");
    Ok(delete)
}

fn insert(table: &Table, rows: &[Vec<Cell>], existing: Existing) -> StoreResult<Statement> {
    let places: Vec<_> = (0..table.columns.len()).collect();
    let mut insert = Statement::new("INSERT INTO ");
    insert.push(&table.quoted()).push(" (").push(&table.all()).push(") VALUES ");
    for (index, row) in rows.iter().enumerate() {
        insert.push(if index == 0 { "" } else { ", " });
        push_tuple(&mut insert, table.args(&places, row)?);
    }
    insert.push(" ON CONFLICT (").push(&table.keys()).push(") DO ");
    let others: Vec<_> = places.into_iter().filter(|place| !table.key.contains(place)).collect();
    if existing == Existing::Keep || others.is_empty() {
        insert.push("NOTHING");
        return Ok(insert);
    }
    insert.push("UPDATE SET ");
    for (index, place) in others.iter().enumerate() {
        insert.push(if index == 0 { "" } else { ", " });
        insert.push(&table.list(&[*place], "")).push(" = ");
        insert.push(&table.list(&[*place], "excluded."));
    }
    Ok(insert)
}
