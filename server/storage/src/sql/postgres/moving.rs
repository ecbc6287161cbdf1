//! PostgreSQL as the source or the target of a move.

use crate::sql::moving::{Catalogue, Dialect, Noted};

/// See [`Dialect`].
pub(crate) struct Moving;

const COLUMNS: &str = "SELECT CAST(c.relname AS text) AS table_name, \
     CAST(a.attname AS text) AS column_name, format_type(a.atttypid, NULL) AS kind, \
     COALESCE(array_position(k.conkey, a.attnum), 0) AS key_place FROM pg_class c \
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
     LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p' \
     WHERE c.relnamespace = CAST(current_schema() AS regnamespace) AND c.relkind = 'r' \
     AND c.relname <> '_sqlx_migrations' ORDER BY c.relname, a.attnum";

const UNIQUES: &str = "SELECT CAST(c.relname AS text) AS table_name, \
     CAST(k.conname AS text) AS constraint_name, CAST(a.attname AS text) AS column_name \
     FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid \
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (k.conkey) \
     WHERE k.contype = 'u' AND k.connamespace = CAST(current_schema() AS regnamespace) \
     ORDER BY table_name, constraint_name, array_position(k.conkey, a.attnum)";

const LINKS: &str = "SELECT format('%I', c.relname) AS table_name, \
     format('%I', k.conname) AS link_name, pg_get_constraintdef(k.oid) AS definition \
     FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid \
     WHERE k.contype = 'f' AND k.connamespace = CAST(current_schema() AS regnamespace)";

const REFUSALS: &str = "SELECT format('DROP TRIGGER %I ON %I', t.tgname, c.relname) AS drop_it \
     FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid \
     WHERE c.relnamespace = CAST(current_schema() AS regnamespace) AND NOT t.tgisinternal \
     AND starts_with(CAST(t.tgname AS text), 'moved_')";

/// How long a statement waits for transactions that use a table.
const PATIENCE: &str = "SET LOCAL lock_timeout = '500ms'";

impl Dialect for Moving {
    fn catalogue(&self) -> Catalogue {
        Catalogue { columns: COLUMNS, uniques: UNIQUES, links: Some(LINKS), refusals: REFUSALS }
    }

    fn note(&self, table: &Noted) -> Vec<String> {
        let Noted { plain, name, notes, keys, old, new, definitions } = table;
        vec![
            PATIENCE.to_owned(),
            format!(
                "CREATE TABLE IF NOT EXISTS {notes} \
                 (moving_number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY{definitions})"
            ),
            // Whoever changes a row may note it, with the rights of the owner.
            format!(
                "CREATE OR REPLACE FUNCTION \"moving_{plain}_note\"() RETURNS trigger \
                 LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS '\
                 BEGIN \
                 IF TG_OP = ''DELETE'' THEN INSERT INTO {notes} ({keys}) VALUES ({old}); \
                 ELSE INSERT INTO {notes} ({keys}) VALUES ({new}); END IF; \
                 IF TG_OP = ''UPDATE'' THEN IF ROW({old}) IS DISTINCT FROM ROW({new}) \
                 THEN INSERT INTO {notes} ({keys}) VALUES ({old}); END IF; END IF; \
                 RETURN NULL; END'"
            ),
            format!("DROP TRIGGER IF EXISTS \"moving_{plain}\" ON {name}"),
            format!(
                "CREATE TRIGGER \"moving_{plain}\" AFTER INSERT OR UPDATE OR DELETE ON {name} \
                 FOR EACH ROW EXECUTE FUNCTION \"moving_{plain}_note\"()"
            ),
        ]
    }

    fn forget(&self, table: &Noted) -> Vec<String> {
        let Noted { plain, name, notes, .. } = table;
        vec![
            PATIENCE.to_owned(),
            format!("DROP TRIGGER IF EXISTS \"moving_{plain}\" ON {name}"),
            format!("DROP FUNCTION IF EXISTS \"moving_{plain}_note\"()"),
            format!("DROP TABLE IF EXISTS {notes}"),
        ]
    }

    fn refuse(&self, table: &Noted) -> Vec<String> {
        let Noted { plain, name, .. } = table;
        vec![
            "CREATE OR REPLACE FUNCTION moved_refuse() RETURNS trigger LANGUAGE plpgsql AS '\
             BEGIN RAISE EXCEPTION ''this database has moved''; END'"
                .to_owned(),
            format!("DROP TRIGGER IF EXISTS \"moved_{plain}\" ON {name}"),
            format!(
                "CREATE TRIGGER \"moved_{plain}\" BEFORE INSERT OR UPDATE OR DELETE ON {name} \
                 FOR EACH STATEMENT EXECUTE FUNCTION moved_refuse()"
            ),
        ]
    }

    fn lock(&self, tables: &[Noted]) -> Vec<String> {
        let names: Vec<_> = tables.iter().map(|table| table.name.as_str()).collect();
        vec![
            PATIENCE.to_owned(),
            format!("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", names.join(", ")),
        ]
    }

    /// Numbers that were given out and not kept in rows: others must not get them again.
    fn keep_numbers(&self) -> &'static [&'static str] {
        &[
            "UPDATE change_horizon SET highest = (SELECT last_value FROM change_numbers) \
             WHERE highest < (SELECT last_value FROM change_numbers WHERE is_called)",
            // There is no such row for accounts, so the newest change of one counts again.
            "UPDATE account_changes SET number = (SELECT last_value FROM account_numbers) \
             WHERE number < (SELECT last_value FROM account_numbers WHERE is_called) \
             AND number = (SELECT MAX(number) FROM account_changes)",
            "UPDATE record_horizon SET highest = (SELECT last_value FROM record_numbers) \
             WHERE highest < (SELECT last_value FROM record_numbers WHERE is_called)",
        ]
    }

    /// Beyond the rows of accounts are some that may have been removed.
    fn raise_numbers(&self) -> &'static [&'static str] {
        &[
            "SELECT setval('change_numbers', GREATEST(n.last_value, r.used)) FROM change_numbers n, \
             (SELECT MAX(number) AS used FROM (SELECT MAX(change_seq) AS number FROM document_changes \
             UNION ALL SELECT MAX(change_seq) FROM tombstones \
             UNION ALL SELECT highest FROM change_horizon) AS numbers) AS r WHERE r.used > 0",
            "SELECT setval('account_numbers', GREATEST(n.last_value, r.used)) FROM account_numbers n, \
             (SELECT MAX(number) AS used FROM account_changes) AS r WHERE r.used > 0",
            "SELECT setval('record_numbers', GREATEST(n.last_value, r.used)) FROM record_numbers n, \
             (SELECT MAX(number) AS used FROM (SELECT MAX(number) AS number FROM record_changes \
             UNION ALL SELECT highest FROM record_horizon) AS numbers) AS r WHERE r.used > 0",
            "SELECT setval(pg_get_serial_sequence('collections', 'id'), r.used) \
             FROM (SELECT MAX(id) AS used FROM collections) AS r WHERE r.used > 0",
        ]
    }
}
