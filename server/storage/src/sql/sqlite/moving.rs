//! SQLite as the source or the target of a move.

use crate::sql::moving::{Catalogue, Dialect, Noted};

/// See [`Dialect`].
pub(crate) struct Moving;

const COLUMNS: &str = "SELECT m.name AS table_name, p.name AS column_name, p.type AS kind, \
     p.pk AS key_place FROM sqlite_schema m JOIN pragma_table_info(m.name) p \
     WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name <> '_sqlx_migrations' \
     ORDER BY m.name, p.cid";

const UNIQUES: &str = "SELECT m.name AS table_name, l.name AS constraint_name, \
     i.name AS column_name FROM sqlite_schema m JOIN pragma_index_list(m.name) l \
     JOIN pragma_index_info(l.name) i WHERE m.type = 'table' AND l.origin = 'u' \
     ORDER BY m.name, l.name, i.seqno";

const REFUSALS: &str = "SELECT 'DROP TRIGGER \"' || name || '\"' AS drop_it FROM sqlite_schema \
     WHERE type = 'trigger' AND name LIKE 'moved\\_%' ESCAPE '\\'";

impl Dialect for Moving {
    fn catalogue(&self) -> Catalogue {
        Catalogue { columns: COLUMNS, uniques: UNIQUES, links: None, refusals: REFUSALS }
    }

    fn note(&self, table: &Noted) -> Vec<String> {
        let Noted { plain, name, notes, keys, old, new, definitions } = table;
        let create = format!(
            "CREATE TABLE IF NOT EXISTS {notes} (moving_number INTEGER PRIMARY KEY{definitions}) STRICT"
        );
        let trigger = |event: &str, body: String| {
            format!(
                "CREATE TRIGGER IF NOT EXISTS \"moving_{plain}_{event}\" AFTER {event} ON {name} \
                 BEGIN {body} END"
            )
        };
        let inserted = format!("INSERT INTO {notes} ({keys}) VALUES ({new});");
        let deleted = format!("INSERT INTO {notes} ({keys}) VALUES ({old});");
        let updated = format!(
            "{inserted} INSERT INTO {notes} ({keys}) SELECT {old} WHERE ({old}) IS NOT ({new});"
        );
        vec![
            create,
            trigger("INSERT", inserted),
            trigger("UPDATE", updated),
            trigger("DELETE", deleted),
        ]
    }

    fn forget(&self, table: &Noted) -> Vec<String> {
        let Noted { plain, notes, .. } = table;
        let drop = |event| format!("DROP TRIGGER IF EXISTS \"moving_{plain}_{event}\"");
        let mut statements: Vec<_> = ["INSERT", "UPDATE", "DELETE"].into_iter().map(drop).collect();
        statements.push(format!("DROP TABLE IF EXISTS {notes}"));
        statements
    }

    fn refuse(&self, table: &Noted) -> Vec<String> {
        let Noted { plain, name, .. } = table;
        let refuse = |event| {
            format!(
                "CREATE TRIGGER IF NOT EXISTS \"moved_{plain}_{event}\" BEFORE {event} ON {name} \
                 BEGIN SELECT RAISE(ABORT, 'this database has moved'); END"
            )
        };
        ["INSERT", "UPDATE", "DELETE"].into_iter().map(refuse).collect()
    }

    /// The transaction has the only write lock.
    fn lock(&self, _: &[Noted]) -> Vec<String> {
        Vec::new()
    }

    /// Numbers are those of rows.
    fn keep_numbers(&self) -> &'static [&'static str] {
        &[]
    }

    fn raise_numbers(&self) -> &'static [&'static str] {
        &[]
    }
}
