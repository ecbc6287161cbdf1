//! What differs between databases when one is moved: how they describe their tables, note changes
//! and refuse writes.

use super::{backing::Backing, table::Table};
use crate::sql::{postgres, sqlite, statement::Statement};

/// Queries about tables.
pub(crate) struct Catalogue {
    /// `table_name`, `column_name`, `kind`, and `key_place` in the primary key, from 1 on, or 0.
    pub(crate) columns: &'static str,
    /// `table_name`, `constraint_name` and `column_name` of unique constraints but primary keys.
    pub(crate) uniques: &'static str,
    /// `table_name`, `link_name`, both quoted, and `definition` of foreign keys, where they can be
    /// removed and added again.
    pub(crate) links: Option<&'static str>,
    /// Statements as `drop_it` that undo [`Dialect::refuse`].
    pub(crate) refusals: &'static str,
}

/// What a database needs to be the source or the target of a move.
pub(crate) trait Dialect: Sync {
    /// Queries about its tables.
    fn catalogue(&self) -> Catalogue;

    /// Statements, for one transaction, that create the table of notes and the triggers that fill it
    /// with the primary keys of changed rows. May be run again.
    fn note(&self, table: &Noted) -> Vec<String>;

    /// Statements that undo [`Self::note`]. May be run again.
    fn forget(&self, table: &Noted) -> Vec<String>;

    /// Statements that make the database refuse every change of a table.
    fn refuse(&self, table: &Noted) -> Vec<String>;

    /// Statements at the begin of a transaction after which nobody else writes to the tables until it
    /// ends. It fails if they are in use for long.
    fn lock(&self, tables: &[Noted]) -> Vec<String>;

    /// Statements that note how far numbers are given out, in rows that move.
    fn keep_numbers(&self) -> &'static [&'static str];

    /// Queries that let numbers go on above those of copied rows.
    fn raise_numbers(&self) -> &'static [&'static str];
}

/// A table, as the statements need it; names are quoted.
pub(crate) struct Noted {
    /// Its name as it is.
    pub(crate) plain: String,
    /// The table.
    pub(crate) name: String,
    /// The table of notes.
    pub(crate) notes: String,
    /// The columns of the primary key.
    pub(crate) keys: String,
    /// Their values before and after a change.
    pub(crate) old: String,
    /// See [`Self::old`].
    pub(crate) new: String,
    /// Their definitions.
    pub(crate) definitions: String,
}

impl From<&Table> for Noted {
    fn from(table: &Table) -> Self {
        let columns = table.key.iter().filter_map(|place| table.columns.get(*place));
        let definitions =
            columns.map(|column| format!(", \"{}\" {}", column.name, column.declared));
        Self {
            plain: table.name.clone(),
            name: table.quoted(),
            notes: table.notes(),
            keys: table.keys(),
            old: table.list(&table.key, "OLD."),
            new: table.list(&table.key, "NEW."),
            definitions: definitions.collect(),
        }
    }
}

/// What a database needs.
pub(super) fn of(database: &Backing) -> &'static dyn Dialect {
    match database {
        Backing::Sqlite(_) => &sqlite::Moving,
        Backing::Postgres(_) => &postgres::Moving,
    }
}

/// A statement from text.
pub(super) fn statement(text: &str) -> Statement {
    let mut statement = Statement::new("");
    statement.push(text);
    statement
}
