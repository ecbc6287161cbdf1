//! The schemas of SQLite and PostgreSQL say the same.

use crate::pg_server::PgDatabase;
use izanagi_storage::{StorageConfig, migrate};
use sqlx::{
    ConnectOptions as _, Connection as _, PgConnection, Row as _, SqliteConnection,
    sqlite::SqliteConnectOptions,
};
use std::collections::{BTreeMap, BTreeSet};

/// A table, in words that both databases can be reduced to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Table {
    /// Name, type and whether NULL is allowed.
    columns: Vec<(String, &'static str, bool)>,
    /// Keys, foreign keys and checks, each with its name.
    constraints: BTreeSet<String>,
    /// Indexes, with their conditions.
    indexes: BTreeSet<String>,
}

type Schema = BTreeMap<String, Table>;

/// Without what databases write differently.
fn plain(text: &str) -> String {
    let text = text.replace("::text", "").replace("::bigint", "").replace(" COLLATE \"C\"", "");
    let text = text.replace("= ANY (ARRAY[", "IN (").replace("])", ")");
    // PostgreSQL writes the range of the expression in other words.
    let text = text.replace("'9223372036854775807'", "9223372036854775807");
    text.to_lowercase().chars().filter(|c| !c.is_whitespace() && !matches!(c, '(' | ')')).collect()
}

/// Reads the SQL of a table of SQLite, which is kept as it was written.
fn constraints_of(sql: &str, columns: &BTreeMap<String, &'static str>) -> BTreeSet<String> {
    let lines = sql.lines().map(str::trim).filter(|line| line.starts_with("CONSTRAINT "));
    let constraint = |line: &str| {
        let line = line.trim_start_matches("CONSTRAINT ").trim_end_matches(',');
        let (name, rule) = line.split_once(' ').unwrap();
        // The types of PostgreSQL say so.
        let parts = rule.trim_start_matches("CHECK (").trim_end_matches(')');
        let is_implied = rule.starts_with("CHECK")
            && parts.split(" AND ").all(|part| {
                let column = |text: &str| columns.get(text).copied().unwrap_or_default();
                let id = part.strip_prefix("length(").and_then(|it| it.split_once(") = 16"));
                let flag = part.split_once(" IN (0, 1");
                id.is_some_and(|(name, _)| column(name) == "uuid")
                    || flag.is_some_and(|(name, _)| column(name) == "boolean")
            });
        (!is_implied).then(|| format!("{name} {}", plain(rule)))
    };
    lines.filter_map(constraint).collect()
}

async fn of_sqlite(connection: &mut SqliteConnection, postgres: &Schema) -> Schema {
    let mut schema = Schema::new();
    let tables = "SELECT name, sql FROM sqlite_schema WHERE type = 'table' \
                  AND name NOT LIKE 'sqlite%' AND name <> '_sqlx_migrations'";
    for row in sqlx::query(tables).fetch_all(&mut *connection).await.unwrap() {
        let (name, sql): (String, String) = (row.get(0), row.get(1));
        let types: BTreeMap<String, &'static str> = postgres
            .get(&name)
            .map(|table| {
                table.columns.iter().map(|(name, kind, _)| (name.clone(), *kind)).collect()
            })
            .unwrap_or_default();
        let mut table = Table { constraints: constraints_of(&sql, &types), ..Table::default() };
        let columns = "SELECT name, type, \"notnull\" FROM pragma_table_info($1) ORDER BY cid";
        for row in sqlx::query(columns).bind(&name).fetch_all(&mut *connection).await.unwrap() {
            let kind = match row.get::<String, _>(1).as_str() {
                "BLOB" => "bytes",
                "TEXT" => "text",
                _ => "number",
            };
            table.columns.push((row.get(0), kind, !row.get::<bool, _>(2)));
        }
        let indexes = "SELECT sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = $1 \
                       AND sql IS NOT NULL";
        for row in sqlx::query(indexes).bind(&name).fetch_all(&mut *connection).await.unwrap() {
            table.indexes.insert(plain(&row.get::<String, _>(0)));
        }
        schema.insert(name, table);
    }
    schema
}

async fn of_postgres(connection: &mut PgConnection) -> Schema {
    let mut schema = Schema::new();
    let tables = "SELECT CAST(oid AS bigint), CAST(relname AS text) FROM pg_class \
                  WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' \
                  AND relname <> '_sqlx_migrations'";
    for row in sqlx::query(tables).fetch_all(&mut *connection).await.unwrap() {
        let (id, name): (i64, String) = (row.get(0), row.get(1));
        let mut table = Table::default();
        let columns = "SELECT CAST(attname AS text), format_type(atttypid, NULL), attnotnull, \
                       attcollation = 'pg_catalog.\"C\"'::regcollation \
                       FROM pg_attribute WHERE attrelid = CAST($1 AS oid) AND attnum > 0 \
                       AND NOT attisdropped ORDER BY attnum";
        for row in sqlx::query(columns).bind(id).fetch_all(&mut *connection).await.unwrap() {
            let column: String = row.get(0);
            let kind = match row.get::<String, _>(1).as_str() {
                "uuid" => "uuid",
                "bytea" => "bytes",
                "boolean" => "boolean",
                "bigint" => "number",
                "text" => {
                    assert!(row.get::<bool, _>(3), "{name}.{column} needs COLLATE \"C\"");
                    "text"
                }
                other => panic!("{name}.{column}: {other}"),
            };
            table.columns.push((column, kind, !row.get::<bool, _>(2)));
        }
        let constraints = "SELECT CAST(conname AS text), pg_get_constraintdef(oid, true) \
                           FROM pg_constraint WHERE conrelid = CAST($1 AS oid) AND contype <> 'n'";
        for row in sqlx::query(constraints).bind(id).fetch_all(&mut *connection).await.unwrap() {
            let (name, rule): (String, String) = (row.get(0), row.get(1));
            table.constraints.insert(format!("{name} {}", plain(&rule)));
        }
        let indexes = "SELECT pg_get_indexdef(indexrelid, 0, true) FROM pg_index \
                       WHERE indrelid = CAST($1 AS oid) AND NOT EXISTS \
                       (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid AND contype <> 'f')";
        for row in sqlx::query(indexes).bind(id).fetch_all(&mut *connection).await.unwrap() {
            let sql = row.get::<String, _>(0).replace(" USING btree", "").replace("public.", "");
            table.indexes.insert(plain(&sql));
        }
        schema.insert(name, table);
    }
    schema
}

#[tokio::test]
async fn both_schemas_have_the_same_tables_columns_and_constraints() {
    let Some(database) = PgDatabase::migrated().await else { return };
    let mut postgres = {
        let mut connection = database.connect().await;
        let schema = of_postgres(&mut connection).await;
        connection.close().await.unwrap();
        schema
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("izanagi.db");
    migrate(&StorageConfig::new(format!("sqlite://{}", path.display()))).await.unwrap();
    let options = SqliteConnectOptions::new().filename(&path);
    let mut connection = options.connect().await.unwrap();
    let sqlite = of_sqlite(&mut connection, &postgres).await;
    connection.close().await.unwrap();
    // In SQLite ids are bytes and booleans are numbers.
    for column in postgres.values_mut().flat_map(|table| &mut table.columns) {
        column.1 = match column.1 {
            "uuid" => "bytes",
            "boolean" => "number",
            other => other,
        };
    }
    assert_eq!(sqlite.keys().collect::<Vec<_>>(), postgres.keys().collect::<Vec<_>>());
    for (name, table) in &sqlite {
        assert_eq!(table.columns, postgres[name].columns, "columns of {name}");
        assert_eq!(table.constraints, postgres[name].constraints, "constraints of {name}");
        assert_eq!(table.indexes, postgres[name].indexes, "indexes of {name}");
    }
    assert!(sqlite.len() > 20, "{}", sqlite.len());
    database.recycle().await;
}
