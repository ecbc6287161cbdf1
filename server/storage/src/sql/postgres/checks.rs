//! What the server must promise before anything is written.

use crate::error::OpenError;
use sqlx::{Executor as _, PgConnection, Row as _};

/// PostgreSQL 13 is the first with `pg_current_xact_id`.
pub(super) const OLDEST: i32 = 130_000;

/// Settings without which an acknowledged write may be lost.
pub(super) const DURABLE: [&str; 3] = ["fsync", "full_page_writes", "synchronous_commit"];

/// Checks version, encoding and durability.
pub(super) async fn server(
    connection: &mut PgConnection,
    accept_data_loss: bool,
) -> Result<(), OpenError> {
    let number = setting(connection, "server_version_num").await?;
    if number.parse::<i32>().unwrap_or_default() < OLDEST {
        let found = setting(connection, "server_version").await?;
        return Err(OpenError::PostgresVersion { found });
    }
    let encoding = setting(connection, "server_encoding").await?;
    if encoding != "UTF8" {
        return Err(OpenError::PostgresEncoding { found: encoding });
    }
    for name in DURABLE {
        let value = setting(connection, name).await?;
        if value != "off" {
            tracing::info!(name, value, "durability of PostgreSQL");
        } else if accept_data_loss {
            tracing::warn!(name, "is off: a crash may lose writes that were acknowledged");
        } else {
            return Err(OpenError::NotDurable { setting: name });
        }
    }
    Ok(())
}

async fn setting(connection: &mut PgConnection, name: &str) -> Result<String, OpenError> {
    sqlx::query_scalar("SELECT current_setting($1)")
        .bind(name)
        .fetch_one(connection)
        .await
        .map_err(OpenError::database)
}

/// Problems that the server knows of: indexes and constraints that are not in force, and pages whose
/// checksum was wrong.
const INTEGRITY: &str = "SELECT 'the index ' || CAST(indexrelid AS regclass) || ' is not valid' AS what \
     FROM pg_index JOIN pg_class c ON c.oid = indexrelid \
     WHERE c.relnamespace = CAST(current_schema() AS regnamespace) AND NOT indisvalid \
     UNION ALL \
     SELECT 'the constraint ' || conname || ' is not validated' FROM pg_constraint \
     WHERE connamespace = CAST(current_schema() AS regnamespace) AND NOT convalidated \
     UNION ALL \
     SELECT checksum_failures || ' pages had a wrong checksum' FROM pg_stat_database \
     WHERE datname = current_database() AND checksum_failures > 0";

/// Foreign keys of this schema, as a query for rows that violate them. PostgreSQL enforces them, but
/// damage to an index or a page can hide a row.
const REFERENCES: &str = "SELECT CAST(c.conname AS text), \
     format('SELECT EXISTS (SELECT 1 FROM %s a WHERE NOT EXISTS (SELECT 1 FROM %s b WHERE %s) AND %s)', \
     c.conrelid::regclass, c.confrelid::regclass, \
     string_agg(format('b.%I = a.%I', f.attname, k.attname), ' AND '), \
     string_agg(format('a.%I IS NOT NULL', k.attname), ' AND ')) \
     FROM pg_constraint c \
     CROSS JOIN LATERAL unnest(c.conkey, c.confkey) AS keys (own, other) \
     JOIN pg_attribute k ON k.attrelid = c.conrelid AND k.attnum = keys.own \
     JOIN pg_attribute f ON f.attrelid = c.confrelid AND f.attnum = keys.other \
     WHERE c.contype = 'f' AND c.connamespace = CAST(current_schema() AS regnamespace) \
     GROUP BY c.oid, c.conname, c.conrelid, c.confrelid";

/// Returns the problems that the database finds in itself.
pub(super) async fn integrity(connection: &mut PgConnection) -> sqlx::Result<Vec<String>> {
    let mut found: Vec<String> = sqlx::query_scalar(INTEGRITY).fetch_all(&mut *connection).await?;
    let references: Vec<(String, String)> =
        sqlx::query_as(REFERENCES).fetch_all(&mut *connection).await?;
    for (name, query) in references {
        // The server wrote the text, from the names in its own catalogue.
        let query = sqlx::query_scalar(sqlx::AssertSqlSafe(query));
        if query.fetch_one(&mut *connection).await? {
            found.push(format!("a row refers to a missing one: {name}"));
        }
    }
    Ok(found)
}

/// Where the log of this server's writes ends, or on a replica, how far it has been replayed.
pub(super) async fn position(connection: &mut PgConnection) -> sqlx::Result<i64> {
    let query = "SELECT CAST((CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() \
                 ELSE pg_current_wal_lsn() END) - '0/0' AS bigint)";
    // Without arguments, one exchange is enough.
    connection.fetch_one(sqlx::raw_sql(query)).await?.try_get(0)
}
