//! What the server must promise before anything is written.

use super::{
    connection::{rows, run_read_only},
    session::Session,
};
use crate::{error::OpenError, sql::statement::Statement};
use izanagi_domain::storage::StoreResult;
use sqlx::{Executor as _, PgConnection, Row as _};

/// PostgreSQL 13 is the first with `pg_current_xact_id`.
pub(super) const OLDEST: i32 = 130_000;

/// Settings without which an acknowledged write may be lost.
pub(super) const DURABLE: [&str; 3] = ["fsync", "full_page_writes", "synchronous_commit"];

/// Checks version, encoding and durability.
pub(super) async fn server(
    connection: &mut PgConnection,
    session: Session,
    accept_data_loss: bool,
) -> Result<(), OpenError> {
    let number = setting(connection, session, "server_version_num").await?;
    if number.parse::<i32>().unwrap_or_default() < OLDEST {
        let found = setting(connection, session, "server_version").await?;
        return Err(OpenError::PostgresVersion { found });
    }
    let encoding = setting(connection, session, "server_encoding").await?;
    if encoding != "UTF8" {
        return Err(OpenError::PostgresEncoding { found: encoding });
    }
    for name in DURABLE {
        let value = setting(connection, session, name).await?;
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

/// Returns a setting. `name` is a literal of this module.
async fn setting(
    connection: &mut PgConnection,
    session: Session,
    name: &str,
) -> Result<String, OpenError> {
    let found = rows(connection, session, format!("SELECT current_setting('{name}')")).await;
    let value = found.and_then(|rows| rows.first().ok_or(sqlx::Error::RowNotFound)?.try_get(0));
    value.map_err(OpenError::database)
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
const REFERENCES: &str = "SELECT CAST(c.conname AS text) AS name, \
     format('SELECT 1 AS what FROM %s a WHERE NOT EXISTS (SELECT 1 FROM %s b WHERE %s) AND %s LIMIT 1', \
     c.conrelid::regclass, c.confrelid::regclass, \
     string_agg(format('b.%I = a.%I', f.attname, k.attname), ' AND '), \
     string_agg(format('a.%I IS NOT NULL', k.attname), ' AND ')) AS query \
     FROM pg_constraint c \
     CROSS JOIN LATERAL unnest(c.conkey, c.confkey) AS keys (own, other) \
     JOIN pg_attribute k ON k.attrelid = c.conrelid AND k.attnum = keys.own \
     JOIN pg_attribute f ON f.attrelid = c.confrelid AND f.attnum = keys.other \
     WHERE c.contype = 'f' AND c.connamespace = CAST(current_schema() AS regnamespace) \
     GROUP BY c.oid, c.conname, c.conrelid, c.confrelid";

/// Returns the problems that the database finds in itself.
pub(super) async fn integrity(
    connection: &mut PgConnection,
    session: Session,
) -> sqlx::Result<StoreResult<Vec<String>>> {
    let problems = run_read_only(connection, session, Statement::new(INTEGRITY)).await?;
    let references = run_read_only(connection, session, Statement::new(REFERENCES)).await?;
    let mut dangling = Vec::new();
    for row in &references.rows {
        let (name, query) = match (row.get::<String>("name"), row.get::<String>("query")) {
            (Ok(name), Ok(query)) => (name, query),
            (Err(error), _) | (_, Err(error)) => return Ok(Err(error)),
        };
        // The server wrote the text, from the names in its own catalogue.
        let mut check = Statement::new("");
        check.push(&query);
        if !run_read_only(connection, session, check).await?.rows.is_empty() {
            dangling.push(Ok(format!("a row refers to a missing one: {name}")));
        }
    }
    let problems = problems.rows.iter().map(|row| row.get("what"));
    Ok(problems.chain(dangling).collect())
}

/// A position in the log of a server's writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position(i64);

/// Where the log of a primary ends. Everything that can be seen there is in the log before it.
pub(super) async fn end_of_log(
    connection: &mut PgConnection,
    session: Session,
) -> sqlx::Result<Position> {
    let query = "SELECT CAST(pg_current_wal_insert_lsn() - '0/0' AS bigint)";
    let found = session.briefly(fetch_position(connection, query)).await?;
    found.ok_or(sqlx::Error::RowNotFound)
}

/// How far a replica has replayed the log; `None` if the server is no replica.
pub(super) async fn replayed(
    connection: &mut PgConnection,
    session: Session,
) -> sqlx::Result<Option<Position>> {
    let query = "SELECT CASE WHEN pg_is_in_recovery() \
                 THEN CAST(pg_last_wal_replay_lsn() - '0/0' AS bigint) END";
    session.briefly(fetch_position(connection, query)).await
}

async fn fetch_position(
    connection: &mut PgConnection,
    query: &'static str,
) -> sqlx::Result<Option<Position>> {
    // Without arguments, one exchange is enough.
    let row = connection.fetch_one(sqlx::raw_sql(query)).await?;
    Ok(row.try_get::<Option<i64>, _>(0)?.map(Position))
}
