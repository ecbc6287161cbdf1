//! The tables to move, read from the schema itself: a table that a later migration adds moves, too.

use super::{backing::Backing, dialect};
use crate::sql::{
    database::Database as _,
    row::{Cell, Row},
    statement::{Arg, Statement},
};
use izanagi_domain::storage::{Freshness::Fresh, StoreError, StoreResult};
use std::{cmp::Ordering, collections::BTreeMap};
use uuid::Uuid;

/// Tables that belong to their database and stay there.
pub(super) const LOCAL: [&str; 6] = [
    "_sqlx_migrations",
    "database_origin",
    "database_departure",
    "moved_tables",
    "moved_links",
    "move_nodes",
];

/// Begins the names of what a move adds to its source.
pub(super) const PREFIX: &str = "moving_";

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    Flag,
    Text,
    Bytes,
    Uuid,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Its type, in the words of the database that was asked.
    pub(super) declared: String,
}

/// A table.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    /// The places of the columns of the primary key.
    pub(super) key: Vec<usize>,
    /// Those of other unique constraints.
    pub(super) uniques: Vec<Vec<usize>>,
}

/// The values of a primary key.
pub(super) type Key = Vec<Cell>;

impl Kind {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "INTEGER" | "bigint" => Self::Number,
            "boolean" => Self::Flag,
            "TEXT" | "text" => Self::Text,
            "BLOB" | "bytea" => Self::Bytes,
            "uuid" => Self::Uuid,
            _ => return None,
        })
    }

    /// Whether SQLite calls the other type by the same name.
    const fn is_like(self, other: Self) -> bool {
        matches!(
            (self, other),
            (Self::Number | Self::Flag, Self::Number | Self::Flag)
                | (Self::Bytes | Self::Uuid, Self::Bytes | Self::Uuid)
                | (Self::Text, Self::Text)
        )
    }

    /// The argument for a value of this type.
    pub(super) fn arg(self, cell: &Cell) -> Result<Arg, String> {
        Ok(match (self, cell) {
            (Self::Number | Self::Flag, Cell::Null) => Arg::NoNumber,
            (Self::Text, Cell::Null) => Arg::NoText,
            (Self::Bytes, Cell::Null) => Arg::NoBytes,
            (Self::Uuid, Cell::Null) => Arg::NoUuid,
            (Self::Number, Cell::Number(number)) => Arg::Number(*number),
            (Self::Flag, Cell::Number(number @ (0 | 1))) => Arg::Flag(*number == 1),
            (Self::Text, Cell::Text(text)) => Arg::Text(text.clone()),
            (Self::Bytes, Cell::Bytes(bytes)) => Arg::Bytes(bytes.clone()),
            (Self::Uuid, Cell::Bytes(bytes)) => {
                Arg::Uuid(Uuid::from_slice(bytes).map_err(|error| error.to_string())?)
            }
            (kind, _) => return Err(format!("a value is not of the type {kind:?}")),
        })
    }
}

impl Table {
    /// The name, for SQL.
    pub(super) fn quoted(&self) -> String {
        quoted(&self.name)
    }

    /// The table that notes changed rows, for SQL.
    pub(super) fn notes(&self) -> String {
        quoted(&format!("{PREFIX}{}", self.name))
    }

    /// The columns at these places, for SQL, each with a prefix.
    pub(super) fn list(&self, places: &[usize], prefix: &str) -> String {
        let names = places.iter().filter_map(|place| self.columns.get(*place));
        names
            .map(|column| format!("{prefix}{}", quoted(&column.name)))
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// All columns, for SQL.
    pub(super) fn all(&self) -> String {
        self.list(&(0..self.columns.len()).collect::<Vec<_>>(), "")
    }

    /// The columns of the primary key, for SQL.
    pub(super) fn keys(&self) -> String {
        self.list(&self.key, "")
    }

    /// The primary key of a row.
    pub(super) fn key_of(&self, row: &[Cell]) -> Key {
        self.key.iter().filter_map(|place| row.get(*place)).cloned().collect()
    }

    /// The arguments for values of the columns at these places.
    pub(super) fn args(&self, places: &[usize], cells: &[Cell]) -> StoreResult<Vec<Arg>> {
        let columns = places.iter().filter_map(|place| self.columns.get(*place));
        let arg = |(column, cell): (&Column, &Cell)| {
            column.kind.arg(cell).map_err(|why| {
                let (table, column) = (&self.name, &column.name);
                StoreError::Corrupt(format!("column {column} of {table}: {why}; run fsck"))
            })
        };
        columns.zip(cells).map(arg).collect()
    }

    /// Appends `(…, …)` with a primary key.
    pub(super) fn push_key(&self, statement: &mut Statement, key: &[Cell]) -> StoreResult<()> {
        push_tuple(statement, self.args(&self.key, key)?);
        Ok(())
    }

    /// Appends `VALUES (…), (…)` with primary keys.
    pub(super) fn push_keys(&self, statement: &mut Statement, keys: &[Key]) -> StoreResult<()> {
        statement.push("VALUES ");
        for (index, key) in keys.iter().enumerate() {
            statement.push(if index == 0 { "" } else { ", " });
            self.push_key(statement, key)?;
        }
        Ok(())
    }

    /// The sizes of long columns together, for SQL.
    pub(super) fn size(&self) -> String {
        let is_long = |column: &&Column| matches!(column.kind, Kind::Text | Kind::Bytes);
        let size = |column: &Column| format!("COALESCE(octet_length({}), 0)", quoted(&column.name));
        let sizes: Vec<_> = self.columns.iter().filter(is_long).map(size).collect();
        if sizes.is_empty() { "0".to_owned() } else { sizes.join(" + ") }
    }
}

/// Appends `(…, …)`.
pub(super) fn push_tuple(statement: &mut Statement, args: Vec<Arg>) {
    for (index, arg) in args.into_iter().enumerate() {
        statement.push(if index == 0 { "(" } else { ", " }).push_value(arg);
    }
    statement.push(")");
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Compares primary keys as both databases sort them.
pub(super) fn compare(a: &[Cell], b: &[Cell]) -> Ordering {
    let cell = |(a, b): (&Cell, &Cell)| match (a, b) {
        (Cell::Number(a), Cell::Number(b)) => a.cmp(b),
        (Cell::Text(a), Cell::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
        (Cell::Bytes(a), Cell::Bytes(b)) => a.cmp(b),
        (a, b) => rank(a).cmp(&rank(b)),
    };
    a.iter().zip(b).map(cell).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

const fn rank(cell: &Cell) -> u8 {
    match cell {
        Cell::Null => 0,
        Cell::Number(_) => 1,
        Cell::Text(_) => 2,
        Cell::Bytes(_) => 3,
    }
}

/// Reads the tables of a database that move. The types are those of
/// either database that say more.
pub(super) async fn read(source: &Backing, target: &Backing) -> StoreResult<Vec<Table>> {
    let (mut tables, others) = (of(source).await?, of(target).await?);
    if !tables.keys().eq(others.keys()) {
        return Err(differ("have other tables"));
    }
    for (table, other) in tables.values_mut().zip(others.values()) {
        let is_alike = |(a, b): (&Column, &Column)| a.name == b.name && a.kind.is_like(b.kind);
        if table.columns.len() != other.columns.len()
            || !table.columns.iter().zip(&other.columns).all(is_alike)
            || table.key != other.key
        {
            return Err(differ(&format!("have other columns in {}", table.name)));
        }
        if table.key.is_empty() {
            return Err(differ(&format!("have no primary key in {}", table.name)));
        }
        for (column, other) in table.columns.iter_mut().zip(&other.columns) {
            if matches!(other.kind, Kind::Flag | Kind::Uuid) {
                column.kind = other.kind;
            }
        }
    }
    Ok(tables.into_values().collect())
}

fn differ(how: &str) -> StoreError {
    StoreError::Corrupt(format!("the two databases cannot be moved between: they {how}"))
}

pub(super) async fn of(database: &Backing) -> StoreResult<BTreeMap<String, Table>> {
    let queries = dialect::of(database).catalogue();
    let mut tables = BTreeMap::new();
    let mut key_places = BTreeMap::<String, BTreeMap<i64, usize>>::new();
    for row in database.fetch(Fresh, Statement::new(queries.columns)).await? {
        let Some(name) = moved_table(&row)? else { continue };
        let (column, declared): (String, String) = (row.get("column_name")?, row.get("kind")?);
        let table = tables.entry(name.clone()).or_insert_with(|| Table {
            name: name.clone(),
            columns: Vec::new(),
            key: Vec::new(),
            uniques: Vec::new(),
        });
        let unknown = || differ(&format!("have {declared} in column {column} of {name}"));
        let kind = Kind::parse(&declared).ok_or_else(unknown)?;
        let key_place = row.get::<i64>("key_place")?;
        if key_place > 0 {
            key_places.entry(name).or_default().insert(key_place, table.columns.len());
        }
        table.columns.push(Column { name: column, kind, declared });
    }
    for (name, places) in key_places {
        if let Some(table) = tables.get_mut(&name) {
            table.key = places.into_values().collect();
        }
    }
    let mut uniques = BTreeMap::<(String, String), Vec<usize>>::new();
    for row in database.fetch(Fresh, Statement::new(queries.uniques)).await? {
        let Some(name) = moved_table(&row)? else { continue };
        let column = row.get::<String>("column_name")?;
        let table = tables.get(&name);
        let place = table.and_then(|table| table.columns.iter().position(|c| c.name == column));
        uniques.entry((name, row.get("constraint_name")?)).or_default().extend(place);
    }
    for ((name, _), places) in uniques {
        tables.entry(name).and_modify(|table| table.uniques.push(places));
    }
    Ok(tables)
}

fn moved_table(row: &Row) -> StoreResult<Option<String>> {
    let name = row.get::<String>("table_name")?;
    Ok((!LOCAL.contains(&name.as_str()) && !name.starts_with(PREFIX)).then_some(name))
}
