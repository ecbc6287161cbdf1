//! Schema migrations. A released step is never changed.

use crate::error::OpenError;
use sqlx::{
    Connection as _, PgConnection, SqlSafeStr as _,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};
use std::borrow::Cow;

const STEPS: [(&str, &str); 3] = [
    ("schema", include_str!("../migrations/postgres/0001_schema.sql")),
    ("moves", include_str!("../migrations/postgres/0002_moves.sql")),
    ("origins", include_str!("../migrations/postgres/0003_origins.sql")),
];

/// Held by the process that migrates. Any number will do; this one is ours.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7309453014278365)";

fn migrations() -> Vec<Migration> {
    let step = |(version, (name, sql)): (i64, (&'static str, &'static str))| {
        let (kind, sql) = (MigrationType::Simple, sql.into_sql_str());
        Migration::new(version, Cow::Borrowed(name), kind, sql, false)
    };
    (1..).zip(STEPS).map(step).collect()
}

/// Whether the database has a schema of this program.
pub(super) async fn exists(connection: &mut PgConnection) -> Result<bool, OpenError> {
    sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL")
        .fetch_one(connection)
        .await
        .map_err(OpenError::database)
}

/// Applies the missing steps, all in one transaction. A schema that is complete needs no right to
/// change it.
pub(super) async fn migrate(connection: &mut PgConnection) -> Result<(), OpenError> {
    let mut migrator = Migrator::with_migrations(migrations());
    // The driver's lock belongs to a connection, which a pooler may exchange.
    migrator.set_locking(false);
    if exists(connection).await? && is_complete(connection, &migrator).await? {
        return Ok(());
    }
    let failed = |error: MigrateError| OpenError::Migration(error.to_string());
    let mut transaction = connection.begin().await.map_err(OpenError::database)?;
    sqlx::query(LOCK).execute(&mut *transaction).await.map_err(OpenError::database)?;
    match migrator.run_direct(None, &mut *transaction, false).await {
        Ok(()) => transaction.commit().await.map_err(|error| failed(error.into())),
        Err(MigrateError::VersionMissing(found)) if found > newest(&migrator) => {
            Err(OpenError::NewerSchema { found, known: newest(&migrator) })
        }
        Err(error) => Err(failed(error)),
    }
}

fn newest(migrator: &Migrator) -> i64 {
    migrator.iter().map(|step| step.version).max().unwrap_or_default()
}

/// Whether exactly the known steps have been applied.
async fn is_complete(
    connection: &mut PgConnection,
    migrator: &Migrator,
) -> Result<bool, OpenError> {
    let query = "SELECT version, checksum FROM _sqlx_migrations WHERE success ORDER BY version";
    let applied: Vec<(i64, Vec<u8>)> =
        sqlx::query_as(query).fetch_all(connection).await.map_err(OpenError::database)?;
    let known = migrator.iter().map(|step| (step.version, step.checksum.to_vec()));
    Ok(applied.into_iter().eq(known))
}

/// Sequences that lag behind the numbers in use, because rows were copied without them. Visible rows
/// never have a number that their sequence has not given out, so this finds nothing while servers run.
const LAGGING: &str = "SELECT s.name, s.used FROM (\
     SELECT 'change_numbers' AS name, GREATEST((SELECT MAX(change_seq) FROM document_changes), \
     (SELECT MAX(change_seq) FROM tombstones), (SELECT MAX(highest) FROM change_horizon)) AS used, \
     (SELECT last_value FROM change_numbers) AS last \
     UNION ALL SELECT 'account_numbers', (SELECT MAX(number) FROM account_changes), \
     (SELECT last_value FROM account_numbers) \
     UNION ALL SELECT 'record_numbers', (SELECT MAX(number) FROM record_changes), \
     (SELECT last_value FROM record_numbers)) AS s WHERE s.used > s.last";

/// Lets sequences go on after the highest number in use.
pub(super) async fn raise_numbers(connection: &mut PgConnection) -> Result<(), OpenError> {
    let lagging: Vec<(String, i64)> =
        sqlx::query_as(LAGGING).fetch_all(&mut *connection).await.map_err(OpenError::database)?;
    for (sequence, used) in lagging {
        tracing::warn!(sequence, used, "a sequence lagged behind its rows and was raised");
        sqlx::query("SELECT setval(CAST($1 AS regclass), $2)")
            .bind(sequence)
            .bind(used)
            .execute(&mut *connection)
            .await
            .map_err(OpenError::database)?;
    }
    Ok(())
}
